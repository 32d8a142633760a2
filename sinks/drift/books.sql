-- name: keep
INSERT INTO ledger.books AS b (account, xero_id, kind, number, contact_id, party, day, status, net, tax, total, paid,
                               currency, url, read_at)
SELECT %(account)s, r.*, %(asked_at)s FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    xero_id text, kind text, number text, contact_id text, party text, day date, status text, net numeric, tax numeric,
    total numeric, paid numeric, currency text, url text)
ON CONFLICT (account, xero_id) DO UPDATE
SET kind = excluded.kind, number = excluded.number, contact_id = excluded.contact_id, party = excluded.party,
    day = excluded.day, status = excluded.status, net = excluded.net, tax = excluded.tax, total = excluded.total,
    paid = excluded.paid, currency = excluded.currency, url = excluded.url, read_at = excluded.read_at

-- name: forget
DELETE FROM ledger.books WHERE account = %(account)s AND xero_id = ANY(%(gone)s)

-- name: are_whole
-- What was read before the account got another organisation is of that one.
SELECT EXISTS (SELECT FROM ledger.drift_runs
               WHERE account = %(account)s AND keeps_books AND covers AND since IS NULL AND finished_at IS NOT NULL
                 AND error IS NULL
                 AND asked_at > coalesce((SELECT max(at) FROM connections.settings_history
                                          WHERE account = %(account)s AND key = 'tenant_id'), '-infinity')) AS are_whole

-- name: linked
SELECT l.kind, l.record_id, l.transaction_id, l.xero_id, l.removed, b.number, b.contact_id, b.party, b.day, b.status,
       b.net, b.tax, b.total, b.paid, b.currency, b.url, b.read_at
FROM ledger.links l
LEFT JOIN ledger.books b ON b.account = l.account AND b.xero_id = l.xero_id
  AND b.read_at > coalesce((SELECT max(at) FROM connections.settings_history
                            WHERE account = %(account)s AND key = 'tenant_id'), '-infinity')
WHERE l.account = %(account)s AND l.kind IN ('invoice', 'purchase_order', 'bill', 'credit_note')
  AND l.record_id = ANY(%(records)s)
ORDER BY l.record_id, l.kind, l.transaction_id

-- name: with_urls
SELECT kind, xero_id, number, contact_id, party, day, status, net, tax, total, paid, currency, url, read_at
FROM ledger.books
WHERE account = %(account)s AND url <> '' AND url = ANY(%(urls)s)
  AND read_at > coalesce((SELECT max(at) FROM connections.settings_history
                          WHERE account = %(account)s AND key = 'tenant_id'), '-infinity')
ORDER BY url, xero_id

-- name: next_linked
SELECT kind, record_id FROM ledger.links
WHERE account = %(account)s AND kind IN ('invoice', 'purchase_order') AND xero_id <> ''
  AND (kind, record_id) > (%(kind)s, %(record_id)s)
ORDER BY kind, record_id LIMIT %(limit)s

-- name: contacts
SELECT record_id, xero_id FROM ledger.links
WHERE account = %(account)s AND kind = 'contact' AND record_id = ANY(%(parties)s) AND NOT removed

-- name: actions
SELECT entity, record_id, bool_or(state IN ('queued', 'running')) AS is_open,
       max(greatest(queued_at, started_at, finished_at)) AS last_at,
       (array_agg(jsonb_build_object('command_id', command_id, 'action', action, 'reason_code', reason_code,
                                     'reason_args', reason_args) ORDER BY seq DESC)
        FILTER (WHERE state = 'failed'))[1] AS failed,
       (array_agg(jsonb_build_object('command_id', command_id, 'action', action, 'actor', actor) ORDER BY seq DESC)
        FILTER (WHERE outcome = 'skipped_by_operator'))[1] AS skipped
FROM ledger.commands
WHERE account = %(account)s AND entity IN ('invoice', 'purchase_order') AND record_id = ANY(%(records)s)
GROUP BY entity, record_id

-- name: by_hand
SELECT record_id, field, ours, xeros, why, changed_at, changed_by, adopted_by FROM ledger.drift
WHERE account = %(account)s AND kind <> 'contact' AND record_id = ANY(%(records)s)
ORDER BY record_id, information, changed_at DESC, kind, transaction_id, field

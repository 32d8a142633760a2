-- name: open
SELECT since, by_number, phase, page, calls,
       greatest(0, extract(epoch FROM trusted_after - clock_timestamp()))::float8 AS trusted_in
FROM ledger.clearings WHERE account = %(account)s

-- name: begin
-- A request while one is running makes it start again: records flagged since then were not looked for.
INSERT INTO ledger.clearings AS c (account, since, by_number, trusted_after, asked_by)
VALUES (%(account)s, %(since)s, %(by_number)s, clock_timestamp() + make_interval(secs => %(trusted_in)s), %(actor)s)
ON CONFLICT (account) DO UPDATE SET
    since = CASE WHEN c.since < excluded.since THEN c.since ELSE excluded.since END,
    by_number = c.by_number AND excluded.by_number, phase = 0, page = 1,
    trusted_after = greatest(c.trusted_after, excluded.trusted_after), asked_by = excluded.asked_by

-- name: keep
INSERT INTO ledger.shown (account, key, xero_id, body)
SELECT %(account)s, u.key, u.xero_id, u.body FROM jsonb_to_recordset(%(shown)s::jsonb) AS u (key text, xero_id text, body jsonb)
ON CONFLICT (account, key, xero_id) DO UPDATE SET body = excluded.body

-- name: progress
UPDATE ledger.clearings SET phase = %(phase)s, page = %(page)s, calls = calls + %(calls)s WHERE account = %(account)s

-- name: end
DELETE FROM ledger.clearings WHERE account = %(account)s

-- name: forget
DELETE FROM ledger.shown WHERE account = %(account)s

-- name: flagged
-- Contacts first: documents are compared by their contact.
SELECT entity, record_id FROM ledger.commands
WHERE account = %(account)s AND perhaps_sent
GROUP BY entity, record_id
ORDER BY entity NOT IN ('customer', 'supplier'), min(seq) LIMIT %(limit)s

-- name: histories
SELECT c.*
FROM ledger.commands c
JOIN unnest(%(entities)s::text[], %(records)s::text[]) AS r (entity, record_id) USING (entity, record_id)
WHERE c.account = %(account)s AND c.reason_code IS DISTINCT FROM 'event_id_reused'
ORDER BY c.seq

-- name: shown
SELECT key, xero_id, body FROM ledger.shown
WHERE account = %(account)s AND (key = ANY(%(keys)s) OR xero_id = ANY(%(xero_ids)s))

-- name: resolve_open
-- The present knowledge of the record makes up for responses that were lost.
UPDATE ledger.elements SET result = 'resolved'
WHERE account = %(account)s AND record_id = ANY(%(records)s) AND result = 'unknown'

-- name: clear
-- An action whose own call made the object has posted it, as after a response that was lost.
UPDATE ledger.commands c SET perhaps_sent = false, perhaps_acted = perhaps_acted OR command_id = ANY(%(acted)s::uuid[])
FROM unnest(%(entities)s::text[], %(records)s::text[]) AS r (entity, record_id)
WHERE c.account = %(account)s AND c.entity = r.entity AND c.record_id = r.record_id AND c.perhaps_sent

-- name: formats
-- Number formats that the account has had, and the default.
SELECT DISTINCT h.key, v.value FROM connections.settings_history h, LATERAL (VALUES (h.old), (h.new)) AS v (value)
WHERE h.account = %(account)s AND h.key IN ('invoice_number_format', 'purchase_order_number_format')
  AND v.value IS NOT NULL AND v.value <> ''
UNION SELECT key, '{number}' FROM unnest(ARRAY['invoice_number_format', 'purchase_order_number_format']) AS key

-- name: linked_documents
SELECT DISTINCT xero_id FROM ledger.links
WHERE account = %(account)s AND record_id = ANY(%(records)s) AND kind IN ('invoice', 'credit_note') AND xero_id <> ''

-- name: due
-- Accounts whose setting says that a reading is due, and that can be read. Of the readings of an account, of which there
-- is one for each day, only the last one that left no gap is looked at, and those that have not ended.
SELECT s.account FROM connections.settings s JOIN connections.accounts a USING (account)
LEFT JOIN LATERAL (
    SELECT asked_at FROM ledger.drift_runs r WHERE r.account = s.account AND r.covers ORDER BY r.asked_at DESC LIMIT 1
) AS last ON true
WHERE s.key = 'drift_every' AND s.value <> 'off' AND a.status = 'connected' AND a.paused_at IS NULL
  AND (last.asked_at > clock_timestamp() - s.value::interval) IS NOT TRUE
  AND NOT EXISTS (SELECT FROM ledger.drift_runs r WHERE r.account = s.account AND r.finished_at IS NULL)

-- name: linked
SELECT kind, count(*) AS objects FROM ledger.links
WHERE account = %(account)s AND NOT removed AND xero_id <> '' GROUP BY kind

-- name: linked_records
-- The objects of these records (entity/id), by kind.
SELECT kind, count(*) AS objects FROM ledger.links
WHERE account = %(account)s AND NOT removed AND xero_id <> ''
  AND CASE WHEN kind = 'contact' THEN record_id WHEN kind IN ('purchase_order', 'bill') THEN 'purchase_order/' || record_id
           ELSE 'invoice/' || record_id END = ANY(%(records)s)
GROUP BY kind

-- name: read_records
-- To be looked up by their ids.
INSERT INTO ledger.drift_unread (account, kind, record_id, transaction_id)
SELECT account, kind, record_id, transaction_id FROM ledger.links
WHERE account = %(account)s AND NOT removed AND xero_id <> ''
  AND kind IN ('contact', 'invoice', 'bill', 'credit_note', 'purchase_order', 'payment', 'refund')
  AND NOT ledger.in_archive(account, kind, record_id)
  AND CASE WHEN kind = 'contact' THEN record_id WHEN kind IN ('purchase_order', 'bill') THEN 'purchase_order/' || record_id
           ELSE 'invoice/' || record_id END = ANY(%(records)s)
ON CONFLICT (account, kind, record_id, transaction_id) DO UPDATE SET tried_by = NULL

-- name: covered
-- The time since when nothing has been read: the beginning of the last reading that left no gap.
SELECT next_since FROM ledger.drift_runs
WHERE account = %(account)s AND covers AND finished_at IS NOT NULL AND error IS NULL AND next_since IS NOT NULL
ORDER BY asked_at DESC LIMIT 1

-- name: hold_open_run
-- A reading that is just ending is waited for; any other one sees what is added to it before it ends.
SELECT FROM ledger.drift_runs WHERE account = %(account)s AND finished_at IS NULL FOR UPDATE

-- name: ask
WITH request AS (
    INSERT INTO ledger.requests (request_id, account, kind)
    VALUES (gen_random_uuid(), %(account)s, 'drift') ON CONFLICT DO NOTHING RETURNING request_id
)
INSERT INTO ledger.drift_runs (run_id, account, actor, since, covers, calls_expected, phase, keeps_books)
SELECT request_id, %(account)s, %(actor)s, %(since)s, %(covers)s, %(calls)s, %(phase)s, true FROM request

-- name: open_run
SELECT run_id::text FROM ledger.drift_runs WHERE account = %(account)s AND finished_at IS NULL
ORDER BY asked_at LIMIT 1

-- name: run
SELECT run_id::text, actor, since, asked_at, started_at, finished_at, error, calls, calls_expected, read, compared, next_since
FROM ledger.drift_runs WHERE run_id = %(run_id)s

-- name: last_run
SELECT run_id::text, actor, since, asked_at, started_at, finished_at, error, calls, calls_expected, read, compared
FROM ledger.drift_runs WHERE account = %(account)s AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1

-- name: differences
SELECT account, kind, coalesce(nullif(xero_number, ''), number) AS number, record_id, transaction_id, field, ours, xeros,
       information, changed_at, first_seen_at, last_seen_at, xero_id, xero_status, resent_at, changed_by, changed_by_at, why,
       mend::text
FROM ledger.drift LEFT JOIN ledger.links l USING (account, kind, record_id, transaction_id, xero_id)
WHERE account = %(account)s AND adopted_at IS NULL AND (l.seq IS NOT NULL OR field = 'missing')
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(field)s::text IS NULL OR field = %(field)s)
  AND (%(records)s::text[] IS NULL OR
       CASE WHEN kind = 'contact' THEN record_id WHEN kind IN ('purchase_order', 'bill') THEN 'purchase_order/' || record_id
           ELSE 'invoice/' || record_id END = ANY(%(records)s))
  AND (%(number)s::text IS NULL OR coalesce(nullif(xero_number, ''), number) = %(number)s)
  AND (%(record)s::text IS NULL OR %(record)s IN (record_id, split_part(record_id, '/', 2)))
ORDER BY information, kind, coalesce(nullif(xero_number, ''), number), record_id, transaction_id, field

-- name: adopt
UPDATE ledger.drift d SET adopted_at = clock_timestamp(), adopted_by = %(actor)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS k (
    kind text, record_id text, transaction_id text, field text, ours text, xeros text)
WHERE d.account = %(account)s AND d.adopted_at IS NULL
  AND (d.kind, d.record_id, d.transaction_id, d.field, d.ours, d.xeros)
    = (k.kind, k.record_id, k.transaction_id, k.field, k.ours, k.xeros)

-- name: resent
UPDATE ledger.drift d SET resent_at = clock_timestamp()
FROM jsonb_to_recordset(%(rows)s::jsonb) AS k (kind text, record_id text, transaction_id text, field text)
WHERE d.account = %(account)s
  AND (d.kind, d.record_id, d.transaction_id, d.field) = (k.kind, k.record_id, k.transaction_id, k.field)

-- name: newest_actions
-- The newest created or edited action of each record, of those that have ended.
SELECT DISTINCT ON (c.entity, c.record_id) c.command_id::text, c.seq, c.entity, c.record_id
FROM ledger.commands c
JOIN unnest(%(entities)s::text[], %(records)s::text[]) AS k (entity, record_id) USING (entity, record_id)
WHERE c.account = %(account)s AND c.action IN ('created', 'edited') AND c.state IN ('completed', 'failed')
  AND (c.archived_at IS NULL OR c.body <> '{}')
  AND c.reason_code IS DISTINCT FROM 'event_id_reused'
  AND coalesce(c.outcome, '') NOT IN ('skipped_by_operator', 'before_cutoff')
ORDER BY c.entity, c.record_id, c.seq DESC

-- name: documents_of
-- The newest document of each of these contacts: a contact that came only with documents is sent with one again.
SELECT DISTINCT ON (l.facts ->> 'party') l.facts ->> 'party' AS party, l.record_id,
       CASE l.kind WHEN 'invoice' THEN 'invoice' ELSE 'purchase_order' END AS entity
FROM ledger.links l
WHERE l.account = %(account)s AND l.kind IN ('invoice', 'purchase_order') AND NOT l.removed
  AND l.facts ->> 'party' = ANY(%(parties)s)
ORDER BY l.facts ->> 'party', l.seq DESC

-- name: money_actions
SELECT c.command_id::text, l.kind, l.record_id, l.transaction_id
FROM ledger.links l
JOIN ledger.commands c ON c.account = l.account AND c.record_id = l.record_id AND c.seq = l.seq
JOIN jsonb_to_recordset(%(rows)s::jsonb) AS k (kind text, record_id text, transaction_id text)
  ON (l.kind, l.record_id, l.transaction_id) = (k.kind, k.record_id, k.transaction_id)
WHERE l.account = %(account)s AND c.action IN ('payment_applied', 'refund_applied') AND c.state IN ('completed', 'failed')
  AND c.archived_at IS NULL

-- name: forget_fields
-- Anything that is not known to have been sent is sent again.
UPDATE ledger.links l SET facts = jsonb_set(l.facts - 'refused', '{sent}', (l.facts -> 'sent') - k.fields)
FROM (SELECT record_id, array_agg(field) AS fields FROM jsonb_to_recordset(%(rows)s::jsonb)
          AS r (record_id text, field text) GROUP BY record_id) AS k
WHERE l.account = %(account)s AND l.kind = 'contact' AND l.record_id = k.record_id

-- name: send_again
UPDATE ledger.links l SET facts = l.facts || jsonb_build_object('resend_seq', k.seq::text)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS k (kind text, record_id text, seq bigint)
WHERE l.account = %(account)s AND l.kind = k.kind AND l.record_id = k.record_id

-- name: forget_money
DELETE FROM ledger.links l USING jsonb_to_recordset(%(rows)s::jsonb) AS k (kind text, record_id text, transaction_id text)
WHERE l.account = %(account)s AND (l.kind, l.record_id, l.transaction_id) = (k.kind, k.record_id, k.transaction_id)

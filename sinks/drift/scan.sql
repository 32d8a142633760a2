-- name: open_run
-- Locked, so that nobody adds to a reading that is just ending (acts.sql, hold_open_run).
SELECT run_id::text, account, since, covers, started_at, phase, page, calls, calls_expected, checked, checked_entity,
       checked_record
FROM ledger.drift_runs WHERE run_id = %(run_id)s FOR UPDATE

-- name: start
UPDATE ledger.drift_runs SET started_at = clock_timestamp() WHERE run_id = %(run_id)s

-- name: all_unread
INSERT INTO ledger.drift_unread (account, kind, record_id, transaction_id)
SELECT account, kind, record_id, transaction_id FROM ledger.links
WHERE account = %(account)s AND NOT removed AND xero_id <> ''
  AND kind IN ('contact', 'invoice', 'bill', 'credit_note', 'purchase_order', 'payment', 'refund')
  AND NOT ledger.in_archive(account, kind, record_id)
ON CONFLICT DO NOTHING

-- name: read_now
DELETE FROM ledger.drift_unread u
USING unnest(%(kind)s::text[], %(record_id)s::text[], %(transaction_id)s::text[]) AS k (kind, record_id, transaction_id)
WHERE u.account = %(account)s AND u.kind = k.kind AND u.record_id = k.record_id AND u.transaction_id = k.transaction_id

-- name: read_later
-- Objects that our own calls were changing. Once looked up at the end of a reading, they are left to the next one.
INSERT INTO ledger.drift_unread (account, kind, record_id, transaction_id, tried_by)
SELECT %(account)s, *, %(tried_by)s FROM unnest(%(kind)s::text[], %(record_id)s::text[], %(transaction_id)s::text[])
ON CONFLICT (account, kind, record_id, transaction_id) DO UPDATE SET tried_by = excluded.tried_by

-- name: next_unread
SELECT u.kind, l.xero_id, u.record_id, u.transaction_id
FROM ledger.drift_unread u
LEFT JOIN ledger.links l USING (account, kind, record_id, transaction_id)
WHERE u.account = %(account)s AND u.kind = ANY(%(kinds)s) AND u.tried_by IS DISTINCT FROM %(run_id)s
ORDER BY u.kind, u.record_id, u.transaction_id LIMIT %(limit)s

-- name: unread
SELECT count(*) AS records FROM ledger.drift_unread
WHERE account = %(account)s AND tried_by IS DISTINCT FROM %(run_id)s

-- name: forget
-- Differences that are gone, of objects that were compared.
DELETE FROM ledger.drift d
USING jsonb_to_recordset(%(compared)s::jsonb) AS k (kind text, record_id text, transaction_id text, fields jsonb)
WHERE d.account = %(account)s AND d.kind = k.kind AND d.record_id = k.record_id
  AND d.transaction_id = k.transaction_id AND NOT k.fields ? d.field

-- name: keep
-- An adopted difference stays adopted for as long as both sides are the same.
INSERT INTO ledger.drift AS d (account, kind, record_id, transaction_id, field, xero_id, xero_status, ours, xeros,
                               information, changed_at, why, mend, number)
SELECT %(account)s, u.* FROM jsonb_to_recordset(%(differences)s::jsonb) AS u (
    kind text, record_id text, transaction_id text, field text, xero_id text, xero_status text, ours text, xeros text,
    information boolean, changed_at timestamptz, why text, mend uuid, number text)
ON CONFLICT (account, kind, record_id, transaction_id, field) DO UPDATE
SET xero_id = excluded.xero_id, xero_status = excluded.xero_status, ours = excluded.ours, xeros = excluded.xeros,
    information = excluded.information, changed_at = excluded.changed_at,
    why = excluded.why, mend = excluded.mend, number = excluded.number,
    changed_by = CASE WHEN (d.xero_id, d.changed_at) = (excluded.xero_id, excluded.changed_at) THEN d.changed_by ELSE '' END,
    changed_by_at = CASE WHEN (d.xero_id, d.changed_at) = (excluded.xero_id, excluded.changed_at) THEN d.changed_by_at END,
    history_of = CASE WHEN (d.xero_id, d.changed_at) = (excluded.xero_id, excluded.changed_at) THEN d.history_of END, last_seen_at = clock_timestamp(),
    resent_at = CASE WHEN (d.ours, d.xeros) = (excluded.ours, excluded.xeros) THEN d.resent_at END,
    adopted_at = CASE WHEN (d.ours, d.xeros) = (excluded.ours, excluded.xeros) THEN d.adopted_at END,
    adopted_by = CASE WHEN (d.ours, d.xeros) = (excluded.ours, excluded.xeros) THEN d.adopted_by ELSE '' END

-- name: progress
UPDATE ledger.drift_runs SET
    phase = %(phase)s, page = %(page)s, calls = calls + 1, calls_expected = calls + 1 + %(calls_left)s,
    read = read + %(read)s, compared = compared + %(compared)s, next_since = coalesce(next_since, %(next_since)s)
WHERE run_id = %(run_id)s

-- name: finish
UPDATE ledger.drift_runs SET finished_at = clock_timestamp(), calls_expected = calls, error = %(error)s
WHERE run_id = %(run_id)s

-- name: checked
-- How far the histories are read, or that all are.
UPDATE ledger.drift_runs SET checked = %(checked)s, checked_entity = %(entity)s, checked_record = %(record_id)s
WHERE run_id = %(run_id)s

-- name: forget_missing
-- Objects of these records that are no longer missing.
DELETE FROM ledger.drift d
WHERE d.account = %(account)s AND d.field = 'missing' AND d.record_id = ANY(%(records)s)
  AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(%(missing)s::jsonb) AS k (kind text, record_id text, transaction_id text)
                  WHERE (k.kind, k.record_id, k.transaction_id) = (d.kind, d.record_id, d.transaction_id))

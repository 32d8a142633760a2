-- name: open_run
SELECT run_id::text, account, since, covers, started_at, phase, page, calls, calls_expected
FROM ledger.drift_runs WHERE run_id = %(run_id)s

-- name: database_time
SELECT clock_timestamp()

-- name: start
UPDATE ledger.drift_runs SET started_at = clock_timestamp() WHERE run_id = %(run_id)s

-- name: all_unread
INSERT INTO ledger.drift_unread (account, kind, record_id, transaction_id)
SELECT account, kind, record_id, transaction_id FROM ledger.links
WHERE account = %(account)s AND NOT removed AND xero_id <> ''
  AND kind IN ('contact', 'invoice', 'bill', 'credit_note', 'purchase_order', 'payment', 'refund')
ON CONFLICT DO NOTHING

-- name: read_now
DELETE FROM ledger.drift_unread u
USING unnest(%(kind)s::text[], %(record_id)s::text[], %(transaction_id)s::text[]) AS k (kind, record_id, transaction_id)
WHERE u.account = %(account)s AND u.kind = k.kind AND u.record_id = k.record_id AND u.transaction_id = k.transaction_id

-- name: read_later
-- What our own calls were changing. Once it was looked up at the end of a reading, it is left to the next one.
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

-- name: puts
-- What we put into Xero, by Xero's ids or by our records: link, bodies that Xero took, what has happened since.
SELECT l.kind, l.record_id, l.transaction_id, l.xero_id, l.xero_number, l.seq, l.removed, l.facts, sent.bodies,
       EXISTS (SELECT 1 FROM ledger.elements e JOIN ledger.intents i USING (intent_id)
               WHERE e.account = l.account AND e.record_id = l.record_id
                 AND (e.result IN ('open', 'unknown') OR i.answered_at >= %(asked_at)s)) AS busy,
       EXISTS (SELECT 1 FROM ledger.commands c
               WHERE c.account = l.account AND c.record_id = l.record_id
                 AND c.entity = CASE WHEN l.kind IN ('purchase_order', 'bill') THEN 'purchase_order' ELSE 'invoice' END
                 AND (c.outcome IN ('posted', 'already_there') OR c.reason_code = 'document_removed')
                 AND (c.action IN ('cancelled', 'deleted')
                      OR (c.action = 'reset' AND c.state = 'completed' AND c.seq > l.seq
                          AND l.kind IN ('payment', 'refund', 'credit_note')))) AS ended
FROM ledger.links l
LEFT JOIN LATERAL (
    SELECT jsonb_agg(e.body ORDER BY i.created_at, e.position) AS bodies
    FROM ledger.elements e JOIN ledger.intents i USING (intent_id)
    WHERE e.account = l.account AND e.record_id = l.record_id AND e.kind = l.kind
      AND e.transaction_id = l.transaction_id AND e.result IN ('ok', 'resolved') AND e.body IS NOT NULL
      AND l.kind <> 'contact') AS sent ON true
WHERE l.account = %(account)s AND l.xero_id <> ''
  AND (l.xero_id = ANY(%(xero_ids)s) OR (l.record_id = ANY(%(records)s) AND l.kind IN ('payment', 'refund')))

-- name: right_contacts
-- ContactIDs that a document of a record may bear: the contact of its customer or supplier as it is linked now.
SELECT d.record_id, c.xero_id
FROM ledger.links d
JOIN ledger.links c ON c.account = d.account AND c.kind = 'contact' AND c.record_id = d.facts ->> 'party'
WHERE d.account = %(account)s AND d.record_id = ANY(%(records)s) AND d.kind IN ('invoice', 'bill', 'purchase_order')

-- name: merged_contacts
SELECT xero_id, xeros FROM ledger.drift WHERE account = %(account)s AND kind = 'contact' AND field = 'merged'

-- name: forget
-- Of objects that were compared: the differences that are gone.
DELETE FROM ledger.drift d
USING jsonb_to_recordset(%(compared)s::jsonb) AS k (kind text, record_id text, transaction_id text, fields jsonb)
WHERE d.account = %(account)s AND d.kind = k.kind AND d.record_id = k.record_id
  AND d.transaction_id = k.transaction_id AND NOT k.fields ? d.field

-- name: keep
-- What was adopted stays adopted for as long as both sides are the same.
INSERT INTO ledger.drift AS d (account, kind, record_id, transaction_id, field, xero_id, xero_status, ours, xeros,
                               information, changed_at)
SELECT %(account)s, u.* FROM jsonb_to_recordset(%(differences)s::jsonb) AS u (
    kind text, record_id text, transaction_id text, field text, xero_id text, xero_status text, ours text, xeros text,
    information boolean, changed_at timestamptz)
ON CONFLICT (account, kind, record_id, transaction_id, field) DO UPDATE
SET xero_id = excluded.xero_id, xero_status = excluded.xero_status, ours = excluded.ours, xeros = excluded.xeros,
    information = excluded.information, changed_at = excluded.changed_at,
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

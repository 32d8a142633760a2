-- name: unended_money
SELECT record_id, action, seq, body FROM ledger.commands
WHERE account = %(account)s AND entity = 'invoice' AND record_id = ANY(%(records)s)
  AND action IN ('payment_applied', 'refund_applied')
  AND (state <> 'completed' OR outcome IN ('superseded', 'skipped_by_operator'))

-- name: money
SELECT record_id, seq, action, event_time, share,
       state = 'completed' AND outcome IN ('posted', 'already_there', 'not_needed') AS completed,
       CASE WHEN action <> 'reset' THEN body END AS body
FROM ledger.commands
WHERE account = %(account)s AND entity = 'invoice' AND record_id = ANY(%(records)s)
  AND action IN ('payment_applied', 'refund_applied', 'reset') AND reason_code IS DISTINCT FROM 'event_id_reused'
ORDER BY record_id, seq

-- name: fix_share
UPDATE ledger.commands SET share = %(share)s WHERE command_id = %(command_id)s

-- name: seen_gone
SELECT record_id, xero_id FROM ledger.drift
WHERE account = %(account)s AND record_id = ANY(%(records)s) AND kind IN ('payment', 'refund', 'credit_note')
  AND xero_status IN ('DELETED', 'VOIDED')

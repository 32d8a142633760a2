-- name: unended_money
SELECT record_id, action, seq, body FROM ledger.commands
WHERE account = %(account)s AND entity = 'invoice' AND record_id = ANY(%(records)s)
  AND action IN ('payment_applied', 'refund_applied')
  AND (state <> 'completed' OR outcome IN ('superseded', 'skipped_by_operator'))

-- name: unlinked_payments
SELECT record_id, seq, body FROM ledger.commands
WHERE account = %(account)s AND entity = 'invoice' AND record_id = ANY(%(records)s) AND action = 'payment_applied'
  AND (state <> 'completed' OR outcome IN ('superseded', 'skipped_by_operator'))

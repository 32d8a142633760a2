-- name: next_changed
-- An object with a difference for which Xero has not been asked yet who made it; real differences first.
SELECT d.kind, d.xero_id FROM ledger.drift d JOIN ledger.drift_runs r ON r.run_id = %(run_id)s
WHERE d.account = %(account)s AND d.adopted_at IS NULL AND d.changed_at IS NOT NULL
  AND d.history_of IS DISTINCT FROM d.changed_at AND r.histories < %(most)s
ORDER BY d.information, d.changed_at DESC, d.xero_id LIMIT 1

-- name: note
UPDATE ledger.drift SET changed_by = %(changed_by)s, changed_by_at = %(changed_by_at)s, history_of = changed_at
WHERE account = %(account)s AND xero_id = %(xero_id)s

-- name: count
UPDATE ledger.drift_runs SET calls = calls + 1, calls_expected = calls + 1, histories = histories + 1
WHERE run_id = %(run_id)s

-- name: marks
-- The open work in the ledger and its outbox now; later arrivals are not waited for.
SELECT coalesce((SELECT max(seq) FROM ledger.commands), 0) AS last_seq

-- name: open
SELECT account, count(*) AS commands, count(*) FILTER (WHERE next_attempt_at > clock_timestamp()) AS waiting
FROM ledger.commands WHERE state IN ('queued', 'running') AND seq <= %(last_seq)s
GROUP BY account ORDER BY account

-- name: last_outbox
SELECT coalesce(max(id), 0) AS last_id FROM ledger.outbox

-- name: outbox
SELECT count(*) AS results FROM ledger.outbox WHERE id <= %(last_id)s

-- name: open_of_replays
SELECT account, actor, count(*) AS waiting FROM ledger.commands
WHERE state IN ('queued', 'running') AND triggered_by = 'replay'
GROUP BY account, actor

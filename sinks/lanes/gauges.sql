-- name: accounts
WITH work AS (
-- include: ../ledger/work_by_account.sql
)
SELECT account, coalesce(w.queued, 0) AS queued, coalesce(w.running, 0) AS running, coalesce(w.failed, 0) AS failed,
       coalesce(w.oldest_waiting, 0) AS oldest_waiting,
       CASE WHEN (SELECT held_at IS NOT NULL FROM ledger.generation) THEN 'ledger_behind'
            WHEN c.status = 'lost' THEN 'connection_lost'
            WHEN c.paused_at IS NOT NULL THEN 'account_paused'
            -- Limits and troubles end at their time, even if no lane is left to say so.
            WHEN l.held_until > clock_timestamp() THEN l.held END AS held
FROM (SELECT account FROM connections.accounts UNION SELECT account FROM work) AS names
LEFT JOIN connections.accounts c USING (account)
LEFT JOIN work w USING (account)
LEFT JOIN ledger.accounts l USING (account)
ORDER BY account

-- name: outbox
SELECT count(*) AS results FROM ledger.outbox

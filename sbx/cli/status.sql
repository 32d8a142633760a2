-- name: accounts
WITH living AS MATERIALIZED (
-- include: ../../sinks/ledger/living.sql
), at_work AS (
    SELECT l.account, coalesce(w.name, l.holder::text) AS worker
    FROM ledger.leases l JOIN living USING (holder) LEFT JOIN ledger.workers w USING (holder)
    WHERE l.expires_at > clock_timestamp()
), work AS (
-- include: ../../sinks/ledger/work_by_account.sql
), unreadable AS (
    -- Neither dead letters nor what cannot be read in SalesBinder enter the ledger; the log shows them as failed.
    SELECT account, count(*) AS failed FROM integrations_log.entry
    WHERE state = 'failed' AND triggered_by IN ('dead_letter', 'source') AND account <> '' GROUP BY account
), drifted AS (
    SELECT account, count(*) FILTER (WHERE NOT information AND adopted_at IS NULL) AS differences
    FROM integrations_log.drift GROUP BY account
), readings AS (
    SELECT account, max(finished_at) AS read_at, bool_or(finished_at IS NULL) AS reading
    FROM integrations_log.drift_readings GROUP BY account
)
SELECT a.account AS name, c.account IS NOT NULL AND c.status = 'connected' AS connected, c.tenant_name, c.status_reason,
       c.paused_at IS NOT NULL AS paused, c.paused_reason,
       coalesce(w.queued, 0) AS queued, coalesce(w.running, 0) AS running,
       coalesce(w.failed, 0) + coalesce(u.failed, 0) AS failed, w.oldest_waiting AS oldest_age,
       CASE WHEN (b.budget ->> 'at')::timestamptz < clock_timestamp() - interval '61 seconds' THEN 60
            ELSE (b.budget ->> 'minute_left')::int END AS minute_left,
       (b.budget ->> 'day_left')::int AS day_left,
-- include: ../web/settings_missing.sql
       l.held, l.held_until, at_work.worker, d.differences, r.read_at, r.reading,
       coalesce(s.steps_left, 0) AS setup_steps_left
FROM (SELECT account FROM connections.accounts UNION SELECT account FROM work
      UNION SELECT account FROM source.accounts UNION SELECT account FROM unreadable UNION SELECT account FROM web.setups WHERE finished_at IS NULL) AS a
LEFT JOIN (SELECT account, steps_left FROM web.setups WHERE finished_at IS NULL) AS s USING (account)
LEFT JOIN connections.accounts c USING (account)
LEFT JOIN work w USING (account)
LEFT JOIN unreadable u USING (account)
LEFT JOIN ledger.accounts l USING (account)
LEFT JOIN at_work USING (account)
-- include: ../../sinks/ledger/limits_left.sql
LEFT JOIN drifted d USING (account)
LEFT JOIN readings r USING (account)
ORDER BY name

-- name: deliver_workers
WITH living AS MATERIALIZED (
-- include: ../../sinks/ledger/living.sql
)
SELECT w.name, w.started_at, extract(epoch FROM clock_timestamp() - w.seen_at)::float8 AS silent,
       count(l.account) AS accounts
FROM ledger.workers w JOIN living USING (holder)
LEFT JOIN ledger.leases l ON l.holder = w.holder AND l.expires_at > clock_timestamp()
GROUP BY w.holder ORDER BY w.name, w.started_at

-- name: dead_letters
SELECT count(*) FROM integrations_log.entry
WHERE state = 'failed' AND queued_at > now() - interval '1 day' AND triggered_by = 'dead_letter'

-- name: ledger
SELECT number, held_at, held_args ->> 'message' AS why FROM ledger.generation

-- name: archive
SELECT problem, problem_at, remedy FROM ledger.archive

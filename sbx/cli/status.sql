-- name: accounts
WITH work AS (
    SELECT account,
           count(*) FILTER (WHERE state = 'queued') AS queued,
           count(*) FILTER (WHERE state = 'running') AS running,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           extract(epoch FROM clock_timestamp() - min(queued_at) FILTER (WHERE state IN ('queued', 'running')))::float8
               AS oldest_age
    FROM ledger.commands WHERE state IN ('queued', 'running', 'failed') GROUP BY account
), unreadable AS (
    -- Dead letters never come into the ledger; the log shows them as failed.
    SELECT account, count(*) AS failed FROM integrations_log.entry
    WHERE state = 'failed' AND triggered_by = 'dead_letter' AND account <> '' GROUP BY account
), drifted AS (
    SELECT account, count(*) FILTER (WHERE NOT information AND adopted_at IS NULL) AS differences
    FROM integrations_log.drift GROUP BY account
), readings AS (
    SELECT account, max(finished_at) AS read_at, bool_or(finished_at IS NULL) AS reading
    FROM integrations_log.drift_readings GROUP BY account
)
SELECT name, c.account IS NOT NULL AND c.status = 'connected' AS connected, c.tenant_name, c.status_reason,
       c.paused_at IS NOT NULL AS paused, c.paused_reason,
       coalesce(w.queued, 0) AS queued, coalesce(w.running, 0) AS running,
       coalesce(w.failed, 0) + coalesce(u.failed, 0) AS failed, w.oldest_age,
       CASE WHEN (b.budget ->> 'at')::timestamptz < clock_timestamp() - interval '61 seconds' THEN 60
            ELSE (b.budget ->> 'minute_left')::int END AS minute_left,
       (b.budget ->> 'day_left')::int AS day_left,
       l.held, l.held_until, d.differences, r.read_at, r.reading
FROM (SELECT account AS name FROM connections.accounts UNION SELECT account FROM work
      UNION SELECT account FROM unreadable) AS names
LEFT JOIN connections.accounts c ON c.account = name
LEFT JOIN work w ON w.account = name
LEFT JOIN unreadable u ON u.account = name
LEFT JOIN ledger.accounts l ON l.account = name
LEFT JOIN LATERAL (
    -- the organisation's limits, as whichever account of it was told of them last
    SELECT x.budget FROM ledger.accounts x
    WHERE x.account = ANY(connections.of_one_organisation(name)) AND x.budget ? 'at'
    ORDER BY (x.budget ->> 'at')::timestamptz DESC LIMIT 1
) AS b ON true
LEFT JOIN drifted d ON d.account = name
LEFT JOIN readings r ON r.account = name
ORDER BY name

-- name: dead_letters
SELECT count(*) FROM integrations_log.entry
WHERE state = 'failed' AND queued_at > now() - interval '1 day' AND triggered_by = 'dead_letter'

-- name: ledger
SELECT number, held_at, held_args ->> 'message' AS why FROM ledger.generation

-- name: holders
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'sbx-deliver-holder' AND datname = current_database()

-- name: accounts
-- What is connected, and what Xero's limits leave. Named here: the log knows accounts that were never connected.
SELECT c.account, c.tenant_name, c.status, c.status_reason, c.connected_at, c.paused_at, c.paused_by, c.paused_reason,
       (b.budget ->> 'minute_left')::int AS minute_left, (b.budget ->> 'day_left')::int AS day_left,
       (b.budget ->> 'at')::timestamptz AS counted_at,
       (SELECT count(*) FROM integrations_log.drift AS d
        WHERE d.account = c.account AND d.adopted_at IS NULL AND NOT d.information) AS differences
FROM connections.accounts AS c
LEFT JOIN LATERAL (
    -- the organisation's limits, as whichever account of it was told of them last
    SELECT x.budget FROM ledger.accounts x
    WHERE x.account = ANY(connections.of_one_organisation(c.account)) AND x.budget ? 'at'
    ORDER BY (x.budget ->> 'at')::timestamptz DESC LIMIT 1
) AS b ON true
WHERE %(accounts)s::text[] IS NULL OR c.account = ANY(%(accounts)s)
ORDER BY c.account

-- name: workers
-- Each deliver process holds one session of this name for as long as it works.
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'sbx-deliver-holder' AND datname = current_database()

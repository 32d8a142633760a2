-- name: accounts
-- Connections, and the calls left within Xero's limits. Named here: the log knows accounts that were never connected.
WITH living AS MATERIALIZED (
-- include: ../../sinks/ledger/living.sql
)
SELECT a.account, a.tenant_name, a.status, a.status_reason, a.connected_at, a.paused_at, a.paused_by, a.paused_reason,
       (b.budget ->> 'minute_left')::int AS minute_left, (b.budget ->> 'day_left')::int AS day_left,
       (b.budget ->> 'at')::timestamptz AS counted_at,
-- include: settings_missing.sql
       (SELECT coalesce(w.name, l.holder::text)
        FROM ledger.leases l JOIN living USING (holder) LEFT JOIN ledger.workers w USING (holder)
        WHERE l.account = a.account AND l.expires_at > clock_timestamp()) AS worker,
       (SELECT count(*) FROM integrations_log.drift AS d
        WHERE d.account = a.account AND d.adopted_at IS NULL AND NOT d.information) AS differences
FROM connections.accounts AS a
-- include: ../../sinks/ledger/limits_left.sql
WHERE %(accounts)s::text[] IS NULL OR a.account = ANY(%(accounts)s)
ORDER BY a.account

-- name: accounts
SELECT a.account, c.account IS NOT NULL AND c.status = 'connected' AS connected,
       c.paused_at IS NOT NULL AS paused, c.tenant_id, (b.budget ->> 'day_left')::int AS day_left
FROM unnest(%s::text[]) AS a (account)
LEFT JOIN connections.accounts c ON c.account = a.account
-- include: limits_left.sql
ORDER BY a.account

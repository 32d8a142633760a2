-- name: accounts
SELECT names.name AS account, c.account IS NOT NULL AND c.status = 'connected' AS connected,
       c.paused_at IS NOT NULL AS paused, (l.budget ->> 'day_left')::int AS day_left
FROM unnest(%s::text[]) AS names (name)
LEFT JOIN connections.accounts c ON c.account = names.name
LEFT JOIN ledger.accounts l ON l.account = names.name
ORDER BY names.name

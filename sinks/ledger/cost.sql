-- name: accounts
SELECT names.name AS account, c.account IS NOT NULL AND c.status = 'connected' AS connected,
       c.paused_at IS NOT NULL AS paused, c.tenant_id, (b.budget ->> 'day_left')::int AS day_left
FROM unnest(%s::text[]) AS names (name)
LEFT JOIN connections.accounts c ON c.account = names.name
LEFT JOIN LATERAL (
    -- the organisation's limits, as whichever account of it was told of them last
    SELECT x.budget FROM ledger.accounts x
    WHERE x.account = ANY(connections.of_one_organisation(names.name)) AND x.budget ? 'at'
    ORDER BY (x.budget ->> 'at')::timestamptz DESC LIMIT 1
) AS b ON true
ORDER BY names.name

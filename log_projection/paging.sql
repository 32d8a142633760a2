-- name: plain
SELECT {columns}
FROM integrations_log.shown_entry
WHERE {conditions}
ORDER BY queued_at {direction}, entry_id {direction}
LIMIT %(limit)s

-- name: scan
-- Entries in order, for as long as the planner's index has that order.
SELECT {columns}
FROM integrations_log.entry AS e
WHERE {conditions}
ORDER BY queued_at {direction}, entry_id {direction}
LIMIT {limit}

-- name: scan_accounts
-- The same for a list of accounts: each in order by its own index, then merged. "account = ANY" has no order, and a
-- scan by time would go through everything to find the last entries of an account that was closed.
SELECT {columns}
FROM unnest(%(accounts)s::text[]) AS mine (account)
CROSS JOIN LATERAL (
    SELECT {columns}
    FROM integrations_log.entry AS e
    WHERE e.account = mine.account AND {conditions}
    ORDER BY queued_at {direction}, entry_id {direction}
    LIMIT {limit}
) AS e
ORDER BY queued_at {direction}, entry_id {direction}
LIMIT {limit}

-- name: newest
-- A frequent text is found among the next entries; only if these do not fill the page is everything searched.
WITH near AS MATERIALIZED (
    SELECT queued_at, entry_id FROM ({scan}) AS e
    WHERE {text}
    ORDER BY queued_at {direction}, entry_id {direction}
    LIMIT %(limit)s
)
SELECT queued_at, entry_id FROM near
UNION
{arms}

-- name: arm
-- One column's prefix by that column's index (OFFSET 0 keeps the planner from walking through time instead).
(SELECT queued_at, entry_id FROM (
    SELECT queued_at, entry_id
    FROM integrations_log.entry AS e
    WHERE {text} AND {conditions} AND (SELECT count(*) FROM near) < %(limit)s
    OFFSET 0
) AS e
ORDER BY queued_at {direction}, entry_id {direction}
LIMIT %(limit)s)

-- name: page
SELECT {columns}
FROM integrations_log.shown_entry
WHERE entry_id IN (
    SELECT entry_id FROM ({found}) AS found ORDER BY queued_at {direction}, entry_id {direction} LIMIT %(limit)s
)
ORDER BY queued_at {direction}, entry_id {direction}

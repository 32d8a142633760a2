-- name: plain
SELECT {columns}
FROM integrations_log.shown_entry
WHERE {conditions}
ORDER BY {order}
LIMIT %(limit)s

-- name: scan
-- Entries in order, for as long as the planner's index has that order.
SELECT {columns}
FROM integrations_log.entry AS e
WHERE {conditions}
ORDER BY {order}
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
    ORDER BY {order}
    LIMIT {limit}
) AS e
ORDER BY {order}
LIMIT {limit}

-- name: newest
-- A frequent text is found among the next entries; only if these do not fill the page is everything searched.
WITH near AS MATERIALIZED (
    SELECT queued_at, entry_id FROM ({scan}) AS e
    WHERE {text}
    ORDER BY {order}
    LIMIT %(limit)s
)
SELECT queued_at, entry_id FROM near
UNION
{arms}

-- name: arm
-- One way to find the text, by its own index (OFFSET 0 keeps the planner from walking through time instead).
(SELECT queued_at, entry_id FROM (
    SELECT queued_at, entry_id
    FROM integrations_log.entry AS e
    WHERE {way} AND {conditions} AND (SELECT count(*) FROM near) < %(limit)s
    OFFSET 0
) AS e
ORDER BY {order}
LIMIT %(limit)s)

-- name: by_key
-- By an amount or a number: what is frequent is found among the next ones; only if these do not fill the page is
-- everything that matches put in order. Those that have no amount, or no number, come last, in the order of time.
WITH near AS MATERIALIZED (
    SELECT {key} AS key, queued_at, entry_id
    FROM (
        SELECT e.* FROM integrations_log.entry AS e
        WHERE {key} IS NOT NULL AND {place}
        ORDER BY {walk}
        LIMIT {near}
    ) AS e
    WHERE {conditions}
    ORDER BY {order}
    LIMIT %(limit)s
),
keyed AS MATERIALIZED (
    SELECT key, queued_at, entry_id FROM near
    UNION
    {arms}
)
SELECT key, queued_at, entry_id FROM keyed
UNION ALL
SELECT NULL, queued_at, entry_id FROM ({rest}) AS rest

-- name: key_arm
(SELECT key, queued_at, entry_id FROM (
    SELECT {key} AS key, queued_at, entry_id
    FROM integrations_log.entry AS e
    WHERE {conditions} AND (SELECT count(*) FROM near) < %(limit)s
    OFFSET 0
) AS e
WHERE key IS NOT NULL AND {place}
ORDER BY {order}
LIMIT %(limit)s)

-- name: few
-- Entries of one number are few: all of them are looked up.
SELECT queued_at, entry_id FROM (
    SELECT queued_at, entry_id FROM integrations_log.entry AS e WHERE {conditions} OFFSET 0
) AS e
ORDER BY {order}
LIMIT %(limit)s

-- name: page
SELECT {columns}
FROM integrations_log.shown_entry
WHERE entry_id IN (SELECT entry_id FROM ({found}) AS found ORDER BY {inner} LIMIT %(limit)s)
ORDER BY {outer}

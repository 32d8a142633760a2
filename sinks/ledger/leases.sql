-- name: beat
INSERT INTO ledger.workers (holder, name) VALUES (%(holder)s, %(name)s)
ON CONFLICT (holder) DO UPDATE SET seen_at = clock_timestamp()
RETURNING xmax = 0 AS new

-- name: forget_the_dead
WITH living AS MATERIALIZED (
-- include: living.sql
)
DELETE FROM ledger.workers w WHERE NOT EXISTS (SELECT FROM living WHERE living.holder = w.holder)

-- name: leave
DELETE FROM ledger.workers WHERE holder = %s

-- name: call_to_look
SELECT pg_notify(%s, '')

-- name: holdings
-- Every account that has work or a worker. Of the open commands only one of each account is read: there may be many.
WITH RECURSIVE living AS MATERIALIZED (
-- include: living.sql
), open AS (
    (SELECT account FROM ledger.commands WHERE state IN ('queued', 'running') ORDER BY account LIMIT 1)
    UNION ALL
    SELECT (SELECT c.account FROM ledger.commands c
            WHERE c.state IN ('queued', 'running') AND c.account > open.account ORDER BY c.account LIMIT 1)
    FROM open WHERE open.account IS NOT NULL
), work AS (
    SELECT account FROM open WHERE account IS NOT NULL
    UNION SELECT account FROM ledger.intents WHERE answered_at IS NULL
    UNION SELECT account FROM ledger.requests WHERE answered_at IS NULL
    UNION SELECT account FROM ledger.clearings
    -- The log says of these that they are held: somebody must say when they are not, though nothing else is to be done.
    UNION SELECT account FROM ledger.accounts WHERE held IS NOT NULL
), leased AS (
    SELECT l.account, l.holder FROM ledger.leases l JOIN living USING (holder) WHERE l.expires_at > clock_timestamp()
)
SELECT account, coalesce('organisation ' || c.tenant_id, 'account ' || account) AS organisation, leased.holder,
       work.account IS NOT NULL AS has_work,
       CASE WHEN c.paused_at IS NULL AND coalesce(c.status, '') <> 'lost'
             AND (a.held_until IS NULL OR a.held_until <= soon.at) THEN due.age END AS age,
       ARRAY(SELECT w.holder FROM ledger.workers w JOIN living USING (holder)
             WHERE w.seen_at > clock_timestamp() - make_interval(secs => %(silence)s) ORDER BY 1) AS workers
FROM work FULL JOIN leased USING (account)
-- What waits for Xero's minute, or for a short trouble of it, is as good as at work.
CROSS JOIN (SELECT clock_timestamp() + interval '5 minutes' AS at) AS soon
LEFT JOIN connections.accounts c USING (account)
LEFT JOIN ledger.accounts a USING (account)
LEFT JOIN LATERAL (
    -- The first of each turn: live work is young however old a replay beside it is. Only the index of open commands has
    -- the order that is asked for; by seq alone the planner may step through everything that is done.
    SELECT extract(epoch FROM clock_timestamp() - min(first.queued_at))::float8 AS age
    FROM unnest('{0, 1, 2, 3}'::smallint[]) AS turns (turn)
    CROSS JOIN LATERAL (SELECT o.queued_at FROM ledger.commands o
                        WHERE o.account = work.account AND o.state IN ('queued', 'running')
                          AND (o.next_attempt_at IS NULL OR o.next_attempt_at <= soon.at)
                          AND o.turn >= turns.turn AND o.turn <= turns.turn
                        ORDER BY o.turn, o.seq LIMIT 1) AS first
) AS due ON true
ORDER BY account

-- name: backlogs
SELECT account, (SELECT count(*) FROM (SELECT FROM ledger.commands o
                                       WHERE o.account = names.account AND o.state IN ('queued', 'running')
                                       LIMIT %(most)s) AS counted) AS commands
FROM unnest(%(accounts)s::text[]) AS names (account)

-- name: lock_organisations
-- For accounts that share their organisation with others: whether it is this worker's turn to take leases of it.
SELECT a.account, pg_try_advisory_xact_lock(hashtextextended('organisation ' || a.tenant_id, 0)) AS locked
FROM connections.accounts a
WHERE a.account = ANY(%s) AND EXISTS (SELECT 1 FROM connections.accounts o
                                      WHERE o.tenant_id = a.tenant_id AND o.account <> a.account)

-- name: take_lease
-- A row that a transaction of its holder locks is not waited for: other accounts must not wait with it.
-- The accounts of one organisation belong to one worker, where they share its limits.
WITH present AS (SELECT 1 FROM ledger.leases WHERE account = %(account)s),
     free AS (SELECT 1 FROM ledger.leases WHERE account = %(account)s FOR UPDATE SKIP LOCKED)
INSERT INTO ledger.leases AS l (account, holder, fence, expires_at)
SELECT %(account)s, %(holder)s, 1, clock_timestamp() + make_interval(secs => %(ttl)s)
WHERE (NOT EXISTS (SELECT FROM present) OR EXISTS (SELECT FROM free))
  AND NOT EXISTS (SELECT 1 FROM ledger.leases o
                  WHERE o.account = ANY(connections.of_one_organisation(%(account)s)) AND o.account <> %(account)s
                    AND o.holder <> %(holder)s AND o.expires_at > clock_timestamp()
                    AND EXISTS (SELECT 1 FROM pg_locks
                                WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database
                                                                            WHERE datname = current_database())
                                  AND (classid::bigint << 32) + objid::bigint = o.holder AND objsubid = 1 AND granted))
ON CONFLICT (account) DO UPDATE SET holder = excluded.holder, fence = l.fence + 1, expires_at = excluded.expires_at
WHERE l.expires_at < clock_timestamp()
   OR l.holder = excluded.holder -- its lane has ended without giving the account back: it broke, or was overtaken
   OR NOT EXISTS (SELECT 1 FROM pg_locks
                  WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND (classid::bigint << 32) + objid::bigint = l.holder AND objsubid = 1 AND granted)
RETURNING fence, mark

-- name: renew_lease
UPDATE ledger.leases SET expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)
WHERE account = %(account)s AND holder = %(holder)s AND fence = %(fence)s

-- name: release_lease
UPDATE ledger.leases SET expires_at = '-infinity' WHERE account = %(account)s AND holder = %(holder)s AND fence = %(fence)s

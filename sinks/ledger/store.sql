-- name: insert_commands
INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, event_time, body, place,
                             perhaps_sent, triggered_by, actor)
SELECT u.*, %(triggered_by)s, %(actor)s
FROM unnest(%(command_id)s::uuid[], %(account)s::text[], %(entity)s::text[], %(record_id)s::text[],
            %(action)s::text[], %(content_hash)s::text[], %(event_time)s::timestamptz[], %(body)s::bytea[],
            %(place)s::text[], %(perhaps_sent)s::boolean[]) AS u
ON CONFLICT (command_id) DO NOTHING
RETURNING command_id, seq

-- name: wake_lanes
SELECT pg_notify(%s, account) FROM unnest(%s::text[]) AS account

-- name: content_hashes
SELECT command_id, content_hash FROM ledger.commands WHERE command_id = ANY(%s::uuid[])

-- name: upsert_snapshots
INSERT INTO ledger.snapshots AS s (account, entity, record_id, modified, event_time, body)
SELECT * FROM unnest(%(account)s::text[], %(entity)s::text[], %(record_id)s::text[],
                     %(modified)s::timestamptz[], %(event_time)s::timestamptz[], %(body)s::bytea[])
ON CONFLICT (account, entity, record_id) DO UPDATE
SET modified = excluded.modified, event_time = excluded.event_time, body = excluded.body
-- Stamps as in contracts.newness: of two equal ones, the later one is the newer, and it comes later.
WHERE (least(excluded.modified, excluded.event_time), excluded.event_time)
      >= (least(s.modified, s.event_time), s.event_time)

-- name: insert_snapshots
INSERT INTO ledger.snapshots (account, entity, record_id, modified, event_time, body)
SELECT * FROM unnest(%(account)s::text[], %(entity)s::text[], %(record_id)s::text[],
                     %(modified)s::timestamptz[], %(event_time)s::timestamptz[], %(body)s::bytea[])
ON CONFLICT (account, entity, record_id) DO NOTHING
RETURNING account, entity, record_id

-- name: lock_snapshots
SELECT account, entity, record_id, body FROM ledger.snapshots
WHERE (account, entity, record_id) IN (SELECT * FROM unnest(%(account)s::text[], %(entity)s::text[],
                                                            %(record_id)s::text[]))
ORDER BY account, entity, record_id
FOR UPDATE

-- name: replace_snapshots
UPDATE ledger.snapshots s SET modified = u.modified, event_time = u.event_time, body = u.body
FROM unnest(%(account)s::text[], %(entity)s::text[], %(record_id)s::text[], %(modified)s::timestamptz[],
            %(event_time)s::timestamptz[], %(body)s::bytea[])
     AS u (account, entity, record_id, modified, event_time, body)
WHERE s.account = u.account AND s.entity = u.entity AND s.record_id = u.record_id

-- name: insert_reused
INSERT INTO ledger.commands AS c (command_id, account, entity, record_id, action, content_hash, event_time, body,
                             state, reason_code, reason_args, version, finished_at, triggered_by, actor)
VALUES (%(command_id)s, %(account)s, %(entity)s, %(record_id)s, %(action)s, %(content_hash)s, %(event_time)s,
        %(body)s, 'failed', 'event_id_reused', %(reason_args)s, 1, clock_timestamp(), %(triggered_by)s, %(actor)s)
ON CONFLICT (command_id) DO NOTHING
RETURNING
-- include: entry_columns.sql

-- name: ready
-- Live work goes before retries and replays; within a record, the order of its positions holds.
-- OFFSET 0: each record is looked up by itself. The planner, which does not know of a backlog that has just come, may
-- else compare each command with all others that are open.
SELECT
-- include: entry_columns.sql
FROM ledger.commands c
WHERE account = %(account)s AND state IN ('queued', 'running')
  AND turn <= %(last_turn)s
  AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp())
  AND NOT command_id = ANY(%(held)s::uuid[])
  AND NOT EXISTS (SELECT 1 FROM ledger.commands e
                  WHERE e.account = c.account AND e.entity = c.entity AND e.record_id = c.record_id
                    AND e.seq < c.seq AND e.holds OFFSET 0)
  -- Nothing of a record is planned while anything of it was perhaps sent and is not cleared up.
  AND (%(flagged_too)s OR NOT EXISTS (SELECT 1 FROM ledger.commands p
                  WHERE p.account = c.account AND p.entity = c.entity AND p.record_id = c.record_id
                    AND p.perhaps_sent OFFSET 0))
ORDER BY turn, seq
LIMIT %(limit)s

-- name: anything_due
-- Commands that others hold back count, too: this only says that there may be something to take up.
-- Asked in the order that the index of open commands alone has: the planner, which remembers a backlog for some time,
-- may else look for one in everything that is done.
SELECT count(*) > 0 AS due
FROM (SELECT FROM ledger.commands
      WHERE account = %(account)s AND state IN ('queued', 'running')
        AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp())
      ORDER BY turn, seq LIMIT 1) AS first

-- name: followers
-- Each record by itself, as in "ready".
SELECT c.*
FROM unnest(%(entity)s::text[], %(record_id)s::text[], %(seq)s::bigint[]) AS head (entity, record_id, seq)
CROSS JOIN LATERAL (
    SELECT
-- include: entry_columns.sql
    FROM ledger.commands c
    WHERE c.account = %(account)s AND c.entity = head.entity AND c.record_id = head.record_id
      AND c.holds AND c.seq > head.seq AND c.state = 'queued' AND c.action IN ('created', 'edited')
      -- A payment behind an invoice is not read to be left where it is, however many there are.
      AND NOT EXISTS (SELECT FROM ledger.commands b
                      WHERE b.account = c.account AND b.entity = c.entity AND b.record_id = c.record_id
                        AND b.holds AND b.seq > head.seq AND b.seq < c.seq
                        AND (b.state <> 'queued' OR b.action NOT IN ('created', 'edited')) OFFSET 0)
    OFFSET 0
) AS c
ORDER BY c.seq
LIMIT 2000

-- name: next_due
-- What has come due since the lane looked counts, too, or it would rest over it.
SELECT extract(epoch FROM min(next_attempt_at) - clock_timestamp())::float8 AS due_in FROM ledger.commands
WHERE account = %s AND state IN ('queued', 'running') AND next_attempt_at > clock_timestamp() - interval '1 second'

-- name: links
SELECT kind, record_id, transaction_id, xero_id, xero_number, seq, removed, facts
FROM ledger.links
WHERE account = %(account)s
  AND ((kind IN ('invoice', 'payment', 'credit_note', 'refund', 'purchase_order', 'bill')
        AND record_id = ANY(%(records)s))
       OR (kind = 'contact' AND record_id = ANY(%(contacts)s)))

-- name: shared
SELECT xero_id FROM ledger.links
WHERE account = ANY(connections.of_one_organisation(%(account)s)) AND kind = 'contact' AND xero_id = ANY(%(xero_ids)s)
GROUP BY xero_id HAVING count(*) > 1

-- name: linked
SELECT account, kind, record_id, transaction_id, xero_id FROM ledger.links
WHERE account = ANY(connections.of_one_organisation(%(account)s)) AND xero_id = ANY(%(xero_ids)s)

-- name: snapshots
SELECT entity, record_id, body FROM ledger.snapshots
WHERE account = %(account)s AND (entity, record_id) IN (SELECT * FROM unnest(%(entities)s::text[], %(records)s::text[]))

-- name: unknown
SELECT DISTINCT ON (kind, record_id, transaction_id) kind, record_id, transaction_id, look_up_after, body, packed, memory
FROM ledger.elements
WHERE account = %(account)s AND result = 'unknown' AND record_id = ANY(%(records)s)
ORDER BY kind, record_id, transaction_id, look_up_after DESC

-- name: database_time
SELECT clock_timestamp() AS now

-- name: overtaken
SELECT DISTINCT c.command_id FROM ledger.commands c
JOIN ledger.commands later ON later.account = c.account AND later.entity = c.entity
 AND later.record_id = c.record_id AND later.seq > c.seq AND later.state = 'completed'
 AND later.outcome IN ('posted', 'already_there')
WHERE c.command_id = ANY(%s::uuid[])

-- name: check_fence
-- A worker that hangs in a transaction (its machine sleeps) must not hold the lease's row for ever.
-- What is sent is packed a day later than commands: a worker of an earlier version that is still there fails at these. Of
-- a payment that was sent packed, and whose response was lost, it would look for none, and send it once more.
SELECT set_config('idle_in_transaction_session_timeout', '60s', true), l.mark, g.held_at IS NOT NULL,
       g.packs_from + interval '1 day' <= clock_timestamp()
FROM ledger.leases l, ledger.generation g
WHERE l.account = %(account)s AND l.holder = %(holder)s AND l.fence = %(fence)s FOR UPDATE OF l

-- name: raise_mark
UPDATE ledger.leases SET mark = mark + 1, marked_at = clock_timestamp()
WHERE account = %(account)s AND holder = %(holder)s AND fence = %(fence)s RETURNING mark

-- name: raise_intake
-- The row is locked last and briefly: a recovery waits for writers that were not held.
UPDATE ledger.generation SET intake = intake + 1, intake_at = clock_timestamp() WHERE held_at IS NULL
RETURNING intake, number, id::text AS id

-- name: packs
SELECT packs_from <= clock_timestamp() AS packs FROM ledger.generation

-- name: is_held
SELECT held_at IS NOT NULL AS held, number, id::text AS id FROM ledger.generation

-- name: update_commands
UPDATE ledger.commands c SET
    state = u.state, outcome = u.outcome, reason_code = u.reason_code, reason_args = u.reason_args,
    warnings = u.warnings, acted = u.acted, perhaps_acted = u.perhaps_acted, attempts = u.attempts, version = u.version,
    next_attempt_at = u.next_attempt_at, started_at = u.started_at, finished_at = u.finished_at,
    xero_type = u.xero_type, xero_id = u.xero_id, xero_number = u.xero_number
FROM jsonb_to_recordset(%s::jsonb) AS u (
    command_id uuid, state text, outcome text, reason_code text, reason_args jsonb, warnings jsonb, acted boolean,
    perhaps_acted boolean,
    attempts integer, version integer, next_attempt_at timestamptz, started_at timestamptz, finished_at timestamptz,
    xero_type text, xero_id text, xero_number text)
WHERE c.command_id = u.command_id AND c.version = u.version - 1

-- name: earlier_failed
-- Each record by itself, as in "ready".
SELECT
-- include: entry_columns.sql
FROM unnest(%(entity)s::text[], %(record_id)s::text[], %(seq)s::bigint[], %(actions)s::text[])
     AS done (entity, record_id, seq, actions)
CROSS JOIN LATERAL (
    SELECT f.* FROM ledger.commands f
    WHERE f.account = %(account)s AND f.entity = done.entity AND f.record_id = done.record_id AND f.state = 'failed'
      AND f.seq < done.seq AND f.action = ANY(string_to_array(done.actions, ','))
      AND f.reason_code IS DISTINCT FROM 'event_id_reused'
    OFFSET 0
) AS c

-- name: upsert_links
INSERT INTO ledger.links AS l
    (account, kind, record_id, transaction_id, xero_id, xero_number, seq, removed, facts)
SELECT %(account)s, u.kind, u.record_id, u.transaction_id, u.xero_id, u.xero_number, u.seq, u.removed, u.facts
FROM jsonb_to_recordset(%(links)s::jsonb) AS u (
    kind text, record_id text, transaction_id text, xero_id text, xero_number text, seq bigint, removed boolean,
    facts jsonb)
ON CONFLICT (account, kind, record_id, transaction_id) DO UPDATE
SET xero_id = excluded.xero_id, xero_number = excluded.xero_number, seq = excluded.seq, removed = excluded.removed,
    facts = excluded.facts, updated_at = clock_timestamp()

-- name: insert_intent
INSERT INTO ledger.intents (intent_id, account, fence, route, method, path, query, target, headers, body, idempotency_key,
                            send_by)
VALUES (%(intent_id)s, %(account)s, %(fence)s, %(route)s, %(method)s, %(path)s, %(query)s, %(target)s, %(headers)s,
        %(body)s, %(idempotency_key)s, clock_timestamp() + make_interval(secs => %(send_within)s))

-- name: insert_elements
INSERT INTO ledger.elements
    (intent_id, position, account, step, kind, record_id, transaction_id, members, body, packed, match, memory)
SELECT u.intent_id, u.position, %(account)s, u.step, u.kind, u.record_id, u.transaction_id, u.members, u.body,
       decode(u.packed, 'base64'), u.match, u.memory
FROM jsonb_to_recordset(%(elements)s::jsonb) AS u (
    intent_id uuid, position integer, step text, kind text, record_id text, transaction_id text, members uuid[],
    body jsonb, packed text, match text, memory jsonb)

-- name: resolve_unknown
UPDATE ledger.elements e SET result = 'resolved', memory = '{}'
FROM unnest(%(kind)s::text[], %(record_id)s::text[], %(transaction_id)s::text[]) AS t (kind, record_id, transaction_id)
WHERE e.account = %(account)s AND e.result = 'unknown' AND e.kind = t.kind AND e.record_id = t.record_id
  AND e.transaction_id = t.transaction_id

-- name: settle_elements
-- What was sent is compared with Xero later, and looked up while its result is unknown; nothing else is needed again.
UPDATE ledger.elements e SET result = u.result,
    body = CASE WHEN u.result IN ('ok', 'unknown') THEN e.body END,
    packed = CASE WHEN u.result IN ('ok', 'unknown') THEN e.packed END,
    memory = CASE u.result WHEN 'unknown' THEN e.memory ELSE '{}' END,
    look_up_after = CASE u.result WHEN 'unknown' THEN clock_timestamp() + make_interval(secs => %(look_up_in)s) END
FROM unnest(%(position)s::integer[], %(result)s::text[]) AS u (position, result)
WHERE e.intent_id = %(intent_id)s AND e.position = u.position AND e.result = 'open'

-- name: conclude_intent
UPDATE ledger.intents SET answered_at = clock_timestamp(), conclusion = %(conclusion)s, status = %(status)s,
                          answer = %(answer)s
WHERE intent_id = %(intent_id)s AND answered_at IS NULL

-- name: send_again
UPDATE ledger.intents SET fence = %(fence)s, sends = sends + 1,
    send_by = least(clock_timestamp() + make_interval(secs => %(send_within)s),
                    created_at + make_interval(secs => %(key_life)s))
WHERE intent_id = %(intent_id)s AND answered_at IS NULL
RETURNING extract(epoch FROM send_by - clock_timestamp())::float8 AS send_within

-- name: unanswered
SELECT intent_id, route, method, path, query, target, headers, body, idempotency_key, sends,
       extract(epoch FROM clock_timestamp() - created_at)::float8 AS age,
       extract(epoch FROM clock_timestamp() - send_by)::float8 AS since_send_by
FROM ledger.intents WHERE account = %s AND answered_at IS NULL ORDER BY created_at

-- name: elements_of
SELECT intent_id, position, step, kind, record_id, transaction_id, members, match, memory, result
FROM ledger.elements WHERE intent_id = ANY(%s::uuid[]) ORDER BY intent_id, position

-- name: commands_by_id
SELECT
-- include: entry_columns.sql
FROM ledger.commands c WHERE command_id = ANY(%s::uuid[]) AND archived_at IS NULL ORDER BY seq

-- name: running
SELECT
-- include: entry_columns.sql
FROM ledger.commands c WHERE account = %(account)s AND state = 'running' AND NOT command_id = ANY(%(held)s::uuid[])

-- name: recent_calls
SELECT count(*) AS calls FROM ledger.intents
WHERE account = ANY(connections.of_one_organisation(%(account)s))
  -- As a subquery, the time is a value to begin at, and not a condition on each call that ever was.
  AND created_at > (SELECT clock_timestamp() - make_interval(secs => %(seconds)s))

-- name: limits_reached
SELECT held, held_until FROM ledger.accounts
WHERE account = ANY(connections.of_one_organisation(%(account)s))
  AND held IN ('xero_day_limit', 'xero_minute_limit') AND held_until > clock_timestamp()

-- name: outbox_insert
-- The outbox is woken in the same round trip, once for all of them.
WITH added AS (
    INSERT INTO ledger.outbox (key, value) SELECT * FROM unnest(%(key)s::text[], %(value)s::bytea[]) RETURNING id
)
SELECT pg_notify('sbx_outbox', '') FROM (SELECT id FROM added LIMIT 1) AS once

-- name: load_account
SELECT budget, held, held_args, held_until, version FROM ledger.accounts WHERE account = %s

-- name: save_account
INSERT INTO ledger.accounts (account, budget, held, held_args, held_until, version)
VALUES (%(account)s, %(budget)s, %(held)s, %(held_args)s, %(held_until)s, %(version)s)
ON CONFLICT (account) DO UPDATE SET budget = excluded.budget, held = excluded.held, held_args = excluded.held_args,
    held_until = excluded.held_until, version = excluded.version

-- name: open_requests
SELECT request_id::text, kind, asked_at FROM ledger.requests WHERE account = %(account)s AND answered_at IS NULL
UNION ALL SELECT account, 'clearing', asked_at FROM ledger.clearings WHERE account = %(account)s
ORDER BY asked_at

-- name: answer_requests
UPDATE ledger.requests SET answered_at = clock_timestamp(), error = %(error)s
WHERE request_id = ANY(%(request_ids)s::uuid[])

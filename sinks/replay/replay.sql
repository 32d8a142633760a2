-- name: not_done
-- Numbers, from 1, of those that are not known to be done. Most are, so little comes back.
SELECT u.number FROM unnest(%(command_ids)s::uuid[], %(places)s::text[]) WITH ORDINALITY AS u (command_id, place, number)
LEFT JOIN ledger.commands c ON c.command_id = u.command_id AND c.place = u.place AND c.state = 'completed'
WHERE c.command_id IS NULL

-- name: known
SELECT command_id, state, content_hash, reason_code FROM ledger.commands WHERE command_id = ANY(%s::uuid[])

-- name: done_since
-- The offset of the last event of each record that had an effect in Xero. Those taken in by an early version have
-- no place; their bodies, which are not packed, have, unless they are in the archive, which has put it here.
SELECT account, entity, record_id, max(CASE WHEN place IS NOT NULL THEN split_part(place, '/', 3)::bigint
    WHEN get_byte(body, 0) >= 9 THEN (convert_from(body, 'UTF8')::json -> 'event' ->> 'offset')::bigint END) AS "offset"
FROM ledger.commands
WHERE (account, entity, record_id) IN (SELECT * FROM unnest(%(account)s::text[], %(entity)s::text[], %(record_id)s::text[]))
  AND state = 'completed' AND outcome IN ('posted', 'already_there')
GROUP BY account, entity, record_id

-- name: logged
SELECT entry_id, version FROM integrations_log.entry WHERE entry_id = ANY(%s)

-- name: fail_overtaken
UPDATE ledger.commands c SET
    state = 'failed', reason_code = 'overtaken', reason_args = '{"later": "a later action"}', version = version + 1,
    started_at = clock_timestamp(), finished_at = clock_timestamp()
WHERE command_id = ANY(%(command_ids)s::uuid[])
RETURNING
-- include: ../ledger/entry_columns.sql

-- name: raise_versions
UPDATE ledger.commands c SET version = u.version
FROM unnest(%(entry_id)s::uuid[], %(version)s::integer[]) AS u (entry_id, version)
WHERE c.command_id = u.entry_id

-- name: to_dead_letters
-- Failed entries of dead letters by their ids. An id that was made of the place alone may belong to another
-- broker's message: the entry's data about its event must match.
SELECT e.entry_id, e.version + 1 AS version, e.account, e.entity, e.record_id, e.record_number, e.action, e.queued_at,
       e.event_id, e.event_type, e.event_time, e.topic, e.partition, e."offset", e.triggered_by
FROM integrations_log.entry e
JOIN unnest(%(entry_id)s::text[], %(event_id)s::text[], %(record_id)s::text[]) AS p (entry_id, event_id, record_id)
  ON e.entry_id = p.entry_id
WHERE e.triggered_by = 'dead_letter' AND e.state = 'failed'
  AND e.event_id IN ('', p.event_id) AND e.record_id IN ('', p.record_id)

-- name: lock
-- Held by the session that replays: one at a time.
SELECT pg_try_advisory_lock(%s) AS locked

-- name: locked
SELECT EXISTS (SELECT 1 FROM pg_locks
               WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND (classid::bigint << 32) + objid::bigint = %s AND objsubid = 1 AND granted) AS locked

-- name: mark_interrupted
-- Only the holder of the lock runs this: any other replay that is marked as running has died.
UPDATE ledger.replays SET state = 'interrupted' WHERE state = 'running'

-- name: start
INSERT INTO ledger.replays (actor, selection, ranges, totals)
VALUES (%(actor)s, %(selection)s, %(ranges)s, %(totals)s)
RETURNING replay_id

-- name: resume
UPDATE ledger.replays SET state = 'running', cancelling = false, finished_at = NULL, updated_at = clock_timestamp()
WHERE replay_id = %s AND state IN ('cancelled', 'interrupted')
RETURNING selection, ranges, totals

-- name: advance
UPDATE ledger.replays SET ranges = %(ranges)s, totals = %(totals)s, updated_at = clock_timestamp()
WHERE replay_id = %(replay_id)s
RETURNING cancelling

-- name: cancelling
SELECT cancelling FROM ledger.replays WHERE replay_id = %s

-- name: finish
UPDATE ledger.replays SET state = %(state)s, totals = %(totals)s, finished_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE replay_id = %(replay_id)s

-- name: cancel
UPDATE ledger.replays SET cancelling = true,
    state = CASE WHEN %(locked)s THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN %(locked)s THEN NULL ELSE clock_timestamp() END
WHERE replay_id = %(replay_id)s AND state IN ('running', 'interrupted')
RETURNING state

-- name: still_open
-- Few rows: who replays, for which account.
SELECT account, actor, count(*) AS waiting FROM ledger.commands
WHERE state IN ('queued', 'running') AND triggered_by = 'replay'
GROUP BY account, actor

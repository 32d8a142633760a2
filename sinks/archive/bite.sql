-- name: short
-- Nobody waits long for a bite, not even if the disk does not answer, and a bite waits for nobody: it gives way before a
-- deadlock is looked for (after a second), which could end the other.
SELECT set_config('statement_timeout', '10s', true), set_config('lock_timeout', '500ms', true),
       set_config('idle_in_transaction_session_timeout', '30s', true)

-- name: begin
-- One worker at a time goes round; another one goes on when it has not bitten for ten minutes. The row stays locked for
-- the bite.
WITH free AS MATERIALIZED (
    SELECT single FROM ledger.archive
    WHERE (worker = %(worker)s OR until < clock_timestamp()) AND begins_at < clock_timestamp()
    FOR UPDATE SKIP LOCKED)
UPDATE ledger.archive a SET worker = %(worker)s, until = clock_timestamp() + interval '10 minutes',
    problem = '', remedy = '', problem_at = NULL
FROM free, ledger.generation g
WHERE a.single = free.single AND g.held_at IS NULL
RETURNING a.id::text AS id, a.claimed_at IS NOT NULL AS claimed,
    date_trunc('month', (clock_timestamp() - make_interval(days => %(days)s)) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS before

-- name: tell
UPDATE ledger.archive SET problem = %(problem)s, remedy = %(remedy)s, problem_at = coalesce(problem_at, clock_timestamp())

-- name: claim
UPDATE ledger.archive SET claimed_at = coalesce(claimed_at, clock_timestamp())

-- name: accounts
-- The next account with something that is due, without those whose histories a recovery compares with Xero. Each time the
-- oldest is asked for, in the order of an index: the planner takes what is old and what is not archived for two things
-- that have nothing to do with each other, so it would expect one soon, wherever it looks.
SELECT l.account FROM ledger.leases l
WHERE l.account > %(after)s AND NOT EXISTS (SELECT FROM ledger.clearings k WHERE k.account = l.account)
  AND ((SELECT count(*) FROM (SELECT FROM ledger.commands c
                              WHERE c.account = l.account AND c.state = 'completed' AND c.archived_at IS NULL
                                AND c.finished_at < %(before)s
                              ORDER BY c.finished_at LIMIT 1) AS oldest) > 0
       OR (SELECT count(*) FROM (SELECT FROM ledger.intents i
                                 WHERE i.account = l.account AND i.answered_at IS NOT NULL AND i.archived_at IS NULL
                                   AND i.created_at < %(before)s
                                 ORDER BY i.created_at LIMIT 1) AS oldest) > 0)
ORDER BY l.account LIMIT 1

-- name: candidates
-- As many as fit in the memory that a bite may take, at least one.
SELECT entity, record_id, finished_at, seq
FROM (SELECT n.*, sum(bytes) OVER (ORDER BY finished_at, seq) - bytes AS earlier
      FROM (SELECT entity, record_id, finished_at, seq, octet_length(body) AS bytes FROM ledger.commands
            WHERE account = %(account)s AND state = 'completed' AND archived_at IS NULL AND finished_at < %(before)s
              AND (finished_at, seq) > (%(after_time)s, %(after_seq)s)
            ORDER BY finished_at, seq LIMIT %(limit)s) AS n) AS s
WHERE earlier < %(bytes)s
ORDER BY finished_at, seq

-- name: resting
-- Nothing of the record waits, runs, was perhaps sent, or differs from Xero. A document rests as a whole: all of its
-- actions completed before the month that is kept.
SELECT r.entity, r.record_id
FROM unnest(%(entities)s::text[], %(records)s::text[]) AS r (entity, record_id)
CROSS JOIN LATERAL (SELECT CASE WHEN r.entity IN ('customer', 'supplier') THEN r.entity || '/' || r.record_id
                                ELSE r.record_id END AS key) AS k
WHERE NOT EXISTS (SELECT FROM ledger.commands c
                  WHERE c.account = %(account)s AND c.entity = r.entity AND c.record_id = r.record_id
                    AND (c.holds OR c.perhaps_sent
                         OR (r.entity IN ('invoice', 'purchase_order')
                             AND (c.state <> 'completed' OR c.finished_at >= %(before)s))))
  AND NOT EXISTS (SELECT FROM ledger.elements e
                  WHERE e.account = %(account)s AND e.record_id = k.key AND e.result IN ('open', 'unknown'))
  AND NOT EXISTS (SELECT FROM ledger.drift d
                  WHERE d.account = %(account)s AND d.record_id = k.key AND d.adopted_at IS NULL AND NOT d.information)

-- name: commands
-- Locked, so that nobody queues them again meanwhile; what was queued before is not among them. whole: the newest that
-- created or edited a customer or supplier, which may have to be sent again after years.
SELECT c.account, c.entity, c.record_id, c.action, c.content_hash, c.event_time, c.place, c.share,
       c.entity IN ('customer', 'supplier') AND c.action IN ('created', 'edited')
       AND c.outcome NOT IN ('skipped_by_operator', 'before_cutoff')
       AND NOT EXISTS (SELECT FROM ledger.commands n
                       WHERE n.account = c.account AND n.entity = c.entity AND n.record_id = c.record_id AND n.seq > c.seq
                         AND n.action IN ('created', 'edited') AND n.state = 'completed'
                         AND n.outcome NOT IN ('skipped_by_operator', 'before_cutoff')) AS whole,
-- include: ../ledger/entry_columns.sql
FROM ledger.commands c
JOIN unnest(%(entities)s::text[], %(records)s::text[]) AS r (entity, record_id)
  ON c.entity = r.entity AND c.record_id = r.record_id
WHERE c.account = %(account)s AND c.state = 'completed' AND c.archived_at IS NULL AND NOT c.perhaps_sent
  AND c.finished_at < %(before)s
  AND (c.entity IN ('invoice', 'purchase_order') OR (c.finished_at, c.seq) <= (%(upto_time)s, %(upto_seq)s))
ORDER BY c.seq
FOR UPDATE OF c

-- name: elements
-- Everything that was sent for these records, the newest first.
SELECT e.intent_id::text AS intent_id, e.position, e.account, e.step, e.kind, e.record_id, e.transaction_id, e.members, e.body, e.packed,
       e.match, e.result, i.created_at
FROM ledger.elements e JOIN ledger.intents i USING (intent_id)
WHERE e.account = %(account)s AND e.record_id = ANY(%(keys)s) AND e.kind <> 'item'
ORDER BY i.created_at DESC, e.intent_id, e.position DESC

-- name: narrow
UPDATE ledger.commands c SET archived_at = clock_timestamp(), body = u.body, place = coalesce(c.place, u.place),
    warnings = '[]', next_attempt_at = NULL, started_at = NULL, xero_type = '', xero_id = '',
    xero_number = '', actor = ''
FROM unnest(%(command_ids)s::uuid[], %(bodies)s::bytea[], %(places)s::text[]) AS u (command_id, body, place)
WHERE c.command_id = u.command_id

-- name: narrow_older
-- Those that were the newest of their customers or suppliers, and have been left whole.
UPDATE ledger.commands c SET body = '{}'
FROM unnest(%(command_ids)s::uuid[]) AS u (command_id)
JOIN ledger.commands newer ON newer.command_id = u.command_id
WHERE c.account = newer.account AND c.entity = newer.entity AND c.record_id = newer.record_id AND c.seq < newer.seq
  AND c.archived_at IS NOT NULL AND c.body <> '{}'

-- name: forget_steps
DELETE FROM ledger.steps WHERE command_id = ANY(%s::uuid[])

-- name: forget_elements
DELETE FROM ledger.elements e
USING unnest(%(intent_ids)s::uuid[], %(positions)s::integer[]) AS u (intent_id, position)
WHERE e.intent_id = u.intent_id AND e.position = u.position AND e.result NOT IN ('open', 'unknown')

-- name: forget_unread
-- A comparison does not look them up any more.
DELETE FROM ledger.drift_unread WHERE account = %(account)s AND record_id = ANY(%(keys)s) AND kind <> 'contact'

-- name: calls
-- As many as fit in the memory that a bite may take, at least one.
-- needed: an element of it is the only word of what Xero took, or its result is not known.
SELECT i.intent_id::text AS intent_id, i.account, i.route, i.method, i.path, i.query, i.target, i.headers, i.body,
       i.idempotency_key, i.created_at, i.sends, i.answered_at, i.conclusion, i.status, i.answer,
       i.archived_at IS NOT NULL AS archived,
       coalesce((SELECT bool_or(e.result IN ('open', 'unknown')
                                OR (e.kind <> 'item' AND num_nonnulls(e.body, e.packed) > 0 AND e.result IN ('ok', 'resolved')))
                 FROM ledger.elements e WHERE e.intent_id = i.intent_id), false) AS needed
FROM (SELECT n.*, sum(bytes) OVER (ORDER BY created_at, intent_id) - bytes AS earlier
      FROM (SELECT j.*, coalesce(octet_length(body), 0) + coalesce(octet_length(answer), 0) AS bytes
            FROM ledger.intents j
            WHERE account = %(account)s AND answered_at IS NOT NULL AND created_at < %(before)s
              AND (created_at, intent_id) > (%(after_time)s, %(after_id)s::uuid)
            ORDER BY created_at, intent_id LIMIT %(limit)s) AS n) AS i
WHERE i.earlier < %(bytes)s
ORDER BY i.created_at, i.intent_id

-- name: narrow_calls
UPDATE ledger.intents SET archived_at = clock_timestamp(), query = '{}', target = NULL, headers = NULL, body = NULL,
    answer = NULL
WHERE intent_id = ANY(%s::uuid[])

-- name: forget_calls
DELETE FROM ledger.intents WHERE intent_id = ANY(%s::uuid[])

-- name: note_part
INSERT INTO ledger.archive_parts (account, month, name, lines, bytes, sha256)
VALUES (%(account)s, %(month)s, %(name)s, %(lines)s, %(bytes)s, %(sha256)s)

-- name: parts
SELECT account, month, name, lines, bytes, sha256 FROM ledger.archive_parts
WHERE %(account)s::text IS NULL OR account = %(account)s
ORDER BY account, month, name

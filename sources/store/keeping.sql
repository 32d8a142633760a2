-- name: kept
SELECT entity, record_id, body, history FROM source.records WHERE account = %(account)s AND record_id = ANY(%(ids)b)

-- name: kept_in_brief
-- No id has a line break (sources.salesbinder.values.own_id).
SELECT string_agg(record_id, E'\n'), string_agg(body, ',') FROM source.records
WHERE account = %(account)s AND entity = %(entity)s AND record_id = ANY(string_to_array(%(ids)s, E'\n'))

-- name: lately_kept
SELECT r.entity, r.record_id, r.body, r.history
FROM unnest(%(entities)s::text[]) WITH ORDINALITY AS kind (entity, place)
CROSS JOIN LATERAL (SELECT * FROM source.records s WHERE s.account = %(account)s AND s.entity = kind.entity
                    ORDER BY s.seen_at DESC, s.record_id LIMIT %(limit)s) AS r
ORDER BY kind.place, r.seen_at DESC, r.record_id

-- name: keep_record
INSERT INTO source.records (account, entity, record_id, body, deep_at, history)
VALUES (%(account)s, %(entity)s, %(record_id)s, %(body)s, %(deep_at)s, %(history)s)
ON CONFLICT (account, entity, record_id) DO UPDATE
SET body = excluded.body, deep_at = excluded.deep_at, history = excluded.history, seen_at = clock_timestamp()

-- name: tell
INSERT INTO source.outbox (account, topic, key, value) VALUES (%(account)s, %(topic)s, %(key)s, %(value)s)

-- name: want
-- A row that shows a change is asked about at once, however often the detail was in vain for another row before.
INSERT INTO source.wanted AS w (account, record_id, why, due_at, row_digest, tries, entity)
VALUES (%(account)s, %(record_id)s, %(why)s, %(due_at)s, %(row)s, %(tries)s, %(entity)s)
ON CONFLICT (account, record_id) DO UPDATE
SET why = excluded.why, due_at = excluded.due_at, row_digest = excluded.row_digest, tries = excluded.tries,
    entity = excluded.entity
-- What is wanted since the question was asked, and sooner, stays: the answer may be older than that.
WHERE (w.due_at <= %(asked)s OR w.due_at >= excluded.due_at)
-- A list shows the same row again each time: its detail stays due when it was, or all calls would go to the refused.
  AND NOT (excluded.why = 'changed' AND excluded.row_digest <> '' AND w.row_digest = excluded.row_digest)

-- name: want_no_more
-- Not for what is wanted since the question was asked: the answer may be older than that.
DELETE FROM source.wanted WHERE account = %(account)s AND record_id = ANY(%(ids)s) AND due_at <= %(asked)s

-- name: problem
INSERT INTO source.problems AS p (account, entity, record_id, code, field, value, problem, remedy)
VALUES (%(account)s, %(entity)s, %(record_id)s, %(code)s, %(field)s, %(value)s, %(problem)s, %(remedy)s)
ON CONFLICT (account, entity, record_id, code) DO UPDATE
SET field = excluded.field, value = excluded.value, problem = excluded.problem, remedy = excluded.remedy,
    last_at = clock_timestamp()
RETURNING first_at, xmax = 0 AS is_new

-- name: problems_over
DELETE FROM source.problems p USING jsonb_to_recordset(%(seen)s::jsonb) AS s (entity text, record_id text, codes text[])
WHERE p.account = %(account)s AND p.entity = s.entity AND p.record_id = s.record_id AND p.code <> ALL(s.codes)
RETURNING p.entity, p.record_id, p.code, p.field, p.value, p.problem, p.remedy, p.first_at, clock_timestamp() AS over_at

-- name: in_vain
SELECT w.record_id FROM source.wanted w
JOIN unnest(%(ids)s::text[], %(rows)s::text[]) AS s (record_id, row_digest) USING (record_id, row_digest)
WHERE w.account = %(account)s AND w.row_digest <> '' AND w.tries > %(tries)s
  AND NOT EXISTS (SELECT FROM source.problems p WHERE p.account = w.account AND p.entity = %(entity)s
                  AND p.record_id = w.record_id AND p.code = 'record_refused')

-- name: note_listed
UPDATE source.problems SET last_at = clock_timestamp()
WHERE account = %(account)s AND entity = %(entity)s AND record_id = ANY(%(ids)s) AND code = 'record_refused'

-- name: not_listed
SELECT record_id FROM source.problems
WHERE account = %(account)s AND entity = %(entity)s AND code = 'record_refused' AND last_at < %(since)s ORDER BY record_id

-- name: keep_scan
INSERT INTO source.scans AS s (account, key, scan, finished) VALUES (%(account)s, %(key)s, %(scan)b, %(finished)b)
ON CONFLICT (account, key) DO UPDATE
SET scan = excluded.scan, finished = coalesce(excluded.finished, s.finished), held_until = NULL

-- name: hold_scan
INSERT INTO source.scans AS s (account, key, held_until) VALUES (%(account)s, %(key)s, %(until)s)
ON CONFLICT (account, key) DO UPDATE SET held_until = excluded.held_until

-- name: learnt
UPDATE source.accounts
SET connected_clock = %(connected)s, trust = coalesce(%(trust)s::jsonb, trust),
    statuses = coalesce(%(statuses)s::jsonb, statuses), widened = coalesce(%(widened)s, widened),
    trouble = CASE WHEN is_over THEN NULL ELSE trouble END, trouble_text = CASE WHEN is_over THEN '' ELSE trouble_text END,
    trouble_since = CASE WHEN is_over THEN NULL ELSE trouble_since END, failures = CASE WHEN is_over THEN 0 ELSE failures END,
    held_until = CASE WHEN is_over THEN NULL ELSE held_until END, refusals = CASE WHEN %(is_there)s THEN 0 ELSE refusals END,
    missing = CASE WHEN %(is_there)s THEN 0 ELSE missing END,
    refused_details = CASE WHEN %(is_there)s THEN 0 ELSE refused_details END
FROM (SELECT (%(is_there)s OR trouble IN ('salesbinder_unavailable', 'salesbinder_blocked'))
             AND held_until IS NOT DISTINCT FROM %(held_until)s AS is_over
      FROM source.accounts WHERE account = %(account)s) AS o
WHERE account = %(account)s

-- name: trouble
-- A block is known by its name: while it runs, no other trouble takes it away.
UPDATE source.accounts
SET trouble = CASE WHEN is_blocked THEN trouble ELSE %(trouble)s END,
    trouble_text = CASE WHEN is_blocked THEN trouble_text ELSE %(text)s END,
    trouble_since = CASE WHEN is_blocked OR trouble = %(trouble)s THEN trouble_since ELSE clock_timestamp() END,
    failures = failures + 1, held_until = greatest(held_until, %(until)s)
FROM (SELECT coalesce(trouble = 'salesbinder_blocked' AND held_until > clock_timestamp(), false) AS is_blocked
      FROM source.accounts WHERE account = %(account)s) AS o
WHERE account = %(account)s

-- name: prove
UPDATE source.accounts
SET unproven = false, trouble = CASE WHEN is_blocked THEN trouble END,
    trouble_text = CASE WHEN is_blocked THEN trouble_text ELSE '' END,
    trouble_since = CASE WHEN is_blocked THEN trouble_since END,
    failures = CASE WHEN is_blocked THEN failures ELSE 0 END, held_until = CASE WHEN is_blocked THEN held_until END
FROM (SELECT coalesce(trouble = 'salesbinder_blocked' AND held_until > clock_timestamp(), false) AS is_blocked
      FROM source.accounts WHERE account = %(account)s) AS o
WHERE account = %(account)s

-- name: refusal
UPDATE source.accounts
SET refusals = refusals + %(of_list)s::int, refused_details = refused_details + (NOT %(of_list)s)::int
WHERE account = %(account)s

-- name: missing
UPDATE source.accounts SET missing = missing + 1 WHERE account = %(account)s

-- name: to_tell
SELECT id, topic, key, value FROM source.outbox WHERE account = %(account)s ORDER BY id LIMIT %(limit)s

-- name: told
DELETE FROM source.outbox WHERE id = ANY(%(ids)s)

-- name: ask
INSERT INTO source.reconciliations (account, actor)
SELECT account, %(actor)s FROM source.accounts WHERE account = %(account)s
ON CONFLICT (account) WHERE finished_at IS NULL DO NOTHING

-- name: open
SELECT run_id::text, failures, clock_timestamp() AS now FROM source.reconciliations
WHERE account = %(account)s AND finished_at IS NULL

-- name: begin
UPDATE source.reconciliations SET started_at = coalesce(started_at, clock_timestamp())
WHERE account = %(account)s AND finished_at IS NULL
RETURNING run_id::text, actor, phase, started_at, clock_timestamp() AS now, scan, lists, details, failures, due_at, xero_run::text,
          after_kind, after_record, months

-- name: last_asked
SELECT asked_at FROM source.reconciliations WHERE account = %(account)s ORDER BY asked_at DESC LIMIT 1

-- name: seen
SELECT run_id::text, actor, asked_at, started_at, finished_at, error, phase, lists, unread, calls, rows, details, waits_for,
       xero_run::text, xero_calls, months, news
FROM source.reconciliations WHERE run_id = %(run_id)s

-- name: last
SELECT run_id::text, actor, asked_at, started_at, finished_at, error, phase, lists, unread, calls, rows, details, waits_for,
       xero_run::text, xero_calls, months, news
FROM source.reconciliations
WHERE account = %(account)s AND finished_at IS NOT NULL AND error IS NULL ORDER BY finished_at DESC LIMIT 1

-- name: ended_last
SELECT run_id::text, actor, finished_at, error FROM source.reconciliations
WHERE account = %(account)s AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1

-- name: count_call
UPDATE source.reconciliations SET calls = calls + 1 WHERE run_id = %(run_id)s

-- name: put_off
UPDATE source.reconciliations
SET due_at = %(until)s, waits_for = %(why)s, failures = CASE WHEN %(failed)s THEN failures + 1 ELSE 0 END
WHERE run_id = %(run_id)s

-- name: keep_document
INSERT INTO source.shop_documents (account, entity, record_id, body, run_id, wanted)
VALUES (%(account)s, %(entity)s, %(record_id)s, %(body)s, %(run_id)s, %(wanted)s)
ON CONFLICT (account, entity, record_id) DO UPDATE
SET body = excluded.body, run_id = excluded.run_id, wanted = excluded.wanted

-- name: rows_kept
UPDATE source.reconciliations
SET scan = %(scan)s, lists = %(lists)s::jsonb, unread = unread || %(unread)s::jsonb, rows = rows + %(rows)s,
    failures = 0, waits_for = ''
WHERE run_id = %(run_id)s

-- name: page_failed
UPDATE source.reconciliations
SET scan = %(scan)s, lists = %(lists)s::jsonb, unread = unread || %(unread)s::jsonb, failures = failures + 1,
    due_at = %(until)s, waits_for = %(why)s
WHERE run_id = %(run_id)s

-- name: next_wanted
SELECT body FROM source.shop_documents
WHERE account = %(account)s AND wanted AND run_id = %(run_id)s ORDER BY entity, record_id LIMIT 1

-- name: keep_detail
UPDATE source.shop_documents SET body = %(body)s, wanted = false
WHERE account = %(account)s AND entity = %(entity)s AND record_id = %(record_id)s AND run_id = %(run_id)s

-- name: count_detail
UPDATE source.reconciliations SET details = details + 1, failures = 0, waits_for = '' WHERE run_id = %(run_id)s

-- name: enter
UPDATE source.reconciliations
SET phase = %(phase)s, scan = NULL, after_kind = '', after_record = '', failures = 0, waits_for = ''
WHERE run_id = %(run_id)s

-- name: wait_for_xero
UPDATE source.reconciliations SET xero_run = %(xero_run)s, waits_for = '' WHERE run_id = %(run_id)s

-- name: xero_read
UPDATE source.reconciliations SET xero_calls = %(calls)s WHERE run_id = %(run_id)s

-- name: documents_after
SELECT body FROM source.shop_documents
WHERE account = %(account)s AND run_id = %(run_id)s AND (entity, record_id) > (%(entity)s, %(record_id)s)
ORDER BY entity, record_id LIMIT %(limit)s

-- name: shown_to
SELECT d.entity, d.record_id FROM source.shop_documents d
JOIN unnest(%(entities)s::text[], %(records)s::text[]) AS k (entity, record_id) USING (entity, record_id)
WHERE d.account = %(account)s AND d.run_id = %(run_id)s

-- name: unclear
-- Problems of documents, the newest of each; statuses that are not known change nothing.
SELECT DISTINCT ON (record_id) record_id, field, value, problem, remedy FROM source.problems
WHERE account = %(account)s AND record_id = ANY(%(records)s) AND code <> 'status_unknown'
ORDER BY record_id, last_at DESC

-- name: keep_result
INSERT INTO source.reconciled AS r (account, kind, record_id, number, day, agrees, why, is_news, digest, body, run_id, first_run)
VALUES (%(account)s, %(kind)s, %(record_id)s, %(number)s, %(day)s, %(agrees)s, %(why)s, %(is_news)s, %(digest)s, %(body)s,
        %(run_id)s, %(run_id)s)
ON CONFLICT (account, kind, record_id) DO UPDATE
SET number = excluded.number, day = excluded.day, agrees = excluded.agrees, why = excluded.why, is_news = excluded.is_news,
    digest = excluded.digest, body = excluded.body, run_id = excluded.run_id,
    first_run = CASE WHEN r.digest = excluded.digest THEN r.first_run ELSE excluded.first_run END,
    first_seen_at = CASE WHEN r.digest = excluded.digest THEN r.first_seen_at ELSE clock_timestamp() END

-- name: compared
UPDATE source.reconciliations
SET after_kind = %(kind)s, after_record = %(record_id)s, months = %(months)s::jsonb, failures = 0, waits_for = ''
WHERE run_id = %(run_id)s

-- name: forget_others
DELETE FROM source.reconciled WHERE account = %(account)s AND run_id <> %(run_id)s

-- name: forget_documents
DELETE FROM source.shop_documents WHERE account = %(account)s AND run_id <> %(run_id)s

-- name: forget_old
-- Not those that found a difference first that still stands: people were told of it by them.
DELETE FROM source.reconciliations r
WHERE r.account = %(account)s AND r.finished_at < clock_timestamp() - interval '90 days'
  AND NOT EXISTS (SELECT FROM source.reconciled d WHERE d.account = r.account AND d.first_run = r.run_id)

-- name: finish
UPDATE source.reconciliations r
SET finished_at = clock_timestamp(), error = %(error)s, waits_for = '',
    news = CASE WHEN %(error)s::text IS NULL
                THEN (SELECT count(*) FROM source.reconciled d
                      WHERE d.account = r.account AND d.is_news AND d.first_run = r.run_id) ELSE 0 END
WHERE run_id = %(run_id)s

-- name: results
SELECT body, first_seen_at, coalesce(day, 'infinity')::text AS last_day, kind, number, record_id FROM source.reconciled
WHERE account = %(account)s AND (%(since)s::date IS NULL OR day >= %(since)s) AND (%(until)s::date IS NULL OR day <= %(until)s)
  AND (NOT %(only_differing)s OR NOT agrees)
  AND (coalesce(day, 'infinity'), kind, number, record_id)
      > (%(last_day)s::date, %(last_kind)s, %(last_number)s, %(last_record)s)
ORDER BY coalesce(day, 'infinity'), kind, number, record_id LIMIT %(limit)s

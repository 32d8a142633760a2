-- name: columns
entry_id, account, entity, record_id, record_number, action, state, outcome, reason_code, reason, remedy,
warnings, party_name, amount, currency, salesbinder_url, attempts, next_attempt_at, queued_at, started_at,
finished_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition,
"offset", triggered_by, actor, cause, issue_id, reference

-- name: entries
SELECT {columns}
FROM integrations_log.shown_entry
WHERE {conditions}
ORDER BY {order}
LIMIT %(limit)s

-- name: counts
SELECT account, entity, action, state, reason_code, triggered_by, count(*) AS entries
FROM integrations_log.shown_entry
WHERE {conditions}
GROUP BY account, entity, action, state, reason_code, triggered_by
ORDER BY entries DESC, reason_code, triggered_by, account, entity, action

-- name: hits
SELECT state, count(*) AS entries
FROM (SELECT state FROM integrations_log.entry AS e WHERE {conditions} LIMIT %(most)s) AS e
GROUP BY state

-- name: attempts
SELECT * FROM integrations_log.attempts
WHERE entry_id = ANY(%(entry_ids)s)
ORDER BY started_at, number, attempt_id

-- name: steps
-- The ids as values, not as a join: only then each part of the view looks up what is its own. Of the same moment, as an
-- entry goes.
SELECT * FROM integrations_log.steps
WHERE entry_id = ANY(%(entry_ids)s)
ORDER BY at, array_position(ARRAY['received', 'setting_changed', 'retried', 'replayed', 'sent_again', 'decided', 'adopted',
                                  'queued', 'held', 'released', 'taken_up', 'call', 'waiting'], step),
         version, detail ->> 'number', entry_id

-- name: issues
-- Chosen by their sizes first: only those of the page are looked up.
SELECT i.* FROM (
    SELECT account, issue_key FROM integrations_log.issue_sizes
    WHERE (%(account)s::text IS NULL OR account = %(account)s)
      AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
      AND (%(ids)s::text[] IS NULL OR issue_key = ANY(%(ids)s))
      AND (%(without)s::text[] IS NULL OR issue_key <> ALL(%(without)s))
    ORDER BY entries DESC, account, issue_key
    LIMIT %(limit)s OFFSET %(offset)s
) AS chosen
JOIN integrations_log.issues AS i ON i.account = chosen.account AND coalesce(i.issue_id, '') = chosen.issue_key
ORDER BY i.entries DESC, i.account, i.issue_id

-- name: issue_totals
SELECT count(*) AS issues, coalesce(sum(entries), 0)::bigint AS entries FROM integrations_log.issue_sizes
WHERE (%(account)s::text IS NULL OR account = %(account)s)
  AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))

-- name: failed_of
-- The newest failures of each of these issues.
SELECT e.* FROM unnest(%(ids)s::text[]) AS chosen (issue_id)
CROSS JOIN LATERAL (
    SELECT {columns} FROM integrations_log.shown_entry AS e
    WHERE e.issue_id = chosen.issue_id AND e.state = 'failed'
      AND (%(accounts)s::text[] IS NULL OR e.account = ANY(%(accounts)s))
    ORDER BY queued_at DESC, entry_id DESC
    LIMIT %(most)s
) AS e

-- name: unknown_refusals
SELECT * FROM integrations_log.unknown_refusals
WHERE %(since)s::timestamptz IS NULL OR last_seen >= %(since)s
ORDER BY last_seen DESC, text

-- name: replays
-- Few rows: a person begins each of them.
SELECT * FROM integrations_log.replays
WHERE (%(replay_id)s::bigint IS NULL OR replay_id = %(replay_id)s) AND (NOT %(running)s OR state = 'running')
  AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
ORDER BY replay_id DESC

-- name: summary
SELECT * FROM integrations_log.summary
WHERE (%(account)s::text IS NULL OR account = %(account)s)
  AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
ORDER BY account

-- name: changes
-- Continues after a position without missing anything: positions appear in order (see the migration).
SELECT entry_id, account, position FROM integrations_log.entry
WHERE position > %(after)s AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
ORDER BY position
LIMIT %(limit)s

-- name: position
SELECT coalesce(max(position), 0) AS position FROM integrations_log.entry

-- name: hours
-- Entries that arrived in each hour of the last day, by their current state. By arrival, which has an index; at most 24 rows.
SELECT account, date_bin('1 hour', queued_at, %(since)s) AS hour,
       count(*) FILTER (WHERE state = 'completed') AS completed,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state IN ('queued', 'running')) AS waiting
FROM integrations_log.entry
WHERE queued_at >= %(since)s AND queued_at < %(since)s + interval '24 hours'
  AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
GROUP BY account, hour
ORDER BY account, hour

-- name: speeds
-- From arrival to Xero, by our own clock: an event's time is another machine's, and a backfill's is years ago.
SELECT account, count(*) AS posted,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - queued_at)) AS p50_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - queued_at)) AS p95_seconds
FROM integrations_log.entry
WHERE queued_at >= %(since)s AND outcome = 'posted' AND triggered_by = 'event'
  AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
GROUP BY account
ORDER BY account

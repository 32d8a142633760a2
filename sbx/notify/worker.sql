-- name: lock
SELECT pg_try_advisory_xact_lock(hashtext('sbx-notify')) AS locked

-- name: issues
-- A muted issue counts as gone: if it still exists when the mute is over, it is a new one, and sent again.
SELECT issue_id, account, entries, reason, remedy, samples FROM integrations_log.issues i
WHERE NOT EXISTS (SELECT 1 FROM web.mutes m WHERE m.issue_id = i.issue_id AND m.until > clock_timestamp())
ORDER BY account, first_seen

-- name: accounts
SELECT account, CASE WHEN status = 'lost' THEN status_reason END AS lost_reason, paused_reason
FROM connections.accounts ORDER BY account

-- name: waiting
SELECT account, oldest_waiting_seconds FROM integrations_log.summary ORDER BY account

-- name: reconciled
-- As long as one of the differences stands that a comparison found new, that comparison is what people were told of.
SELECT d.account, r.run_id::text, r.news,
       (array_agg(d.number ORDER BY d.day DESC NULLS LAST, d.number))[1:5] AS samples
FROM source.reconciled d
JOIN LATERAL (SELECT n.run_id, n.news FROM source.reconciliations n
              WHERE n.account = d.account AND n.news > 0 AND n.finished_at IS NOT NULL AND n.error IS NULL
              ORDER BY n.finished_at DESC LIMIT 1) r ON d.first_run = r.run_id
WHERE d.is_news
GROUP BY d.account, r.run_id, r.news ORDER BY d.account

-- name: sources
SELECT a.account, a.trouble, a.trouble_text, a.trouble_since, clock_timestamp() AS now,
       extract(epoch FROM clock_timestamp() - coalesce(l.expires_at, a.connected_at))::float AS unread_seconds
FROM source.accounts a LEFT JOIN source.leases l USING (account) ORDER BY a.account

-- name: lists
-- One line per list, however many of its layers it concerns.
SELECT account, code, entity AS list, min(problem) AS problem, min(remedy) AS remedy, min(first_at) AS since,
       clock_timestamp() AS now
FROM source.problems WHERE code IN ('list_refused', 'list_odd', 'rows_not_shown', 'clock_off')
   OR (code = 'answer_unreadable' AND entity IN ('customers', 'suppliers', 'invoices', 'orders', 'log'))
GROUP BY account, code, entity ORDER BY account, code, entity

-- name: broken_off
-- Comparisons that were made by schedule, which nobody waits for, as long as none has succeeded since, be it somebody's
-- own. One of theirs that fails, too, shows nothing but that it still does.
SELECT account, error FROM (
    SELECT DISTINCT ON (account) account, error FROM source.reconciliations
    WHERE finished_at IS NOT NULL AND (error IS NULL OR actor = 'reconcile_every') ORDER BY account, finished_at DESC
) AS last WHERE error IS NOT NULL ORDER BY account

-- name: open
SELECT key FROM alerts.alert WHERE ended_at IS NULL

-- name: begin
INSERT INTO alerts.alert (key, kind, account, text, remedy, path)
VALUES (%(key)s, %(kind)s, %(account)s, %(text)s, %(remedy)s, %(path)s)

-- name: end
UPDATE alerts.alert SET ended_at = now() WHERE ended_at IS NULL AND key = ANY(%s)

-- name: owe
-- Each channel must send the present alerts. Those that were over before it was set up are not sent there.
INSERT INTO alerts.telling (alert_id, channel)
SELECT alert_id, channel FROM alerts.alert CROSS JOIN unnest(%s::text[]) AS channel WHERE ended_at IS NULL
ON CONFLICT DO NOTHING

-- name: compose
-- One message at a time: alerts that begin while the receiver is away go into the next one together.
WITH owed AS (
    SELECT alert_id FROM alerts.telling WHERE channel = %(channel)s AND message_id IS NULL ORDER BY alert_id LIMIT 100
), message AS (
    INSERT INTO alerts.message (message_id, channel)
    SELECT gen_random_uuid(), %(channel)s WHERE EXISTS (SELECT 1 FROM owed)
      AND NOT EXISTS (SELECT 1 FROM alerts.message WHERE channel = %(channel)s AND sent_at IS NULL)
    RETURNING message_id
)
UPDATE alerts.telling SET message_id = message.message_id FROM owed, message
WHERE telling.alert_id = owed.alert_id AND telling.channel = %(channel)s

-- name: due
SELECT message_id::text, made_at, tries FROM alerts.message
WHERE channel = %s AND sent_at IS NULL AND due_at <= clock_timestamp() FOR UPDATE SKIP LOCKED

-- name: told
SELECT kind, account, text, remedy, path, began_at, ended_at
FROM alerts.telling JOIN alerts.alert USING (alert_id) WHERE message_id = %s ORDER BY account, alert_id

-- name: sent
UPDATE alerts.message SET sent_at = clock_timestamp(), tries = tries + 1, error = '' WHERE message_id = %s

-- name: failed
UPDATE alerts.message SET tries = tries + 1, error = %(error)s,
    due_at = clock_timestamp() + make_interval(secs => %(wait)s)
WHERE message_id = %(message_id)s

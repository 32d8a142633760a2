-- What the tables know of the past, read without keeping anybody out: failures that stand, and who retried, sent again or
-- decided what. When, they do not say: at the latest before the first call that follows the last refusal.
INSERT INTO integrations_log.step (entry_id, version, at, step, reason_code, reason, remedy)
SELECT entry_id, version, coalesce(finished_at, queued_at), 'failed', reason_code, nullif(reason, ''), nullif(remedy, '')
FROM integrations_log.entry WHERE state = 'failed'
ON CONFLICT DO NOTHING;

INSERT INTO integrations_log.step (entry_id, version, at, step, triggered_by, actor)
SELECT e.entry_id, -1, coalesce(following.at, e.finished_at, e.started_at, e.queued_at),
       CASE e.triggered_by WHEN 'retry' THEN 'retried' WHEN 'drift' THEN 'sent_again' ELSE 'decided' END,
       e.triggered_by, e.actor
FROM integrations_log.entry AS e
CROSS JOIN LATERAL (
    SELECT min(a.started_at) AS at FROM integrations_log.attempt AS a
    WHERE a.entry_id = e.entry_id
      AND a.started_at > (SELECT max(r.started_at) FROM integrations_log.attempt AS r
                          WHERE r.entry_id = e.entry_id AND r.refused <> '')
) AS following
WHERE e.triggered_by IN ('retry', 'drift', 'decision')
ON CONFLICT DO NOTHING;

INSERT INTO integrations_log.hold_step (account, version, at, held, reason, until)
SELECT account, version, at, nullif(held, 'xero_minute_limit'), nullif(reason, ''), until
FROM integrations_log.account_hold WHERE held IS NOT NULL
ON CONFLICT DO NOTHING;

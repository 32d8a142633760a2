-- Every step of an entry, for ever. A row here is what the entry's own row does not tell, or will not tell any more: most
-- entries have none, since the view below reads from the entry when it came, was first taken up and how it ended.
-- Versions below 0: what was known of an entry from before its steps were kept.
CREATE TABLE integrations_log.step (
    entry_id     text NOT NULL,
    version      integer NOT NULL,
    at           timestamptz NOT NULL,
    step         text NOT NULL,
    outcome      text,
    reason_code  text,
    reason       text,
    remedy       text,
    triggered_by text,
    actor        text,
    PRIMARY KEY (entry_id, version)
);

-- Each hold of an account, and its end: held is null. To wait for the next minute of Xero's is no hold here.
CREATE TABLE integrations_log.hold_step (
    account text NOT NULL,
    version integer NOT NULL,
    at      timestamptz NOT NULL,
    held    text,
    reason  text,
    until   timestamptz,
    PRIMARY KEY (account, version)
);
CREATE INDEX hold_step_by_time ON integrations_log.hold_step (account, at);

-- Who set the entry off first, once somebody else has set it off again; null until then.
ALTER TABLE integrations_log.entry ADD COLUMN first_triggered_by text, ADD COLUMN first_actor text;

CREATE OR REPLACE VIEW integrations_log.shown_entry AS
SELECT
    e.entry_id, e.account, e.entity, e.record_id, e.record_number, e.action, e.state, e.outcome,
    CASE WHEN h.held IS NULL THEN e.reason_code ELSE h.held END AS reason_code,
    CASE WHEN h.held IS NULL THEN e.reason ELSE h.reason END AS reason,
    CASE WHEN h.held IS NULL THEN e.remedy ELSE h.remedy END AS remedy,
    e.warnings, e.party_name,
    CASE WHEN scale(e.amount) < 2 THEN round(e.amount, 2) ELSE e.amount END AS amount,
    e.currency, e.salesbinder_url, e.attempts,
    CASE WHEN h.held IS NULL THEN e.next_attempt_at ELSE h.until END AS next_attempt_at,
    e.queued_at, e.started_at, e.finished_at,
    e.xero_type, e.xero_id, e.xero_number, e.xero_url,
    e.event_id, e.event_type, e.event_time, e.topic, e.partition, e."offset",
    coalesce(e.first_triggered_by, e.triggered_by) AS triggered_by, coalesce(e.first_actor, e.actor) AS actor,
    e.version, e.position, e.reason_code AS own_reason_code,
    CASE WHEN h.held IS NULL THEN e.cause ELSE '' END AS cause,
    e.issue_id
FROM integrations_log.entry AS e
LEFT JOIN integrations_log.account_hold AS h
    ON h.account = e.account AND h.held IS NOT NULL AND e.state = 'queued';

-- Columns that dashboards rely on, in this order: only ever add at the end.
CREATE VIEW integrations_log.steps AS
-- Received. Of what was retried before steps were kept, the first is not known; it was nearly always its event.
SELECT e.entry_id, e.account, e.queued_at AS at, 'received' AS step, NULL::text AS outcome, NULL::text AS reason_code,
       '' AS reason, '' AS remedy,
       CASE WHEN e.first_triggered_by IS NULL AND e.triggered_by IN ('retry', 'drift', 'decision') THEN 'event'
            ELSE coalesce(e.first_triggered_by, e.triggered_by) END AS triggered_by,
       CASE WHEN e.first_actor IS NULL AND (e.triggered_by IN ('retry', 'drift', 'decision', 'dead_letter')
                                            OR e.outcome = 'skipped_by_operator') THEN ''
            ELSE coalesce(e.first_actor, e.actor) END AS actor,
       NULL::jsonb AS detail, 0 AS version
FROM integrations_log.entry AS e
UNION ALL
SELECT e.entry_id, e.account, e.started_at, 'taken_up', NULL, NULL, '', '', '', '', NULL, NULL
FROM integrations_log.entry AS e
WHERE e.started_at IS NOT NULL AND (e.outcome IS DISTINCT FROM 'skipped_by_operator' OR e.started_at < e.finished_at)
UNION ALL
SELECT s.entry_id, e.account, s.at, s.step, s.outcome, s.reason_code, coalesce(s.reason, ''), coalesce(s.remedy, ''),
       coalesce(s.triggered_by, ''), coalesce(s.actor, ''), NULL, s.version
FROM integrations_log.step AS s
JOIN integrations_log.entry AS e ON e.entry_id = s.entry_id
UNION ALL
-- How it ended, if it stays so: as soon as it is queued again, a row of its own tells it.
SELECT e.entry_id, e.account, coalesce(e.finished_at, e.queued_at),
       CASE WHEN e.outcome = 'skipped_by_operator' THEN 'skipped' ELSE e.state END, e.outcome, e.reason_code,
       CASE WHEN e.outcome = 'skipped_by_operator'
            THEN coalesce(jsonb_path_query_first(e.warnings, '$[*] ? (@.code == "skipped").text') #>> '{}', '')
            ELSE e.reason END,
       e.remedy, '',
       CASE WHEN e.outcome = 'skipped_by_operator' OR e.triggered_by = 'dead_letter' THEN e.actor ELSE '' END, NULL,
       e.version
FROM integrations_log.entry AS e
WHERE e.state IN ('failed', 'completed')
  AND NOT EXISTS (SELECT FROM integrations_log.step AS s WHERE s.entry_id = e.entry_id AND s.version = e.version)
UNION ALL
SELECT a.entry_id, a.account, a.started_at, 'call', NULL, nullif(a.refused, ''),
       CASE WHEN a.refusal <> '' THEN a.refusal ELSE a.error END, '', '', '',
       jsonb_build_object('attempt_id', a.attempt_id, 'number', a.number, 'step', a.step, 'method', a.method,
                          'path', a.path, 'status', a.status),
       NULL
FROM integrations_log.attempt AS a
UNION ALL
-- Changed while the entry stood failed, and named by the failure's own words.
SELECT s.entry_id, e.account, c.at, 'setting_changed', NULL, NULL, '', '', '', c.actor,
       jsonb_build_object('setting', c.key, 'old', c.old, 'new', c.new), NULL
FROM integrations_log.step AS s
JOIN integrations_log.entry AS e ON e.entry_id = s.entry_id
JOIN connections.settings_history AS c ON c.account = e.account AND c.at > s.at
WHERE s.step = 'failed' AND strpos(concat_ws(' ', s.reason, s.remedy), c.key) > 0
  AND (e.state <> 'completed' OR c.at <= e.finished_at)
  AND NOT EXISTS (SELECT FROM integrations_log.step AS n
                  WHERE n.entry_id = s.entry_id AND n.version > s.version AND n.at <= c.at)
UNION ALL
-- The account was held, or ran again, while the entry waited for it and did not stand failed.
SELECT e.entry_id, e.account, h.at, CASE WHEN h.held IS NULL THEN 'released' ELSE 'held' END, NULL, h.held,
       coalesce(h.reason, ''), '', '', '', CASE WHEN h.until IS NOT NULL THEN jsonb_build_object('until', h.until) END, NULL
FROM integrations_log.entry AS e
JOIN integrations_log.hold_step AS h ON h.account = e.account AND h.at > e.queued_at
WHERE h.at <= coalesce(e.finished_at, 'infinity')
  AND (h.held IS NOT NULL OR (SELECT p.held FROM integrations_log.hold_step AS p
                              WHERE p.account = h.account AND p.version < h.version
                              ORDER BY p.version DESC LIMIT 1) IS NOT NULL)
  AND NOT EXISTS (SELECT FROM integrations_log.step AS f
                  WHERE f.entry_id = e.entry_id AND f.step IN ('failed', 'completed', 'skipped') AND f.at <= h.at
                    AND NOT EXISTS (SELECT FROM integrations_log.step AS n
                                    WHERE n.entry_id = f.entry_id AND n.version > f.version AND n.at <= h.at))
UNION ALL
-- It was held when the entry came.
SELECT e.entry_id, e.account, e.queued_at, 'held', NULL, h.held, coalesce(h.reason, ''), '', '', '',
       CASE WHEN h.until IS NOT NULL THEN jsonb_build_object('until', h.until) END, NULL
FROM integrations_log.entry AS e
CROSS JOIN LATERAL (
    SELECT l.held, l.reason, l.until FROM integrations_log.hold_step AS l
    WHERE l.account = e.account AND l.at <= e.queued_at
    ORDER BY l.at DESC, l.version DESC LIMIT 1
) AS h
WHERE h.held IS NOT NULL;

-- Failures are grouped by what has to be put right, not by reason code alone; refusals of Xero are kept by their words.

ALTER TABLE integrations_log.entry ADD COLUMN cause text NOT NULL DEFAULT '';

-- The issue that a failure with this reason belongs to. A digest, so that commands and pages can name it.
ALTER TABLE integrations_log.entry ADD COLUMN issue_id text GENERATED ALWAYS AS (
    CASE WHEN state = 'failed' AND reason_code IS NOT NULL
         THEN left(md5(account || ' ' || reason_code || ' ' || cause), 12) END
) STORED;
CREATE INDEX entry_by_issue ON integrations_log.entry (issue_id, queued_at, entry_id) WHERE issue_id IS NOT NULL;

ALTER TABLE integrations_log.attempt ADD COLUMN refused text NOT NULL DEFAULT '';
ALTER TABLE integrations_log.attempt ADD COLUMN refusal text NOT NULL DEFAULT '';
ALTER TABLE integrations_log.attempt ADD COLUMN refusal_shape text NOT NULL DEFAULT '';
CREATE INDEX attempt_by_unknown_refusal ON integrations_log.attempt (started_at) WHERE refused = 'xero_refused';

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
    e.event_id, e.event_type, e.event_time, e.topic, e.partition, e."offset", e.triggered_by, e.actor,
    e.version, e.position, e.reason_code AS own_reason_code,
    CASE WHEN h.held IS NULL THEN e.cause ELSE '' END AS cause,
    e.issue_id
FROM integrations_log.entry AS e
LEFT JOIN integrations_log.account_hold AS h
    ON h.account = e.account AND h.held IS NOT NULL AND e.state = 'queued';

CREATE OR REPLACE VIEW integrations_log.entries AS
SELECT entry_id, account, entity, record_id, record_number, action, state, outcome, reason_code, reason, remedy,
       warnings, party_name, amount, currency, salesbinder_url, attempts, next_attempt_at, queued_at, started_at,
       finished_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition,
       "offset", triggered_by, actor, cause, issue_id
FROM integrations_log.shown_entry;

CREATE OR REPLACE VIEW integrations_log.attempts AS
SELECT attempt_id, entry_id, account, number, step, method, path, started_at, finished_at, status, request, answer,
       error, refused, refusal, refusal_shape
FROM integrations_log.attempt;

CREATE OR REPLACE VIEW integrations_log.issues AS
SELECT
    account,
    reason_code,
    (array_agg(reason ORDER BY queued_at DESC, entry_id DESC))[1] AS reason,
    (array_agg(remedy ORDER BY queued_at DESC, entry_id DESC))[1] AS remedy,
    count(*) AS entries,
    min(coalesce(finished_at, queued_at)) AS first_seen,
    max(coalesce(finished_at, queued_at)) AS last_seen,
    (array_agg(coalesce(nullif(record_number, ''), record_id) ORDER BY queued_at DESC, entry_id DESC))[1:5] AS samples,
    cause,
    issue_id
FROM integrations_log.entry
WHERE state = 'failed'
GROUP BY account, reason_code, cause, issue_id;

-- What Xero refused in words that the catalogue does not know, by text: numbers and quoted names apart. Counted for
-- as long as attempts are kept, also where a later try went through.
CREATE VIEW integrations_log.unknown_refusals AS
SELECT
    shape AS text,
    count(DISTINCT split_part(attempt_id, ':', 1)) AS calls,
    count(DISTINCT entry_id) AS entries,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen,
    (array_agg(refusal ORDER BY started_at DESC, attempt_id DESC))[1] AS example,
    (array_agg(entry_id ORDER BY started_at DESC, attempt_id DESC))[1] AS example_entry_id,
    array_agg(DISTINCT account) AS accounts
FROM (
    SELECT attempt_id, entry_id, account, started_at, refusal, refusal_shape AS shape
    FROM integrations_log.attempt
    WHERE refused = 'xero_refused'
) AS unknown
GROUP BY shape;

-- Issues of a log with many failures. Which there are, and how many of each, is read from this index alone; only
-- what is shown is looked up in the entries. Counts are those of the entries themselves, so they cannot go astray.
CREATE INDEX entry_failed ON integrations_log.entry
    (account, coalesce(issue_id, ''), queued_at, entry_id) INCLUDE (issue_id, finished_at) WHERE state = 'failed';

CREATE VIEW integrations_log.issue_sizes AS
SELECT account, coalesce(issue_id, '') AS issue_key, count(*) AS entries,
       min(coalesce(finished_at, queued_at)) AS first_seen, max(coalesce(finished_at, queued_at)) AS last_seen
FROM integrations_log.entry
WHERE state = 'failed'
GROUP BY account, coalesce(issue_id, '');

-- Reason, remedy and cause are those of the newest entry.
CREATE OR REPLACE VIEW integrations_log.issues AS
SELECT i.account, newest.reason_code, newest.reason, newest.remedy, i.entries, i.first_seen, i.last_seen,
       newest.samples, newest.cause, nullif(i.issue_key, '') AS issue_id
FROM integrations_log.issue_sizes AS i
CROSS JOIN LATERAL (
    SELECT (array_agg(reason_code))[1] AS reason_code, (array_agg(reason))[1] AS reason,
           (array_agg(remedy))[1] AS remedy, array_agg(coalesce(nullif(record_number, ''), record_id)) AS samples,
           (array_agg(cause))[1] AS cause
    FROM (
        SELECT reason_code, reason, remedy, record_number, record_id, cause
        FROM integrations_log.entry AS e
        WHERE e.state = 'failed' AND e.account = i.account AND coalesce(e.issue_id, '') = i.issue_key
        ORDER BY queued_at DESC, entry_id DESC
        LIMIT 5
    ) AS newest_first
) AS newest;

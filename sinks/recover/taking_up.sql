-- name: uncertain
-- By account: actions that the ledger has and that have not completed.
SELECT account, count(*) AS commands, count(DISTINCT (entity, record_id)) AS records
FROM ledger.commands WHERE account = ANY(%(accounts)s) AND state <> 'completed' GROUP BY account

-- name: known_accounts
SELECT account FROM connections.accounts UNION SELECT account FROM ledger.leases UNION SELECT DISTINCT account FROM ledger.commands

-- name: flag
UPDATE ledger.commands SET perhaps_sent = true
WHERE account = ANY(%(accounts)s) AND state <> 'completed' AND reason_code IS DISTINCT FROM 'event_id_reused'

-- name: give_up_calls
-- Nobody waits for these responses any more: their results are looked up by their marks.
UPDATE ledger.intents SET answered_at = clock_timestamp(), conclusion = 'recovered'
WHERE account = ANY(%(accounts)s) AND answered_at IS NULL

-- name: give_up_elements
UPDATE ledger.elements SET result = 'unknown', look_up_after = clock_timestamp() + make_interval(secs => %(trusted_in)s)
WHERE account = ANY(%(accounts)s) AND result = 'open'

-- name: raise_versions
-- Above those that the log has seen: otherwise it would take new ones for old. Open ones are sent to it again.
WITH raised AS (
    UPDATE ledger.commands c SET
        version = greatest(c.version, coalesce(e.version, 0)) + 1,
        state = CASE c.state WHEN 'running' THEN 'queued' ELSE c.state END,
        next_attempt_at = CASE WHEN c.state IN ('queued', 'running') THEN NULL ELSE c.next_attempt_at END,
        reason_code = CASE WHEN c.state IN ('queued', 'running') THEN NULL ELSE c.reason_code END,
        reason_args = CASE WHEN c.state IN ('queued', 'running') THEN '{}' ELSE c.reason_args END
    FROM ledger.commands known
    LEFT JOIN integrations_log.entry e ON e.entry_id = known.command_id::text
    WHERE known.command_id = c.command_id AND c.account = ANY(%(accounts)s) AND c.archived_at IS NULL
      AND (c.state <> 'completed' OR e.version > c.version)
    RETURNING c.*
)
SELECT * FROM raised ORDER BY seq

-- name: flagged_records
SELECT entity, record_id FROM ledger.commands WHERE account = %(account)s AND perhaps_sent GROUP BY entity, record_id

-- name: still_flagged
SELECT account, count(DISTINCT (entity, record_id)) AS records FROM ledger.commands WHERE perhaps_sent GROUP BY account
ORDER BY account

-- name: wake
SELECT pg_notify(%(channel)s, account) FROM unnest(%(accounts)s::text[]) AS account

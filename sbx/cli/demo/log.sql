-- name: entries
-- The demo has one account; a dead letter may name none.
SELECT entity, action, state, outcome, reason_code, reason, remedy, record_number, record_id, triggered_by,
       event_type, warnings,
       extract(epoch FROM finished_at - queued_at)::float8 AS seconds
FROM integrations_log.entry ORDER BY queued_at, entry_id

-- name: states
SELECT state, entries FROM integrations_log.tally WHERE account = %(account)s

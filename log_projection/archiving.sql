-- name: entries
SELECT entry_id, version, account, entity, record_id, record_number, action, state, outcome, reason_code, reason, remedy,
       warnings, party_name, amount, currency, salesbinder_url, attempts, queued_at, started_at, finished_at, xero_type,
       xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition, "offset",
       coalesce(first_triggered_by, triggered_by) AS triggered_by, coalesce(first_actor, actor) AS actor, cause, reference
FROM integrations_log.entry WHERE entry_id = ANY(%s) ORDER BY queued_at, entry_id

-- name: attempts
SELECT attempt_id, entry_id, account, number, step, method, path, started_at, finished_at, status, request, answer, error,
       refused, refusal, refusal_shape
FROM integrations_log.attempts WHERE entry_id = ANY(%s) ORDER BY entry_id, started_at, number

-- name: steps
SELECT entry_id, version, at, step, outcome, reason_code, reason, remedy, triggered_by, actor
FROM integrations_log.step WHERE entry_id = ANY(%s) ORDER BY entry_id, version

-- name: forget_steps
DELETE FROM integrations_log.step WHERE entry_id = ANY(%s)

-- name: forget_attempts
DELETE FROM integrations_log.attempt WHERE entry_id = ANY(%s)

-- name: forget_entries
DELETE FROM integrations_log.entry WHERE entry_id = ANY(%s)

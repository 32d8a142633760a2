-- name: entries
SELECT entry_id, version, account, entity, record_id, record_number, action, state, outcome, reason_code, reason, remedy,
       warnings, party_name, amount, currency, salesbinder_url, attempts, queued_at, started_at, finished_at, xero_type,
       xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition, "offset", triggered_by, actor,
       cause, reference
FROM integrations_log.entry WHERE entry_id = ANY(%s) ORDER BY queued_at, entry_id

-- name: attempts
SELECT attempt_id, entry_id, account, number, step, method, path, started_at, finished_at, status, request, answer, error,
       refused, refusal, refusal_shape
FROM integrations_log.attempts WHERE entry_id = ANY(%s) ORDER BY entry_id, started_at, number

-- name: forget_attempts
DELETE FROM integrations_log.attempt WHERE entry_id = ANY(%s)

-- name: forget_entries
DELETE FROM integrations_log.entry WHERE entry_id = ANY(%s)

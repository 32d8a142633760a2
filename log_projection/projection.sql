-- name: lock
-- One writer at a time, so that positions are seen in the order in which they were given.
SELECT pg_advisory_xact_lock(hashtext('integrations_log.position'));

-- name: entries
INSERT INTO integrations_log.entry AS e (
    entry_id, version, position, account, entity, record_id, record_number, action, state, outcome, reason_code,
    reason, remedy, warnings, party_name, amount, currency, salesbinder_url, attempts, next_attempt_at, queued_at,
    started_at, finished_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, event_time, topic,
    partition, "offset", triggered_by, actor, cause, reference, first_triggered_by, first_actor
)
SELECT
    r.entry_id, r.version, nextval('integrations_log.position_seq'), r.account, r.entity, r.record_id,
    coalesce(r.record_number, ''), r.action, r.state, r.outcome, r.reason_code, coalesce(r.reason, ''),
    coalesce(r.remedy, ''), coalesce(r.warnings, '[]'), coalesce(r.party_name, ''), r.amount,
    coalesce(r.currency, ''), coalesce(r.salesbinder_url, ''), coalesce(r.attempts, 0), r.next_attempt_at,
    r.queued_at, r.started_at, r.finished_at, coalesce(r.xero_type, ''), coalesce(r.xero_id, ''),
    coalesce(r.xero_number, ''), coalesce(r.xero_url, ''), coalesce(r.event_id, ''), coalesce(r.event_type, ''),
    r.event_time, coalesce(r.topic, ''), r.partition, r."offset", coalesce(r.triggered_by, 'event'),
    coalesce(r.actor, ''), coalesce(r.cause, ''), coalesce(r.reference, ''), r.first_triggered_by, r.first_actor
FROM jsonb_to_recordset(%s::jsonb) AS r (
    entry_id text, version integer, account text, entity text, record_id text, record_number text, action text,
    state text, outcome text, reason_code text, reason text, remedy text, warnings jsonb, party_name text,
    amount numeric, currency text, salesbinder_url text, attempts integer, next_attempt_at timestamptz,
    queued_at timestamptz, started_at timestamptz, finished_at timestamptz, xero_type text, xero_id text,
    xero_number text, xero_url text, event_id text, event_type text, event_time timestamptz, topic text,
    partition integer, "offset" bigint, triggered_by text, actor text, cause text, reference text,
    first_triggered_by text, first_actor text
)
-- What is said again of an action that is in the archive opens no entry: the transform stage's first word (version 0),
-- if it reads an event again, and results of long ago. Of anything else this is not asked: what is in the archive came
-- more than 30 days ago.
WHERE (r.version > 0 AND r.queued_at > now() - interval '30 days') OR (
    SELECT c.archived_at FROM ledger.commands AS c
    WHERE c.command_id = CASE WHEN r.entry_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN r.entry_id::uuid END
) IS NULL
ON CONFLICT (entry_id) DO UPDATE SET
    version = excluded.version,
    position = excluded.position,
    account = excluded.account,
    entity = excluded.entity,
    record_id = excluded.record_id,
    record_number = excluded.record_number,
    action = excluded.action,
    state = excluded.state,
    outcome = excluded.outcome,
    reason_code = excluded.reason_code,
    reason = excluded.reason,
    remedy = excluded.remedy,
    warnings = excluded.warnings,
    party_name = excluded.party_name,
    amount = excluded.amount,
    currency = excluded.currency,
    salesbinder_url = excluded.salesbinder_url,
    attempts = excluded.attempts,
    next_attempt_at = excluded.next_attempt_at,
    queued_at = excluded.queued_at,
    started_at = excluded.started_at,
    finished_at = excluded.finished_at,
    xero_type = excluded.xero_type,
    xero_id = excluded.xero_id,
    xero_number = excluded.xero_number,
    xero_url = excluded.xero_url,
    event_id = excluded.event_id,
    event_type = excluded.event_type,
    event_time = excluded.event_time,
    topic = excluded.topic,
    partition = excluded.partition,
    "offset" = excluded."offset",
    triggered_by = excluded.triggered_by,
    actor = excluded.actor,
    cause = excluded.cause,
    reference = excluded.reference,
    -- Those that a deliver stage of an earlier version does not name are in the row that is replaced.
    first_triggered_by = coalesce(e.first_triggered_by, excluded.first_triggered_by, CASE
        WHEN (e.triggered_by, e.actor) <> (excluded.triggered_by, excluded.actor) THEN e.triggered_by END),
    first_actor = coalesce(e.first_actor, excluded.first_actor, CASE
        WHEN (e.triggered_by, e.actor) <> (excluded.triggered_by, excluded.actor) THEN e.actor END)
WHERE e.version < excluded.version;

-- name: attempts
INSERT INTO integrations_log.attempt (
    attempt_id, entry_id, account, number, step, method, path, started_at, finished_at, status, request, answer, error, refused,
    refusal, refusal_shape, fragments
)
SELECT
    m.attempt_id, r.entry_id, r.account, m.number, m.step, m.method, m.path, m.started_at, m.finished_at, m.status,
    coalesce(m.request, ''), coalesce(m.answer, ''), coalesce(m.error, ''), coalesce(m.refused, ''),
    coalesce(m.refusal, ''), coalesce(m.refusal_shape, ''), m.fragments
FROM jsonb_to_recordset(%s::jsonb) AS r (entry_id text, account text, made jsonb)
CROSS JOIN LATERAL jsonb_to_recordset(r.made) AS m (
    attempt_id text, number integer, step text, method text, path text, started_at timestamptz,
    finished_at timestamptz, status integer, request text, answer text, error text, refused text, refusal text,
    refusal_shape text, fragments smallint
)
ON CONFLICT (attempt_id) DO NOTHING;

-- name: fragments
SELECT integrations_log.marks_1() AS marks, integrations_log.fragments_1() AS fragments
-- name: steps
-- What is told again of an action that is in the archive has no entry here, and gets no steps.
INSERT INTO integrations_log.step (
    entry_id, version, at, step, outcome, reason_code, reason, remedy, triggered_by, actor
)
SELECT
    r.entry_id, r.version, r.at, r.step, r.outcome, r.reason_code, nullif(r.reason, ''), nullif(r.remedy, ''),
    nullif(r.triggered_by, ''), nullif(r.actor, '')
FROM jsonb_to_recordset(%s::jsonb) AS r (
    entry_id text, version integer, at timestamptz, step text, outcome text, reason_code text, reason text,
    remedy text, triggered_by text, actor text
)
WHERE EXISTS (SELECT FROM integrations_log.entry AS e WHERE e.entry_id = r.entry_id)
ON CONFLICT (entry_id, version) DO NOTHING;

-- name: holds
INSERT INTO integrations_log.account_hold AS h (account, version, at, held, reason, remedy, until)
SELECT r.account, r.version, r.at, r.held, coalesce(r.reason, ''), coalesce(r.remedy, ''), r.until
FROM jsonb_to_recordset(%s::jsonb) AS r (
    account text, version integer, at timestamptz, held text, reason text, remedy text, until timestamptz
)
ON CONFLICT (account) DO UPDATE SET
    version = excluded.version,
    at = excluded.at,
    held = excluded.held,
    reason = excluded.reason,
    remedy = excluded.remedy,
    until = excluded.until
WHERE h.version < excluded.version;

-- name: hold_steps
INSERT INTO integrations_log.hold_step (account, version, at, held, reason, until)
SELECT r.account, r.version, r.at, nullif(r.held, 'xero_minute_limit'), nullif(r.reason, ''), r.until
FROM jsonb_to_recordset(%s::jsonb) AS r (
    account text, version integer, at timestamptz, held text, reason text, until timestamptz
)
ON CONFLICT (account, version) DO NOTHING;

-- name: notify
NOTIFY integrations_log;

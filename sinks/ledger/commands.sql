-- name: retry
UPDATE ledger.commands c SET
    state = 'queued', reason_code = NULL, reason_args = '{}', revision = revision + 1, version = version + 1,
    next_attempt_at = NULL, finished_at = NULL, triggered_by = %(triggered_by)s, actor = %(actor)s
WHERE command_id = ANY(%(command_ids)s::uuid[]) AND state = 'failed'
  AND reason_code NOT IN ('event_id_reused', 'overtaken')
RETURNING
-- include: entry_columns.sql

-- name: resend
UPDATE ledger.commands c SET
    state = 'queued', outcome = NULL, reason_code = NULL, reason_args = '{}', warnings = '[]', acted = false,
    perhaps_acted = false,
    revision = revision + 1, version = version + 1, next_attempt_at = NULL, finished_at = NULL,
    triggered_by = 'drift', actor = %(actor)s, archived_at = NULL
WHERE command_id = ANY(%(command_ids)s::uuid[]) AND state IN ('completed', 'failed')
  AND reason_code IS DISTINCT FROM 'event_id_reused'
  -- Of what is in the archive, only the newest of a customer or supplier is still whole.
  AND (archived_at IS NULL OR (entity IN ('customer', 'supplier') AND body <> '{}'))
RETURNING
-- include: entry_columns.sql

-- name: skip
UPDATE ledger.commands c SET
    state = 'completed', outcome = 'skipped_by_operator', reason_code = NULL, reason_args = '{}',
    warnings = %(warnings)s::jsonb, version = version + 1, next_attempt_at = NULL,
    started_at = coalesce(started_at, clock_timestamp()), finished_at = clock_timestamp(), actor = %(actor)s
WHERE command_id = ANY(%(command_ids)s::uuid[]) AND state IN ('failed', 'queued')
RETURNING
-- include: entry_columns.sql

-- name: standing
SELECT command_id::text, account, state, outcome, reason_code, actor FROM ledger.commands
WHERE command_id = ANY(%(command_ids)s::uuid[])

-- name: undecided
SELECT account, entity, record_id, state, outcome, reason_code, reason_args FROM ledger.commands
WHERE command_id = %(command_id)s

-- name: hold_undecided
SELECT account, entity, record_id, state, outcome, reason_code, reason_args FROM ledger.commands
WHERE command_id = %(command_id)s FOR UPDATE

-- name: hold_account
SELECT 1 FROM ledger.leases WHERE account = (SELECT account FROM ledger.commands WHERE command_id = %(command_id)s)
FOR UPDATE

-- name: decide
-- Commands merged into the action that failed wait for the same decision.
UPDATE ledger.commands c SET
    state = 'queued', perhaps_acted = false, reason_code = NULL, reason_args = '{}', revision = revision + 1, version = version + 1,
    next_attempt_at = NULL, finished_at = NULL, triggered_by = 'decision', actor = %(actor)s
WHERE account = %(account)s AND entity = %(entity)s AND record_id = %(record_id)s
  AND state = 'failed' AND reason_code = 'needs_review' AND reason_args ->> 'target' = %(target)s
RETURNING
-- include: entry_columns.sql

-- name: steps
-- At most a hundred of each, the newest: a message must not grow with every retry for ever.
SELECT n.* FROM (
    SELECT command_id::text, version, at, step, outcome, reason_code, reason_args, warnings, triggered_by, actor,
           row_number() OVER (PARTITION BY command_id ORDER BY version DESC) AS back
    FROM ledger.steps
    WHERE command_id = ANY(%(command_ids)s::uuid[])
) AS n
WHERE n.back <= 100
ORDER BY n.command_id, n.version

-- name: adopted
UPDATE ledger.steps s SET step = 'adopted' FROM ledger.commands c
WHERE c.command_id = ANY(%(command_ids)s::uuid[]) AND s.command_id = c.command_id AND s.version = c.version

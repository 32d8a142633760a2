-- name: begin
BEGIN ISOLATION LEVEL REPEATABLE READ

-- name: open_commands
SELECT body FROM ledger.commands
WHERE account = %(account)s AND state IN ('queued', 'running')
  AND (entity, record_id) IN (SELECT * FROM unnest(%(entities)s::text[], %(records)s::text[]))

-- name: tables
CREATE TEMP TABLE ledger_commands (LIKE ledger.commands INCLUDING ALL);
CREATE TEMP TABLE ledger_snapshots (LIKE ledger.snapshots INCLUDING ALL);
CREATE TEMP TABLE ledger_links (LIKE ledger.links INCLUDING ALL);
CREATE TEMP TABLE ledger_intents (LIKE ledger.intents INCLUDING ALL);
CREATE TEMP TABLE ledger_elements (LIKE ledger.elements INCLUDING ALL);
CREATE TEMP TABLE ledger_leases (LIKE ledger.leases INCLUDING ALL);
CREATE TEMP TABLE ledger_accounts (LIKE ledger.accounts INCLUDING ALL);
CREATE TEMP TABLE ledger_drift (LIKE ledger.drift INCLUDING ALL);
CREATE TEMP TABLE ledger_outbox (LIKE ledger.outbox INCLUDING ALL);
CREATE TEMP TABLE ledger_exchange_rates (LIKE ledger.exchange_rates INCLUDING ALL);
CREATE TEMP TABLE ledger_generation (LIKE ledger.generation INCLUDING ALL);
-- Not the whole row: it holds secrets.
CREATE TEMP TABLE connections_accounts (account text PRIMARY KEY, tenant_id text, enabled_at timestamptz,
                                        connected_at timestamptz, paused_reason text);
CREATE TEMP TABLE connections_settings (LIKE connections.settings INCLUDING ALL);
CREATE TEMP TABLE connections_facts (LIKE connections.facts INCLUDING ALL);

-- name: copy_commands
INSERT INTO pg_temp.ledger_commands
    (seq, command_id, account, entity, record_id, action, content_hash, event_time, body, state, outcome, reason_code,
     reason_args, warnings, acted, perhaps_acted, attempts, revision, version, next_attempt_at, queued_at, started_at, finished_at,
     xero_type, xero_id, xero_number, triggered_by, actor, share)
OVERRIDING SYSTEM VALUE
SELECT seq, command_id, account, entity, record_id, action, content_hash, event_time, body,
       CASE state WHEN 'running' THEN 'queued' ELSE state END, outcome, reason_code,
       reason_args, warnings, acted, perhaps_acted, attempts, revision, version, NULL, queued_at, started_at, finished_at,
       xero_type, xero_id, xero_number, triggered_by, actor, share
FROM ledger.commands
WHERE account = %(account)s
  AND (entity, record_id) IN (SELECT * FROM unnest(%(entities)s::text[], %(records)s::text[]))

-- name: copy_event_ids
INSERT INTO pg_temp.ledger_commands
    (seq, command_id, account, entity, record_id, action, content_hash, event_time, body, state, version)
OVERRIDING SYSTEM VALUE
SELECT seq, command_id, account, entity, record_id, action, content_hash, event_time, body, 'completed', version
FROM ledger.commands WHERE command_id = ANY(%(command_ids)s::uuid[])
ON CONFLICT (command_id) DO NOTHING

-- name: give_bodies
-- What the archive has left of an action is no whole command; the event that was given is the same.
UPDATE pg_temp.ledger_commands t SET body = u.body
FROM unnest(%(command_ids)s::uuid[], %(content_hashes)s::text[], %(bodies)s::bytea[]) AS u (command_id, content_hash, body)
JOIN ledger.commands c ON c.command_id = u.command_id AND c.archived_at IS NOT NULL
WHERE t.command_id = u.command_id AND t.content_hash = u.content_hash

-- name: go_on_counting
SELECT setval(pg_get_serial_sequence('pg_temp.ledger_commands', 'seq'), coalesce(max(seq), 0) + 1)
FROM pg_temp.ledger_commands

-- name: copy_snapshots
INSERT INTO pg_temp.ledger_snapshots
SELECT * FROM ledger.snapshots
WHERE account = %(account)s
  AND (entity, record_id) IN (SELECT * FROM unnest(%(snapshot_entities)s::text[], %(snapshot_records)s::text[]))

-- name: copy_links
INSERT INTO pg_temp.ledger_links
WITH named AS (
    SELECT kind, record_id, transaction_id, xero_id FROM ledger.links
    WHERE account = %(account)s
      AND (record_id = ANY(%(link_records)s)
           OR (kind IN ('contact', 'invoice', 'purchase_order') AND xero_number = ANY(%(called)s))))
SELECT l.* FROM ledger.links l
WHERE l.account = %(account)s
  AND ((l.kind, l.record_id, l.transaction_id) IN (SELECT kind, record_id, transaction_id FROM named)
       OR (l.kind = 'contact' AND l.xero_id IN (SELECT xero_id FROM named WHERE kind = 'contact')))

-- name: copy_elements
INSERT INTO pg_temp.ledger_elements
SELECT * FROM ledger.elements
WHERE account = %(account)s AND result = 'unknown' AND record_id = ANY(%(records)s)

-- name: copy_exchange_rates
INSERT INTO pg_temp.ledger_exchange_rates SELECT * FROM ledger.exchange_rates WHERE account = %(account)s

-- name: copy_drift
INSERT INTO pg_temp.ledger_drift
SELECT * FROM ledger.drift WHERE account = %(account)s AND record_id = ANY(%(records)s)

-- name: copy_connection
INSERT INTO pg_temp.connections_accounts
SELECT account, tenant_id, enabled_at, connected_at, paused_reason FROM connections.accounts WHERE account = %(account)s

-- name: copy_settings
INSERT INTO pg_temp.connections_settings SELECT * FROM connections.settings WHERE account = %(account)s

-- name: copy_facts
INSERT INTO pg_temp.connections_facts SELECT * FROM connections.facts WHERE account = %(account)s

-- name: lease
INSERT INTO pg_temp.ledger_leases (account, holder, fence, expires_at) VALUES (%(account)s, 0, 0, 'infinity')

-- name: generation
-- A preview is made while everything is held, too.
INSERT INTO pg_temp.ledger_generation DEFAULT VALUES

-- name: plan_only
BEGIN READ ONLY

-- name: links
SELECT kind, record_id, transaction_id, xero_id, xero_number, seq, removed, facts FROM pg_temp.ledger_links

-- name: snapshots
SELECT entity, record_id FROM pg_temp.ledger_snapshots

-- name: states
SELECT command_id, state, content_hash FROM pg_temp.ledger_commands

-- name: waiting
SELECT count(*) AS waiting FROM pg_temp.ledger_commands
WHERE state = 'queued' AND NOT command_id = ANY(%(command_ids)s::uuid[])

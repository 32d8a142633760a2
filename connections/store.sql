-- name: load
SELECT a.account, a.tenant_id, a.tenant_name, a.client_id, a.enabled_at, a.connected_at, a.status, a.status_reason,
       a.paused_at, a.paused_by, a.paused_reason, f.body::text AS facts,
       (SELECT coalesce(jsonb_object_agg(s.key, s.value), '{}') FROM connections.settings s
         WHERE s.account = a.account) AS written
  FROM connections.accounts a LEFT JOIN connections.facts f ON f.account = a.account
 WHERE %(accounts)s::text[] IS NULL OR a.account = ANY(%(accounts)s)
 ORDER BY a.account

-- name: addresses
SELECT account, key, value FROM connections.settings
 WHERE account = ANY(%(accounts)s) AND key IN ('document_url', 'account_url')

-- name: others
SELECT o.account FROM connections.accounts o JOIN connections.accounts a USING (tenant_id)
 WHERE a.account = %(account)s AND o.account <> a.account
 ORDER BY o.account

-- name: insert_account
INSERT INTO connections.accounts
       (account, tenant_id, tenant_name, auth_kind, client_id, client_secret_encrypted, enabled_at, connected_at)
VALUES (%(account)s, %(tenant_id)s, %(tenant_name)s, %(auth_kind)s, %(client_id)s,
        %(client_secret_encrypted)s, coalesce(%(enabled_at)s::timestamptz, now()), now())
    ON CONFLICT (account) DO NOTHING
RETURNING tenant_id, enabled_at

-- name: lock_account
SELECT tenant_id, enabled_at, connected_at, paused_reason FROM connections.accounts WHERE account = %(account)s FOR NO KEY UPDATE

-- name: update_account
UPDATE connections.accounts
   SET tenant_id = %(tenant_id)s, tenant_name = %(tenant_name)s, auth_kind = %(auth_kind)s,
       client_id = %(client_id)s, client_secret_encrypted = %(client_secret_encrypted)s,
       enabled_at = coalesce(%(enabled_at)s::timestamptz, enabled_at),
       connected_at = now(), status = 'connected', status_reason = ''
 WHERE account = %(account)s

-- name: begin_tokens
INSERT INTO connections.tokens (account, refresh_token_encrypted)
VALUES (%(account)s, %(refresh_token_encrypted)s)
    ON CONFLICT (account) DO UPDATE
   SET token_encrypted = NULL, expires_at = NULL, refresh_token_encrypted = excluded.refresh_token_encrypted

-- name: forget_facts
DELETE FROM connections.facts WHERE account = %(account)s

-- name: set_enabled_at
UPDATE connections.accounts SET enabled_at = %(value)s::timestamptz WHERE account = %(account)s

-- name: read_setting
SELECT value FROM connections.settings WHERE account = %(account)s AND key = %(key)s

-- name: write_setting
INSERT INTO connections.settings (account, key, value) VALUES (%(account)s, %(key)s, %(value)s)
    ON CONFLICT (account, key) DO UPDATE SET value = excluded.value

-- name: remove_setting
DELETE FROM connections.settings WHERE account = %(account)s AND key = %(key)s

-- name: record_change
INSERT INTO connections.settings_history (account, actor, key, old, new)
VALUES (%(account)s, %(actor)s, %(key)s, %(old)s, %(new)s)

-- name: history
SELECT at, actor, key, old, new FROM connections.settings_history WHERE account = %(account)s
   AND (%(key)s::text IS NULL OR key = %(key)s)
 ORDER BY id

-- name: pause
UPDATE connections.accounts SET paused_at = now(), paused_by = %(actor)s, paused_reason = %(reason)s
 WHERE account = %(account)s

-- name: resume
UPDATE connections.accounts SET paused_at = NULL, paused_by = NULL, paused_reason = NULL
 WHERE account = %(account)s

-- name: mark_lost
UPDATE connections.accounts SET status = 'lost', status_reason = %(reason)s WHERE account = %(account)s

-- name: credentials
SELECT a.tenant_id, a.client_id, a.client_secret_encrypted, t.refresh_token_encrypted, t.token_encrypted,
       t.expires_at
  FROM connections.tokens t JOIN connections.accounts a ON a.account = t.account
 WHERE t.account = %(account)s

-- name: lock_tokens
-- A statement of its own: one that waits for the lock sees the account as it was before it waited.
SELECT FROM connections.tokens WHERE account = %(account)s FOR UPDATE

-- name: save_token
UPDATE connections.tokens
   SET token_encrypted = %(token_encrypted)s, expires_at = %(expires_at)s,
       refresh_token_encrypted = coalesce(%(refresh_token_encrypted)s::bytea, refresh_token_encrypted)
 WHERE account = %(account)s

-- name: save_facts
INSERT INTO connections.facts (account, body, fetched_at)
VALUES (%(account)s, %(body)s::jsonb, %(fetched_at)s)
    ON CONFLICT (account) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at

-- name: notify
SELECT pg_notify(%(channel)s, %(account)s)

-- name: insert
INSERT INTO web.users (name, role, password_hash, accounts, created_by)
VALUES (%(name)s, %(role)s, %(password_hash)s, %(accounts)s, %(created_by)s)
ON CONFLICT (name) DO NOTHING

-- name: delete
DELETE FROM web.users WHERE name = %s

-- name: all
SELECT u.name, u.role, u.accounts, u.password_hash IS NOT NULL AS has_password, u.created_at, u.created_by,
       (SELECT count(*) FROM web.tokens t WHERE t.user_name = u.name AND t.expires_at > clock_timestamp()) AS tokens
FROM web.users u ORDER BY u.name

-- name: set_password
UPDATE web.users SET password_hash = %(password_hash)s WHERE name = %(name)s

-- name: set_role
UPDATE web.users SET role = %(role)s WHERE name = %(name)s

-- name: end_sessions
DELETE FROM web.sessions WHERE user_name = %s

-- name: count_others
SELECT count(*) FROM web.users WHERE name <> %s

-- name: lock
LOCK TABLE web.users IN SHARE ROW EXCLUSIVE MODE

-- name: tokens
SELECT user_name, label, created_at, last_used_at, expires_at FROM web.tokens
WHERE (%(user_name)s::text IS NULL OR user_name = %(user_name)s) AND expires_at > clock_timestamp()
ORDER BY user_name, label

-- name: revoke
DELETE FROM web.tokens
WHERE user_name = %(user_name)s AND (%(label)s::text IS NULL OR label = %(label)s)

-- name: new_token
INSERT INTO web.tokens AS t (key_hash, user_name, label, expires_at)
SELECT %(key_hash)s, name, %(label)s, clock_timestamp() + make_interval(days => %(days)s)
FROM web.users WHERE name = %(user_name)s
ON CONFLICT (user_name, label) DO UPDATE
SET key_hash = excluded.key_hash, created_at = excluded.created_at, expires_at = excluded.expires_at,
    last_used_at = NULL

-- name: new_link
INSERT INTO web.links (key_hash, user_name, expires_at)
SELECT %(key_hash)s, name, clock_timestamp() + make_interval(secs => %(seconds)s)
FROM web.users WHERE name = %(user_name)s

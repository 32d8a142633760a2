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

-- name: password_hash
SELECT password_hash FROM web.users WHERE name = %s

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

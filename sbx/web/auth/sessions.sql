-- name: forget_old
DELETE FROM web.sessions WHERE expires_at <= clock_timestamp()

-- name: start
INSERT INTO web.sessions (key_hash, user_name, expires_at)
VALUES (%(key_hash)s, %(user_name)s, clock_timestamp() + make_interval(secs => %(seconds)s))

-- name: session_user
SELECT u.name, u.role, u.accounts FROM web.sessions s JOIN web.users u ON u.name = s.user_name
WHERE s.key_hash = %s AND s.expires_at > clock_timestamp()

-- name: end
DELETE FROM web.sessions WHERE key_hash = %s

-- name: token_user
SELECT u.name, u.role, u.accounts, t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute' AS stale
FROM web.tokens t JOIN web.users u ON u.name = t.user_name
WHERE t.key_hash = %s AND t.expires_at > clock_timestamp()

-- name: note_use
UPDATE web.tokens SET last_used_at = clock_timestamp() WHERE key_hash = %s

-- name: sessions
SELECT left(encode(key_hash, 'hex'), 16) AS id, created_at, expires_at, key_hash = %(key_hash)s AS this_one
FROM web.sessions WHERE user_name = %(user_name)s AND expires_at > clock_timestamp() ORDER BY created_at DESC

-- name: end_one
DELETE FROM web.sessions WHERE user_name = %(user_name)s AND left(encode(key_hash, 'hex'), 16) = %(id)s

-- name: redeem_link
WITH used AS (DELETE FROM web.links WHERE key_hash = %s OR expires_at <= clock_timestamp()
              RETURNING key_hash, user_name, expires_at)
SELECT user_name FROM used WHERE key_hash = %s AND expires_at > clock_timestamp()

-- name: password_hash
SELECT password_hash FROM web.users WHERE name = %s

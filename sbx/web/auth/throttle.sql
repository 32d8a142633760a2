-- name: lock
SELECT pg_advisory_xact_lock(hashtext('web.sign_in_attempts ' || %(address)s))

-- name: forget_old
-- Those that another process is forgetting are left to it.
DELETE FROM web.sign_in_attempts WHERE id IN (
    SELECT id FROM web.sign_in_attempts WHERE at < clock_timestamp() - make_interval(secs => %(window)s)
    LIMIT 1000 FOR UPDATE SKIP LOCKED)

-- name: count
SELECT count(*) FILTER (WHERE user_name = %(user_name)s) AS both,
       count(*) AS all_of_source,
       coalesce(extract(epoch FROM clock_timestamp() - max(at) FILTER (WHERE user_name = %(user_name)s)), 0)::float8
           AS both_since,
       coalesce(extract(epoch FROM clock_timestamp() - max(at)), 0)::float8 AS source_since
FROM web.sign_in_attempts
WHERE address = %(address)s AND at >= clock_timestamp() - make_interval(secs => %(window)s)

-- name: note
INSERT INTO web.sign_in_attempts (user_name, address) VALUES (%(user_name)s, %(address)s)

-- name: forgive
DELETE FROM web.sign_in_attempts WHERE user_name = %(user_name)s AND address = %(address)s

-- name: known
SELECT EXISTS (SELECT FROM web.known_browsers WHERE key_hash = %(key_hash)s AND user_name = %(user_name)s
               AND seen_at > clock_timestamp() - make_interval(secs => %(seconds)s))

-- name: given
SELECT EXISTS (SELECT FROM web.known_browsers WHERE key_hash = %(key_hash)s)

-- name: remember
INSERT INTO web.known_browsers (key_hash, user_name) VALUES (%(key_hash)s, %(user_name)s)
ON CONFLICT (key_hash, user_name) DO UPDATE SET seen_at = clock_timestamp()

-- name: forget_browsers
DELETE FROM web.known_browsers
WHERE user_name = %(user_name)s AND seen_at <= clock_timestamp() - make_interval(secs => %(seconds)s)

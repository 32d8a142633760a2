-- name: lock
SELECT pg_advisory_xact_lock(hashtext('web.sign_in_attempts'))

-- name: forget_old
DELETE FROM web.sign_in_attempts WHERE at < clock_timestamp() - make_interval(secs => %(window)s)

-- name: count
SELECT count(*) FILTER (WHERE user_name = %(user_name)s AND address = %(address)s) AS both,
       count(*) FILTER (WHERE address = %(address)s) AS address,
       count(*) FILTER (WHERE user_name = %(user_name)s) AS user_name
FROM web.sign_in_attempts

-- name: note
INSERT INTO web.sign_in_attempts (user_name, address) VALUES (%(user_name)s, %(address)s)

-- name: forgive
DELETE FROM web.sign_in_attempts WHERE user_name = %(user_name)s AND address = %(address)s

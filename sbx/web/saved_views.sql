-- name: names
SELECT name FROM web.views WHERE user_name = %s ORDER BY lower(name), name

-- name: query
SELECT query FROM web.views WHERE user_name = %s AND name = %s

-- name: save
INSERT INTO web.views (user_name, name, query)
SELECT %(user_name)s, %(name)s, %(query)s
WHERE (SELECT count(*) FROM web.views WHERE user_name = %(user_name)s AND name <> %(name)s) < %(most)s
ON CONFLICT (user_name, name) DO UPDATE SET query = excluded.query, made_at = now()

-- name: delete
DELETE FROM web.views WHERE user_name = %s AND name = %s

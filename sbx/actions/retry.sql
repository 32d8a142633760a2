-- name: load
SELECT id, at, actor, act, target, note, ended_at, result FROM web.acts
WHERE id = %(id)s AND actor = %(actor)s AND act IN ('retry', 'skip')

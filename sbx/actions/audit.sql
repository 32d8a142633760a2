-- name: begin
INSERT INTO web.acts (actor, address, act, target, note)
VALUES (%(actor)s, %(address)s, %(act)s, %(target)s::jsonb, %(note)s)
RETURNING id

-- name: end
UPDATE web.acts SET ended_at = clock_timestamp(), result = %(result)s::jsonb WHERE id = %(id)s

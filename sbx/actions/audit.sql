-- name: begin
INSERT INTO web.acts (actor, address, act, target, note)
VALUES (%(actor)s, %(address)s, %(act)s, %(target)s::jsonb, %(note)s)
RETURNING id

-- name: end
UPDATE web.acts SET ended_at = clock_timestamp(), result = %(result)s::jsonb WHERE id = %(id)s

-- name: acts
SELECT id, at, actor, address, act, target, note, ended_at, result FROM web.acts
WHERE (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND (%(act)s::text IS NULL OR act = %(act)s)
  AND (%(account)s::text IS NULL OR target ->> 'account' = %(account)s OR target -> 'filters' ->> 'account' = %(account)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
  AND (%(before)s::bigint IS NULL OR id < %(before)s)
  AND (%(accounts)s::text[] IS NULL OR actor = %(own)s OR target ->> 'account' = ANY(%(accounts)s))
ORDER BY id DESC LIMIT %(limit)s

-- name: held
SELECT account FROM web.setups
WHERE account = %(account)s AND finished_at IS NULL AND switched_on_at IS NULL

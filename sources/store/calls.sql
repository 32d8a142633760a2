-- name: lock
SELECT account, clock_timestamp() AS now, held_until, hinted_at FROM source.accounts WHERE account = %(account)s FOR UPDATE

-- name: sent
SELECT at FROM source.calls WHERE account = %(account)s AND at > clock_timestamp() - interval '65 seconds'

-- name: count_made
INSERT INTO source.calls (account, at, background)
SELECT account, clock_timestamp(), false FROM source.accounts, generate_series(1, %(calls)s) WHERE account = %(account)s

-- name: standing
SELECT number, id::text AS id, intake, intake_at, held_at, held_args FROM ledger.generation

-- name: marks
SELECT account, mark, marked_at FROM ledger.leases

-- name: hold
UPDATE ledger.generation SET held_at = clock_timestamp(), held_args = %(held_args)s WHERE held_at IS NULL
   AND id = %(id)s RETURNING held_at

-- name: hold_accounts
-- Versions far above those that may still be on their way to the log from before the restore.
INSERT INTO ledger.accounts AS a (account, held, held_args, held_until, version)
SELECT account, %(held)s, %(held_args)s, NULL, 1000
FROM (SELECT account FROM connections.accounts UNION SELECT account FROM ledger.accounts) AS known
ON CONFLICT (account) DO UPDATE SET held = excluded.held, held_args = excluded.held_args, held_until = NULL,
    version = a.version + 1000
RETURNING account, version, clock_timestamp() AS at

-- name: release_accounts
UPDATE ledger.accounts SET held = NULL, held_args = '{}', version = version + 1
WHERE held = %(held)s RETURNING account, version, clock_timestamp() AS at

-- name: renew
UPDATE ledger.generation SET number = greatest(number, %(number)s) + 1, id = gen_random_uuid(),
    made_at = clock_timestamp(), held_at = NULL, held_args = '{}'
RETURNING number, id::text AS id

-- name: lock
SELECT held_at FROM ledger.generation FOR UPDATE

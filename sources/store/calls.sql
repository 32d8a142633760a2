-- name: lock_lease
-- The lock that a reader's transaction has while it counts a call of its own. Before the account, as the reader does.
SELECT FROM source.leases WHERE account = %(account)s FOR UPDATE

-- name: lock
-- Those that ask beside a reader wait for each other where nobody has read the account yet, too.
SELECT clock_timestamp() AS now, held_until, trouble, failures, hinted_at
FROM source.accounts WHERE account = %(account)s FOR NO KEY UPDATE

-- name: sent
SELECT at FROM source.calls WHERE account = %(account)s AND at > clock_timestamp() - interval '65 seconds'

-- name: lock_name
-- Nothing is there to lock of an account that is not connected: its name is locked.
SELECT clock_timestamp() AS now FROM pg_advisory_xact_lock(hashtextextended('source.calls ' || %(account)s, 0))

-- name: begin
INSERT INTO web.setups (account, steps_left) VALUES (%(account)s, %(steps_left)s) ON CONFLICT (account) DO NOTHING

-- name: load
SELECT begun_at, sample, left_out, start_chosen, previewed, switched_on_at, finished_at, steps_left, look_problem,
       -- One that has not ended by then died with its process.
       coalesce(look_begun_at > clock_timestamp() - interval '3 minutes', false) AS is_looking
FROM web.setups WHERE account = %(account)s

-- name: count
UPDATE web.setups
SET steps_left = %(steps_left)s,
    finished_at = CASE WHEN %(steps_left)s = 0 THEN coalesce(finished_at, clock_timestamp()) END,
    sample = CASE WHEN %(steps_left)s = 0 THEN NULL ELSE sample END
WHERE account = %(account)s AND finished_at IS NULL

-- name: leave_out
UPDATE web.setups SET left_out = %(keys)s WHERE account = %(account)s

-- name: choose_start
UPDATE web.setups SET start_chosen = %(start)s WHERE account = %(account)s

-- name: accept_preview
UPDATE web.setups SET previewed = %(digest)s WHERE account = %(account)s

-- name: switch_on
UPDATE web.setups SET switched_on_at = coalesce(switched_on_at, clock_timestamp()) WHERE account = %(account)s

-- name: unfinished
SELECT account FROM web.setups
WHERE finished_at IS NULL AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s)) ORDER BY account

-- name: begin_look
UPDATE web.setups SET look_begun_at = clock_timestamp(), look_problem = '' WHERE account = %(account)s

-- name: fail_look
UPDATE web.setups SET look_begun_at = NULL, look_problem = %(problem)s WHERE account = %(account)s

-- name: keep_sample
UPDATE web.setups SET sample = %(sample)s::jsonb, look_begun_at = NULL, look_problem = ''
WHERE account = %(account)s

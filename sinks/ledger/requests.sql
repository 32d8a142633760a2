-- name: ask
INSERT INTO ledger.requests (request_id, account, kind) VALUES (%(request_id)s, %(account)s, 'facts')

-- name: wake
SELECT pg_notify('sbx_lane', %(account)s)

-- name: answer
SELECT answered_at IS NOT NULL AS answered, error FROM ledger.requests WHERE request_id = %(request_id)s

-- name: newest
SELECT asked_at, answered_at, error FROM ledger.requests WHERE account = %(account)s AND kind = 'facts'
ORDER BY asked_at DESC LIMIT 1

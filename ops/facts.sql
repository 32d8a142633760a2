-- name: ask
INSERT INTO ledger.requests (request_id, account, kind) VALUES (%(request_id)s, %(account)s, 'facts')

-- name: wake
SELECT pg_notify('sbx_lane', %(account)s)

-- name: listen
LISTEN sbx_requests

-- name: answer
SELECT answered_at IS NOT NULL AS answered, error FROM ledger.requests WHERE request_id = %(request_id)s

-- name: listen
LISTEN sbx_requests

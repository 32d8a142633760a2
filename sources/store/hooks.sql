-- name: make
INSERT INTO source.hooks (account, token_hash, token_encrypted) VALUES (%(account)s, %(hash)s, %(encrypted)s)
ON CONFLICT (account) DO NOTHING

-- name: renew
INSERT INTO source.hooks (account, token_hash, token_encrypted) VALUES (%(account)s, %(hash)s, %(encrypted)s)
ON CONFLICT (account) DO UPDATE
SET token_hash = excluded.token_hash, token_encrypted = excluded.token_encrypted, made_at = clock_timestamp(),
    last_at = NULL

-- name: of
SELECT token_encrypted, made_at, last_at FROM source.hooks WHERE account = %(account)s

-- name: known
SELECT token_hash, account FROM source.hooks

-- name: came
UPDATE source.hooks SET last_at = clock_timestamp() WHERE account = %(account)s

-- name: connect
INSERT INTO source.feeds (account, api_key_encrypted) VALUES (%(account)s, %(key)s)
ON CONFLICT (account) DO UPDATE
SET api_key_encrypted = excluded.api_key_encrypted, cursor = NULL, trouble = '', failures = 0, held_until = NULL

-- name: disconnect
DELETE FROM source.feeds WHERE account = %(account)s RETURNING account

-- name: keys
SELECT account, api_key_encrypted FROM source.feeds

-- name: load
SELECT cursor, failures, held_until, clock_timestamp() AS now FROM source.feeds
WHERE account = %(account)s AND api_key_encrypted = %(key)s

-- name: read
UPDATE source.feeds
SET cursor = %(cursor)s, trouble = '', failures = 0, held_until = NULL,
    last_at = CASE WHEN %(whole)s THEN clock_timestamp() ELSE last_at END
WHERE account = %(account)s AND api_key_encrypted = %(key)s

-- name: trouble
UPDATE source.feeds SET trouble = %(trouble)s, failures = failures + 1, held_until = %(until)s
WHERE account = %(account)s AND api_key_encrypted = %(key)s

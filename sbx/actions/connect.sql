-- name: forget_old
DELETE FROM web.agreements WHERE expires_at <= clock_timestamp()

-- name: ask
INSERT INTO web.agreements (state_hash, session_hash, account, tenant_id, client_id, client_secret_encrypted,
                            verifier_encrypted, redirect_uri, expires_at)
VALUES (%(state_hash)s, %(session_hash)s, %(account)s, %(tenant_id)s, %(client_id)s, %(client_secret_encrypted)s,
        %(verifier_encrypted)s, %(redirect_uri)s, clock_timestamp() + make_interval(secs => %(seconds)s))

-- name: take
-- Only once, and only in the session that requested it.
DELETE FROM web.agreements
WHERE state_hash = %(state_hash)s AND session_hash = %(session_hash)s AND expires_at > clock_timestamp()
RETURNING account, tenant_id, client_id, client_secret_encrypted, verifier_encrypted, redirect_uri

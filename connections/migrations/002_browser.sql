-- Connections that somebody agreed to in the browser: a refresh token, and no secret where the app has none.

ALTER TABLE connections.accounts
    ALTER COLUMN client_secret_encrypted DROP NOT NULL,
    DROP CONSTRAINT accounts_auth_kind_check,
    ADD CONSTRAINT accounts_auth_kind_check CHECK (auth_kind IN ('client_credentials', 'authorization_code')),
    ADD CONSTRAINT accounts_secret_check
        CHECK (auth_kind = 'authorization_code' OR client_secret_encrypted IS NOT NULL);

ALTER TABLE connections.tokens ADD COLUMN refresh_token_encrypted bytea;
COMMENT ON COLUMN connections.tokens.refresh_token_encrypted IS
    'Replaced at every use; the one before works for 30 more minutes';

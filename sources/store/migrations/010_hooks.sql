-- Where SalesBinder's webhooks for an account may be sent. The page shows the address again, so the token is
-- kept encrypted; a request is known by its hash.
CREATE TABLE source.hooks (
    account         text PRIMARY KEY REFERENCES source.accounts ON DELETE CASCADE,
    token_hash      bytea NOT NULL UNIQUE,
    token_encrypted bytea NOT NULL,
    made_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_at         timestamptz
);
COMMENT ON COLUMN source.hooks.last_at IS 'When the last webhook came';

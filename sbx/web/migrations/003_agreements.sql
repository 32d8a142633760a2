-- What somebody was sent to Xero with, to agree there, until the answer comes back in the same session.
CREATE TABLE web.agreements (
    state_hash              bytea PRIMARY KEY,
    session_hash            bytea NOT NULL REFERENCES web.sessions ON DELETE CASCADE,
    account                 text NOT NULL,
    tenant_id               text NOT NULL,            -- '': the only one that the app is connected to
    client_id               text NOT NULL,
    client_secret_encrypted bytea,                    -- null: a PKCE app, which has none
    verifier_encrypted      bytea NOT NULL,
    redirect_uri            text NOT NULL,
    expires_at              timestamptz NOT NULL
);
CREATE INDEX agreements_session ON web.agreements (session_hash);

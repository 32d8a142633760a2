-- Connections of SalesBinder accounts to Xero organisations: who, with what secrets, settings and known facts.

CREATE SCHEMA connections;

CREATE TABLE connections.accounts (
    account                 text PRIMARY KEY CHECK (account ~ '^[a-z0-9-]{1,63}$'),
    tenant_id               text NOT NULL,
    tenant_name             text NOT NULL,
    auth_kind               text NOT NULL CHECK (auth_kind IN ('client_credentials')),
    client_id               text NOT NULL,
    client_secret_encrypted bytea NOT NULL,
    enabled_at              timestamptz NOT NULL,
    connected_at            timestamptz NOT NULL,
    status                  text NOT NULL DEFAULT 'connected' CHECK (status IN ('connected', 'lost')),
    status_reason           text NOT NULL DEFAULT '',
    paused_at               timestamptz,
    paused_by               text,
    paused_reason           text,
    CHECK ((paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (paused_reason IS NULL))
);
COMMENT ON COLUMN connections.accounts.enabled_at IS
    'Documents created before it are not synced; set by the first connect and kept by later ones';

-- Apart from accounts, because its row stays locked while a token is fetched: pausing must not wait for that.
CREATE TABLE connections.tokens (
    account         text PRIMARY KEY REFERENCES connections.accounts ON DELETE CASCADE,
    token_encrypted bytea,
    expires_at      timestamptz
);

CREATE TABLE connections.settings (
    account text NOT NULL REFERENCES connections.accounts ON DELETE CASCADE,
    key     text NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (account, key)
);

CREATE TABLE connections.settings_history (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    account text NOT NULL,
    actor   text NOT NULL,
    key     text NOT NULL,
    old     text,
    new     text
);
COMMENT ON TABLE connections.settings_history IS 'Who changed what; append-only. NULL stands for the default';
CREATE INDEX settings_history_account ON connections.settings_history (account, id);

CREATE FUNCTION connections.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER settings_history_append_only BEFORE UPDATE OR DELETE ON connections.settings_history
    FOR EACH ROW EXECUTE FUNCTION connections.refuse_change();

CREATE TABLE connections.facts (
    account    text PRIMARY KEY REFERENCES connections.accounts ON DELETE CASCADE,
    body       jsonb NOT NULL,
    fetched_at timestamptz NOT NULL
);

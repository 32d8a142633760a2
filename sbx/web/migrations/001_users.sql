-- Who may look at the log and act on it. Secrets are kept as hashes only.
CREATE SCHEMA web;

CREATE TABLE web.users (
    name          text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._@+-]{0,63}$'),
    role          text NOT NULL CHECK (role IN ('viewer', 'operator')),
    -- argon2id. Null: signs in by token or by link only.
    password_hash text,
    -- SalesBinder accounts whose entries the user sees and acts on. Null: all.
    accounts      text[],
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by    text NOT NULL
);

-- Keys of sessions, tokens and links are 32 random bytes, so a plain SHA-256 keeps them.
CREATE TABLE web.sessions (
    key_hash   bytea PRIMARY KEY,
    user_name  text NOT NULL REFERENCES web.users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON web.sessions (user_name);
CREATE INDEX sessions_expiry ON web.sessions (expires_at);

CREATE TABLE web.tokens (
    key_hash   bytea PRIMARY KEY,
    user_name  text NOT NULL REFERENCES web.users ON DELETE CASCADE,
    label      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    UNIQUE (user_name, label)
);

CREATE TABLE web.links (
    key_hash   bytea PRIMARY KEY,
    user_name  text NOT NULL REFERENCES web.users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);

-- Passwords that were tried and were wrong, or are being checked.
CREATE TABLE web.sign_in_attempts (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_name text NOT NULL,
    address   text NOT NULL
);
CREATE INDEX sign_in_attempts_user ON web.sign_in_attempts (user_name, at);
CREATE INDEX sign_in_attempts_address ON web.sign_in_attempts (address, at);

-- Who did what. A row is written before the act, its result after.
CREATE TABLE web.acts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor    text NOT NULL,
    address  text NOT NULL,
    act      text NOT NULL,
    -- The selection: filters or entry ids.
    target   jsonb NOT NULL,
    note     text NOT NULL,
    ended_at timestamptz,
    result   jsonb
);
CREATE INDEX acts_actor ON web.acts (actor, id);

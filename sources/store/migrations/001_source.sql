-- Readers of SalesBinder accounts: what was told last of each record, how far the lists were read, what is to be told.
CREATE SCHEMA source;

CREATE TABLE source.accounts (
    account           text PRIMARY KEY CHECK (account ~ '^[a-z0-9-]{1,63}$'),
    api_key_encrypted bytea NOT NULL,
    connected_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    connected_clock   timestamptz,
    shrunk            text NOT NULL DEFAULT 'correction' CHECK (shrunk IN ('correction', 'refund')),
    trust             jsonb NOT NULL DEFAULT '{}',
    statuses          jsonb NOT NULL DEFAULT '{}',
    widened           interval NOT NULL DEFAULT '0',
    trouble           text,
    trouble_text      text NOT NULL DEFAULT '',
    trouble_since     timestamptz,
    failures          integer NOT NULL DEFAULT 0,
    -- Answers in a row that a list or detail may not be read.
    refusals          integer NOT NULL DEFAULT 0,
    held_until        timestamptz,
    hinted_at         timestamptz
);
COMMENT ON COLUMN source.accounts.connected_clock IS
    'By SalesBinder''s clock, at the first answer: what was created before it is not new';
COMMENT ON COLUMN source.accounts.failures IS 'Calls in a row that were blocked or not answered';

-- An account is read by one worker at a time. The fence grows with every change of hands; every commit checks it.
CREATE TABLE source.leases (
    account    text PRIMARY KEY REFERENCES source.accounts ON DELETE CASCADE,
    holder     bigint NOT NULL,
    fence      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The calls of the last minute, of all processes: the account's limits are shared through them.
CREATE TABLE source.calls (
    account    text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    background boolean NOT NULL
);
CREATE INDEX calls_account ON source.calls (account, at);

-- What was told last of each record. The body is JSON of sources.reading.Kept.
CREATE TABLE source.records (
    account   text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    entity    text NOT NULL CHECK (entity IN ('customer', 'supplier', 'invoice', 'purchase_order')),
    record_id text NOT NULL,
    body      bytea NOT NULL,
    seen_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When the detail is read again though nothing hints at a change.
    deep_at   timestamptz,
    -- Nothing of it was told, and its next detail is to be told whole.
    history   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account, entity, record_id)
);
CREATE INDEX records_history ON source.records (account) WHERE history;
CREATE INDEX records_deep ON source.records (account, deep_at) WHERE deep_at IS NOT NULL;

-- Details that are to be read.
CREATE TABLE source.wanted (
    account    text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    record_id  text NOT NULL,
    why        text NOT NULL CHECK (why IN ('hint', 'changed', 'again', 'deep', 'history')),
    due_at     timestamptz NOT NULL,
    row_digest text NOT NULL DEFAULT '',
    tries      integer NOT NULL DEFAULT 0,
    entity     text NOT NULL DEFAULT '',
    PRIMARY KEY (account, record_id)
);
CREATE INDEX wanted_due ON source.wanted (account, why, due_at);

-- The scan under way, and the last whole one, of each kind.
CREATE TABLE source.scans (
    account    text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    key        text NOT NULL,
    scan       bytea,
    finished   bytea,
    -- A list that is refused or cannot be read is left alone until then, and all others go on.
    held_until timestamptz,
    PRIMARY KEY (account, key)
);

-- What cannot be made sense of, one row per record and kind of problem, until it is over.
CREATE TABLE source.problems (
    account   text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    entity    text NOT NULL,
    record_id text NOT NULL,
    code      text NOT NULL,
    field     text NOT NULL,
    value     text NOT NULL,
    problem   text NOT NULL,
    remedy    text NOT NULL,
    first_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account, entity, record_id, code)
);

-- Events that are kept together with what they tell, and published afterwards, in the order of their ids.
CREATE TABLE source.outbox (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    topic   text NOT NULL,
    key     bytea NOT NULL,
    value   bytea NOT NULL
);
CREATE INDEX outbox_account ON source.outbox (account, id);

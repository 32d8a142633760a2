-- The command ledger: what is to be done in Xero, what was tried, what is linked. The truth of the whole pipeline.
CREATE SCHEMA ledger;

-- One row a command, which is one log entry. seq is the action's position in its record.
CREATE TABLE ledger.commands (
    seq             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    command_id      uuid PRIMARY KEY,
    account         text NOT NULL,
    entity          text NOT NULL,
    record_id       text NOT NULL,
    action          text NOT NULL,
    content_hash    text NOT NULL,
    event_time      timestamptz NOT NULL,
    body            bytea NOT NULL,
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'completed', 'failed')),
    outcome         text,
    reason_code     text,
    reason_args     jsonb NOT NULL DEFAULT '{}',
    warnings        jsonb NOT NULL DEFAULT '[]',
    acted           boolean NOT NULL DEFAULT false,
    attempts        integer NOT NULL DEFAULT 0,
    revision        integer NOT NULL DEFAULT 0,
    version         integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    queued_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at      timestamptz,
    finished_at     timestamptz,
    xero_type       text NOT NULL DEFAULT '',
    xero_id         text NOT NULL DEFAULT '',
    xero_number     text NOT NULL DEFAULT '',
    triggered_by    text NOT NULL DEFAULT 'event',
    actor           text NOT NULL DEFAULT '',
    -- Waiting, running and needs_review hold back the record's later actions.
    holds           boolean GENERATED ALWAYS AS
                    (state IN ('queued', 'running') OR (state = 'failed' AND reason_code = 'needs_review')) STORED
);
CREATE INDEX commands_open ON ledger.commands (account, seq) WHERE state IN ('queued', 'running');
CREATE INDEX commands_held_back ON ledger.commands (account, entity, record_id, seq) WHERE holds;
CREATE INDEX commands_record ON ledger.commands (account, entity, record_id, seq);
CREATE INDEX commands_failed ON ledger.commands (account, seq) WHERE state = 'failed';

-- The newest snapshot known of a record, whichever event carried it.
CREATE TABLE ledger.snapshots (
    account    text NOT NULL,
    entity     text NOT NULL,
    record_id  text NOT NULL,
    modified   timestamptz NOT NULL,
    event_time timestamptz NOT NULL,
    body       bytea NOT NULL,
    PRIMARY KEY (account, entity, record_id)
);

-- Which SalesBinder record or transaction is which Xero object. A row here means: that step is done, once and for all.
CREATE TABLE ledger.links (
    account        text NOT NULL,
    kind           text NOT NULL,
    record_id      text NOT NULL,
    transaction_id text NOT NULL DEFAULT '',
    xero_id        text NOT NULL,
    xero_number    text NOT NULL DEFAULT '',
    seq            bigint NOT NULL DEFAULT 0,
    removed        boolean NOT NULL DEFAULT false,
    facts          jsonb NOT NULL DEFAULT '{}',
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account, kind, record_id, transaction_id)
);
CREATE INDEX links_xero ON ledger.links (account, xero_id);

-- A call to Xero, written down before its first byte is sent. No answered_at: nobody has seen an answer yet.
CREATE TABLE ledger.intents (
    intent_id       uuid PRIMARY KEY,
    account         text NOT NULL,
    fence           bigint NOT NULL,
    route           text NOT NULL,
    method          text NOT NULL,
    path            text NOT NULL,
    query           jsonb NOT NULL DEFAULT '{}',
    body            bytea,
    idempotency_key text,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    send_by         timestamptz NOT NULL,
    sends           integer NOT NULL DEFAULT 1,
    answered_at     timestamptz,
    conclusion      text,
    status          integer,
    answer          bytea
);
CREATE INDEX intents_unanswered ON ledger.intents (account, created_at) WHERE answered_at IS NULL;

-- One object of a call, and the commands that it serves. result: open until settled.
CREATE TABLE ledger.elements (
    intent_id      uuid NOT NULL REFERENCES ledger.intents ON DELETE CASCADE,
    position       integer NOT NULL,
    account        text NOT NULL,
    step           text NOT NULL,
    kind           text NOT NULL,
    record_id      text NOT NULL,
    transaction_id text NOT NULL DEFAULT '',
    members        uuid[] NOT NULL,
    body           jsonb,
    match          text NOT NULL DEFAULT '',
    memory         jsonb NOT NULL DEFAULT '{}',
    result         text NOT NULL DEFAULT 'open'
                   CHECK (result IN ('open', 'ok', 'refused', 'not_applied', 'unknown', 'resolved')),
    look_up_after  timestamptz,
    PRIMARY KEY (intent_id, position)
);
-- No two calls under way for one thing in Xero: each step is unique by account, record and transaction.
CREATE UNIQUE INDEX elements_one_open ON ledger.elements (account, kind, record_id, transaction_id) WHERE result = 'open';
CREATE INDEX elements_unknown ON ledger.elements (account, kind, record_id, transaction_id) WHERE result = 'unknown';

-- An account belongs to one worker at a time. The fence grows with every change of hands; every commit checks it.
CREATE TABLE ledger.leases (
    account    text PRIMARY KEY,
    holder     bigint NOT NULL,
    fence      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- What an account has left of Xero's limits, and what holds it back as a whole.
CREATE TABLE ledger.accounts (
    account    text PRIMARY KEY,
    budget     jsonb NOT NULL DEFAULT '{}',
    held       text,
    held_args  jsonb NOT NULL DEFAULT '{}',
    held_until timestamptz,
    version    integer NOT NULL DEFAULT 0
);

-- What others ask a lane to do for them, since only the lane calls Xero.
CREATE TABLE ledger.requests (
    request_id  uuid PRIMARY KEY,
    account     text NOT NULL,
    kind        text NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at timestamptz,
    error       text
);
CREATE INDEX requests_open ON ledger.requests (account) WHERE answered_at IS NULL;

-- Results that wait to be published; removed once the broker has them.
CREATE TABLE ledger.outbox (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key   text NOT NULL,
    value bytea NOT NULL
);

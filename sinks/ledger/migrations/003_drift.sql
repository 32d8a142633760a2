-- Comparisons of Xero with what we put there: how far each has come, and one row a difference that stands.

-- One reading of an account's books in Xero. run_id is the request that asked for it.
CREATE TABLE ledger.drift_runs (
    run_id         uuid PRIMARY KEY REFERENCES ledger.requests ON DELETE CASCADE,
    account        text NOT NULL,
    actor          text NOT NULL,
    since          timestamptz,                    -- what was changed in Xero since then; null: everything
    covers         boolean NOT NULL,               -- leaves no gap behind the reading before it
    asked_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at     timestamptz,
    finished_at    timestamptz,
    error          text,
    phase          integer NOT NULL DEFAULT 0,     -- which list is read, see sinks.drift.reading.LISTS
    page           integer NOT NULL DEFAULT 1,
    calls          integer NOT NULL DEFAULT 0,
    calls_expected integer NOT NULL,
    read           integer NOT NULL DEFAULT 0,     -- records that Xero showed
    compared       integer NOT NULL DEFAULT 0,     -- records of ours among them
    next_since     timestamptz                     -- by Xero's clock: from when the next one has to read
);
CREATE INDEX drift_runs_account ON ledger.drift_runs (account, asked_at DESC);
CREATE UNIQUE INDEX requests_one_drift ON ledger.requests (account) WHERE kind = 'drift' AND answered_at IS NULL;

-- What a reading has still to look up by id: not shown in the lists, or under way when it was.
CREATE TABLE ledger.drift_unread (
    account        text NOT NULL,
    kind           text NOT NULL,
    record_id      text NOT NULL,
    transaction_id text NOT NULL DEFAULT '',
    tried_by       uuid,                           -- the reading that has looked it up in vain
    PRIMARY KEY (account, kind, record_id, transaction_id)
);

-- One field of one object that Xero shows otherwise than we put it there.
CREATE TABLE ledger.drift (
    account        text NOT NULL,
    kind           text NOT NULL,
    record_id      text NOT NULL,
    transaction_id text NOT NULL DEFAULT '',
    field          text NOT NULL,
    xero_id        text NOT NULL,
    xero_status    text NOT NULL,
    ours           text NOT NULL,
    xeros          text NOT NULL,
    information    boolean NOT NULL,               -- worth knowing, nothing to put right
    changed_at     timestamptz,                    -- Xero's UpdatedDateUTC
    first_seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    resent_at      timestamptz,
    adopted_at     timestamptz,
    adopted_by     text NOT NULL DEFAULT '',
    PRIMARY KEY (account, kind, record_id, transaction_id, field)
);

-- What was sent for a record is found by it.
CREATE INDEX elements_record ON ledger.elements (account, record_id);

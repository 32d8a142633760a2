-- Is this ledger as new as what it wrote elsewhere? A restored backup, or a replica that lost the last commits, is not.

-- Which ledger this is: one row, made with the tables, renewed by a recovery. Kafka keeps a copy (integration.ledger).
CREATE TABLE ledger.generation (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    number    bigint NOT NULL DEFAULT 1,
    id        uuid NOT NULL DEFAULT gen_random_uuid(),
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    intake    bigint NOT NULL DEFAULT 0,          -- raised by each batch of new commands
    intake_at timestamptz,                        -- when it was raised last
    held_at   timestamptz,                        -- nothing is taken in or sent since: Kafka knows more than this ledger
    held_args jsonb NOT NULL DEFAULT '{}'
);
INSERT INTO ledger.generation DEFAULT VALUES;

-- Raised in the transaction that writes calls down, and published before their first byte is sent.
ALTER TABLE ledger.leases ADD COLUMN mark bigint NOT NULL DEFAULT 0;
ALTER TABLE ledger.leases ADD COLUMN marked_at timestamptz;

-- It is not sure that nothing of it was ever sent: Xero is asked before it is planned.
ALTER TABLE ledger.commands ADD COLUMN perhaps_sent boolean NOT NULL DEFAULT false;
CREATE INDEX commands_perhaps_sent ON ledger.commands (account, entity, record_id) WHERE perhaps_sent;

-- How far the reading has come that clears up what an account has perhaps sent.
CREATE TABLE ledger.clearings (
    account       text PRIMARY KEY,
    since         timestamptz,                    -- what was changed in Xero since then; null: everything
    by_number     boolean NOT NULL,               -- looked up by numbers and marks instead
    trusted_after timestamptz NOT NULL DEFAULT clock_timestamp(),
    phase         integer NOT NULL DEFAULT 0,     -- which list is read, see sinks.recover.reading
    page          integer NOT NULL DEFAULT 1,
    calls         integer NOT NULL DEFAULT 0,
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_by      text NOT NULL DEFAULT ''
);

-- What Xero has shown of what may be ours, by the mark that it bears.
CREATE TABLE ledger.shown (
    account text NOT NULL,
    key     text NOT NULL,
    xero_id text NOT NULL,
    body    jsonb NOT NULL,
    PRIMARY KEY (account, key, xero_id)
);
CREATE INDEX shown_xero ON ledger.shown (account, xero_id);

-- What has ended long ago goes to files and leaves the tables, see docs/architecture.md, "What is kept".

-- The action is in the archive. Its row keeps what tells that its event is done (command_id, content_hash, place), its
-- standing in its record (seq, action, event_time, state, outcome, share), and of a payment or refund the transaction.
ALTER TABLE ledger.commands ADD COLUMN archived_at timestamptz;
CREATE INDEX commands_ended ON ledger.commands (account, finished_at)
    WHERE state = 'completed' AND archived_at IS NULL;

-- Request and response of the call are in the archive; the row stays for as long as an element of it does.
ALTER TABLE ledger.intents ADD COLUMN archived_at timestamptz;
-- Also for the calls of the last minute, which a lane counts when it takes an account over.
CREATE INDEX intents_account ON ledger.intents (account, created_at);

-- Which directory is the archive of this database, and which worker is at it. One row.
CREATE TABLE ledger.archive (
    single     boolean PRIMARY KEY DEFAULT true CHECK (single),
    id         uuid NOT NULL DEFAULT gen_random_uuid(),
    claimed_at timestamptz,                       -- when a directory was given the id; null: none yet
    worker     text NOT NULL DEFAULT '',
    until      timestamptz NOT NULL DEFAULT '-infinity',
    -- Earlier versions do not know rows of archived actions, and may work beside this one during an upgrade.
    begins_at  timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 day',
    problem    text NOT NULL DEFAULT '',          -- why nothing goes to it, since problem_at; '' if it does
    remedy     text NOT NULL DEFAULT '',
    problem_at timestamptz
);
INSERT INTO ledger.archive DEFAULT VALUES;

-- Files of the archive. Written in the transaction that takes their rows out of the tables.
CREATE TABLE ledger.archive_parts (
    account    text NOT NULL,
    month      text NOT NULL,                     -- 2025-06, UTC
    name       text NOT NULL,
    lines      bigint NOT NULL,
    bytes      bigint NOT NULL,
    sha256     text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account, month, name)
);

-- True if something of the document's history is in the archive: it is no longer known whole.
CREATE FUNCTION ledger.in_archive(of_account text, of_kind text, of_record text) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM ledger.commands c
                   WHERE c.account = of_account AND c.record_id = of_record AND c.archived_at IS NOT NULL
                     AND c.entity = CASE WHEN of_kind IN ('purchase_order', 'bill') THEN 'purchase_order' ELSE 'invoice' END)
$$;

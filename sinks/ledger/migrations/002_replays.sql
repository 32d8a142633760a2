-- Replays: what was read again from the topics, how far it came, what came of it.
CREATE TABLE ledger.replays (
    replay_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'cancelled', 'interrupted')),
    cancelling  boolean NOT NULL DEFAULT false,
    actor       text NOT NULL,
    selection   jsonb NOT NULL,
    ranges      jsonb NOT NULL,
    totals      jsonb NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

-- In which order a lane takes up what is ready: live work, retries, replays, the rest.
ALTER TABLE ledger.commands ADD COLUMN turn smallint GENERATED ALWAYS AS
    (CASE triggered_by WHEN 'event' THEN 0 WHEN 'retry' THEN 1 WHEN 'replay' THEN 2 ELSE 3 END) STORED;
DROP INDEX ledger.commands_open;
CREATE INDEX commands_open ON ledger.commands (account, turn, seq) WHERE state IN ('queued', 'running');

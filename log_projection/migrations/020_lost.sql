-- What has not ended, in the order of its changes: looked through for what was lost on the way.
CREATE INDEX entry_not_ended ON integrations_log.entry (position) WHERE state IN ('queued', 'running');

-- Entries whose commands no stage brought to the ledger, as the deliver stage found them.
CREATE TABLE integrations_log.lost_command (
    entry_id text PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT now()
);

-- Offsets that retention, or somebody, removed before a stage had read them.
CREATE TABLE integrations_log.removed_unread (
    stage        text NOT NULL,
    topic        text NOT NULL,
    partition    integer NOT NULL,
    first_offset bigint NOT NULL,
    last_offset  bigint NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT now(),
    told_at      timestamptz, -- of results: when the ledger told the log again what it lacks
    PRIMARY KEY (stage, topic, partition, first_offset)
);

-- Version 0 is the transform stage's word alone; the ledger's own begin with 1. A replay that brings a command back
-- ends its row here, whether somebody takes it out or not.
CREATE VIEW integrations_log.lost_commands AS
SELECT e.entry_id, e.account, e.entity, e.record_id, e.record_number, e.action, e.party_name, e.topic, e.partition,
       e."offset", e.queued_at, l.found_at
FROM integrations_log.lost_command AS l
JOIN integrations_log.entry AS e USING (entry_id)
WHERE e.state = 'queued' AND e.version = 0 AND e.queued_at < now() - interval '5 minutes'
  AND NOT EXISTS (SELECT FROM ledger.commands AS c WHERE c.command_id = l.entry_id::uuid);

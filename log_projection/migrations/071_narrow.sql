-- Fewer and narrower indexes: most entries have completed, and a list of those is found by time, account or kind.
CREATE INDEX entry_by_account_open ON integrations_log.entry (account, state, queued_at, entry_id)
    WHERE state <> 'completed';
CREATE INDEX entry_by_open ON integrations_log.entry (state, queued_at, entry_id, entity, action, account)
    WHERE state <> 'completed';

-- One index for an id and for its beginning: text_pattern_ops serves = and LIKE 'abc%' in any collation, a primary
-- key only =.
CREATE UNIQUE INDEX entry_by_entry_id ON integrations_log.entry (entry_id text_pattern_ops);

-- Last, because they keep readers out until the end.
DROP INDEX integrations_log.entry_by_account_state;
DROP INDEX integrations_log.entry_by_state_time;
ALTER TABLE integrations_log.entry DROP CONSTRAINT entry_pkey;
ALTER TABLE integrations_log.entry ALTER COLUMN entry_id SET NOT NULL;
-- For those who replicate the log elsewhere.
ALTER TABLE integrations_log.entry REPLICA IDENTITY USING INDEX entry_by_entry_id;
DROP INDEX integrations_log.entry_by_entry_id_prefix;

-- A page of any filter out of a million entries: what else is asked of an account is decided in its index, and
-- prefixes are searched in the index alone.
CREATE INDEX entry_by_account_time ON integrations_log.entry
    (account, queued_at, entry_id, state, entity, action);
DROP INDEX integrations_log.entry_by_account;
CREATE INDEX entry_by_state_time ON integrations_log.entry (state, queued_at, entry_id, entity, action, account);
DROP INDEX integrations_log.entry_by_state;
CREATE INDEX entry_by_entity ON integrations_log.entry (entity, queued_at, entry_id, account);

-- INCLUDE: without the column itself PostgreSQL does not read an index of an expression alone.
DROP INDEX integrations_log.entry_by_record_number;
CREATE INDEX entry_by_record_number ON integrations_log.entry
    (lower(record_number) text_pattern_ops, queued_at, entry_id) INCLUDE (record_number, account);
DROP INDEX integrations_log.entry_by_party_name;
CREATE INDEX entry_by_party_name ON integrations_log.entry
    (lower(party_name) text_pattern_ops, queued_at, entry_id) INCLUDE (party_name, account);

-- Mostly Xero has our own number, which is found above.
DROP INDEX integrations_log.entry_by_xero_number;
CREATE INDEX entry_by_other_xero_number ON integrations_log.entry (lower(xero_number) text_pattern_ops)
    WHERE lower(xero_number) <> lower(record_number);

-- What failed before is looked up by its record: an account may have any number of failures.
CREATE INDEX commands_failed_record ON ledger.commands (account, entity, record_id, seq) WHERE state = 'failed';
DROP INDEX ledger.commands_failed;

-- without a transaction: nothing waits for these, however many entries there are.
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_words;
CREATE INDEX CONCURRENTLY entry_by_words ON integrations_log.entry USING gin (
    integrations_log.entry_words(entity, action, xero_type, record_number, xero_number, party_name, reference, reason_code,
                                 reason)
) WITH (gin_pending_list_limit = 512);

-- Lists by amount and by number. The ends of such a list are few entries with the same, which are put in order by id.
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_amount;
CREATE INDEX CONCURRENTLY entry_by_amount ON integrations_log.entry (amount, queued_at) WHERE amount IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_digits;
CREATE INDEX CONCURRENTLY entry_by_digits ON integrations_log.entry (integrations_log.digits(record_number), queued_at)
    WHERE integrations_log.digits(record_number) IS NOT NULL;

-- By the beginning of an id; of Xero's the first eight characters find it.
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_xero_id;
CREATE INDEX CONCURRENTLY entry_by_xero_id ON integrations_log.entry (left(xero_id, 8) text_pattern_ops) WHERE xero_id <> '';
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_event;
CREATE INDEX CONCURRENTLY entry_by_event ON integrations_log.entry (event_id text_pattern_ops);
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_event_id;

-- Whole numbers and names: texts are found by their words now, so that these need not hold what a page is made of.
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_number;
CREATE INDEX CONCURRENTLY entry_by_number ON integrations_log.entry (lower(record_number) text_pattern_ops);
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_record_number;
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_party;
CREATE INDEX CONCURRENTLY entry_by_party ON integrations_log.entry (lower(party_name) text_pattern_ops);
DROP INDEX CONCURRENTLY IF EXISTS integrations_log.entry_by_party_name;

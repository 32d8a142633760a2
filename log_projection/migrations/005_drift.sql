-- Differences between Xero and what we put there, and the readings that found them. The ledger keeps them.
CREATE VIEW integrations_log.drift AS
SELECT d.account, d.kind, l.xero_number AS number, d.record_id, d.transaction_id, d.field, d.ours, d.xeros,
       d.information, d.changed_at, d.first_seen_at, d.last_seen_at, d.xero_id, d.xero_status, d.resent_at,
       d.adopted_at, d.adopted_by
FROM ledger.drift d
JOIN ledger.links l USING (account, kind, record_id, transaction_id, xero_id);

CREATE VIEW integrations_log.drift_readings AS
SELECT run_id::text AS reading_id, account, actor, since, asked_at, started_at, finished_at, error, calls,
       calls_expected, read, compared
FROM ledger.drift_runs;

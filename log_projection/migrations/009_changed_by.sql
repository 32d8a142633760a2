-- Who changed it and when, where Xero's history says so.
CREATE OR REPLACE VIEW integrations_log.drift AS
SELECT d.account, d.kind, l.xero_number AS number, d.record_id, d.transaction_id, d.field, d.ours, d.xeros,
       d.information, d.changed_at, d.first_seen_at, d.last_seen_at, d.xero_id, d.xero_status, d.resent_at,
       d.adopted_at, d.adopted_by, d.changed_by, d.changed_by_at
FROM ledger.drift d
JOIN ledger.links l USING (account, kind, record_id, transaction_id, xero_id);

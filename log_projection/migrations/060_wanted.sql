-- Why something differs, where that is known, and what is linked to nothing.
CREATE OR REPLACE VIEW integrations_log.drift AS
SELECT d.account, d.kind, coalesce(nullif(l.xero_number, ''), d.number) AS number, d.record_id, d.transaction_id, d.field,
       d.ours, d.xeros, d.information, d.changed_at, d.first_seen_at, d.last_seen_at, d.xero_id, d.xero_status, d.resent_at,
       d.adopted_at, d.adopted_by, d.changed_by, d.changed_by_at, d.why
FROM ledger.drift d
LEFT JOIN ledger.links l USING (account, kind, record_id, transaction_id, xero_id)
WHERE l.account IS NOT NULL OR d.field = 'missing';

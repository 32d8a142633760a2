-- People are told of documents that differ between SalesBinder and Xero, too.
ALTER TABLE alerts.alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alerts.alert ADD CONSTRAINT alert_kind_check
    CHECK (kind IN ('issue', 'paused', 'connection_lost', 'oldest_waiting', 'reconciliation'));

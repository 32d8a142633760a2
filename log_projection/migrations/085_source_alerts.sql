-- People are told of SalesBinder accounts that are not read, too, and of documents that differ from Xero's.
ALTER TABLE alerts.alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alerts.alert ADD CONSTRAINT alert_kind_check CHECK (kind IN (
    'issue', 'paused', 'connection_lost', 'oldest_waiting', 'reconciliation',
    'source_trouble', 'source_list', 'source_unread'
));

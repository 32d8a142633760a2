-- People are told of comparisons that do not succeed, too.
ALTER TABLE alerts.alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alerts.alert ADD CONSTRAINT alert_kind_check CHECK (kind IN (
    'issue', 'paused', 'connection_lost', 'oldest_waiting', 'reconciliation', 'reconciliation_broken_off',
    'source_trouble', 'source_list', 'source_unread'
));

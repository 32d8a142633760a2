ALTER TABLE source.reconciliations ADD COLUMN unread jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN source.reconciliations.unread IS
    'Rows of each list that SalesBinder failed to show to this comparison, in words';

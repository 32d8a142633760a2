ALTER TABLE source.accounts ADD COLUMN refused_details integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN source.accounts.refusals IS 'Lists in a row that may not be read';
COMMENT ON COLUMN source.accounts.refused_details IS 'Details in a row that may not be read';

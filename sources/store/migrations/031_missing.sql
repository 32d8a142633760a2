-- Lists in a row that were not there, or not answered with one: once all are, the account is gone or down.
ALTER TABLE source.accounts ADD COLUMN missing integer NOT NULL DEFAULT 0;

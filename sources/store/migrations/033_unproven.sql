ALTER TABLE source.accounts ADD COLUMN unproven boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN source.accounts.unproven IS
    'The key has not shown a record that is known of the account yet: nothing else is read with it';

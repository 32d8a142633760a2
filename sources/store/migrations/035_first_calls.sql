-- Calls that try the first key of an account count among its own, before it is connected.
ALTER TABLE source.calls DROP CONSTRAINT calls_account_fkey;

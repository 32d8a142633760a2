-- A call that goes out again is the same to the byte: path with query, and headers without Authorization, as they were
-- sent. json keeps the order that it was given. Null: written down before these columns were there, or by a worker
-- of that time; then path and query, in the order of their route, are what was sent.
ALTER TABLE ledger.intents
    ADD COLUMN target  text,
    ADD COLUMN headers json;

-- A call of the command changed something in Xero, or perhaps did: its answer was not seen, or was an error of Xero's.
ALTER TABLE ledger.commands ADD COLUMN perhaps_acted boolean NOT NULL DEFAULT false;

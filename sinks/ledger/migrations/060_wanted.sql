-- Xero compared with what the history of a record asks for, too. why: in words, where that is known. mend: the action
-- that puts it right when it is queued again. number: of what is linked to nothing and has no number in the links.
ALTER TABLE ledger.drift
    ADD COLUMN why    text NOT NULL DEFAULT '',
    ADD COLUMN mend   uuid,
    ADD COLUMN number text NOT NULL DEFAULT '';

-- How far a reading has come with the histories themselves; checked once all of them are.
ALTER TABLE ledger.drift_runs
    ADD COLUMN checked        boolean NOT NULL DEFAULT false,
    ADD COLUMN checked_entity text NOT NULL DEFAULT '',
    ADD COLUMN checked_record text NOT NULL DEFAULT '';

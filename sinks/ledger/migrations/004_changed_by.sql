-- Who changed it, as Xero's history says. history_of is the change (changed_at) for which it was asked.
ALTER TABLE ledger.drift ADD COLUMN changed_by text NOT NULL DEFAULT '';
ALTER TABLE ledger.drift ADD COLUMN changed_by_at timestamptz;
ALTER TABLE ledger.drift ADD COLUMN history_of timestamptz;
ALTER TABLE ledger.drift_runs ADD COLUMN histories integer NOT NULL DEFAULT 0;

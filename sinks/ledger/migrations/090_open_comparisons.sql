-- Comparisons that have not ended, which are few, among all that ever were.
CREATE INDEX drift_runs_open ON ledger.drift_runs (account) WHERE finished_at IS NULL;

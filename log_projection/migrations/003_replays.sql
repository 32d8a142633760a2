-- Replays as people see them; the ledger keeps them.
CREATE VIEW integrations_log.replays AS
SELECT replay_id, state, actor, selection, ranges, totals, started_at, updated_at, finished_at
FROM ledger.replays;

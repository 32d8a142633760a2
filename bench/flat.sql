-- name: counts
-- What was done so far. Of the tables that grow: rows that were read from one end of a table to the other.
SELECT d.blks_hit + d.blks_read AS blocks, d.tup_returned AS rows, sum(t.seq_tup_read) AS read_through,
       d.xact_commit AS commits
FROM pg_stat_database d, pg_stat_user_tables t
WHERE d.datname = current_database()
  AND t.relid = ANY('{ledger.commands,ledger.snapshots,ledger.links,ledger.intents,ledger.elements,ledger.requests,
                      ledger.drift_runs,integrations_log.entry,integrations_log.attempt}'::regclass[])
GROUP BY 1, 2, 4

-- name: completed
SELECT coalesce(sum(entries), 0)::bigint AS completed FROM integrations_log.tally WHERE state = 'completed'

-- name: size
SELECT sum(pg_total_relation_size(c.oid))::bigint AS bytes
FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace IN ('ledger'::regnamespace, 'integrations_log'::regnamespace)

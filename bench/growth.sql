-- name: sizes
-- Bytes of each table with its indexes and its toast.
SELECT n.nspname || '.' || c.relname AS "table", pg_total_relation_size(c.oid) AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('ledger', 'integrations_log') AND c.relkind = 'r'

-- name: age_commands
UPDATE ledger.commands SET finished_at = finished_at - interval '500 days'

-- name: begin
UPDATE ledger.archive SET begins_at = '-infinity'

-- name: age_calls
UPDATE ledger.intents SET created_at = created_at - interval '500 days'

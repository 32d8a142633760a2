-- A replay as an entry of its own: how it stands now, how far it came, and its totals as columns. One that died without
-- a word is interrupted at once: who replays holds the advisory lock "SBXR" (see ops/replay_run.py).
DROP VIEW integrations_log.replays;
CREATE VIEW integrations_log.replays AS
SELECT replay_id,
       CASE WHEN state = 'running' AND NOT at_work.now THEN 'interrupted' ELSE state END AS state,
       cancelling AND state = 'running' AND at_work.now AS cancelling,
       actor, coalesce(selection ->> 'account', '') AS account, selection, ranges, totals,
       place.read AS offsets_read, place.offsets,
       (totals ->> 'events')::bigint AS events,
       (totals ->> 'done')::bigint AS done,
       (totals ->> 'under_way')::bigint AS under_way,
       (totals ->> 'inserted')::bigint + (totals ->> 'retried')::bigint AS queued,
       (totals ->> 'failed')::bigint - (totals ->> 'retried')::bigint + (totals ->> 'event_id_reused')::bigint
           + (totals ->> 'overtaken')::bigint + refused.unreadable AS failed,
       started_at, updated_at, finished_at
FROM ledger.replays
CROSS JOIN LATERAL (
    SELECT coalesce(sum(least("next", "end") - "first"), 0)::bigint AS read,
           coalesce(sum("end" - "first"), 0)::bigint AS offsets
    FROM jsonb_to_recordset(ranges) AS r ("first" bigint, "next" bigint, "end" bigint)
) AS place
CROSS JOIN LATERAL (
    SELECT coalesce(sum(count::bigint), 0)::bigint AS unreadable
    FROM jsonb_each_text(totals -> 'unreadable') AS u (code, count)
) AS refused
CROSS JOIN (
    SELECT EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = 0 AND objid = 1396856914 AND objsubid = 1 AND granted
    ) AS now
) AS at_work;

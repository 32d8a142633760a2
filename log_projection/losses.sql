-- name: not_ended
-- The next entries that have not ended, with the ledger's state of each. Only a UUID can be a command's id.
SELECT e.entry_id, e.position, e.topic, e.partition, e."offset",
       e.id IS NOT NULL AND e.state = 'queued' AND e.version = 0 AND e.topic <> '' AND c.command_id IS NULL AS unknown,
       coalesce(c.version > e.version AND c.state IN ('completed', 'failed')
                AND c.finished_at < now() - interval '5 minutes', false) AS ended
FROM (
    SELECT entry_id, position, topic, partition, "offset", state, version,
           CASE WHEN entry_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN entry_id::uuid END AS id
    FROM integrations_log.entry
    WHERE state IN ('queued', 'running') AND position > %(after)s AND position <= %(upto)s
    ORDER BY position
    LIMIT %(limit)s
) AS e
LEFT JOIN ledger.commands AS c ON c.command_id = e.id
ORDER BY e.position

-- name: still_unknown
SELECT e.entry_id, e.topic, e.partition, e."offset"
FROM integrations_log.entry AS e
WHERE e.entry_id = ANY(%(ids)s) AND e.state = 'queued' AND e.version = 0
  AND NOT EXISTS (SELECT FROM ledger.commands AS c WHERE c.command_id = e.entry_id::uuid)

-- name: note_lost
INSERT INTO integrations_log.lost_command (entry_id) SELECT unnest(%(ids)s::text[]) ON CONFLICT DO NOTHING

-- name: forget_found
-- Entries that were brought back, or have ended in another way.
DELETE FROM integrations_log.lost_command AS l
USING integrations_log.entry AS e
WHERE e.entry_id = l.entry_id AND (e.state <> 'queued' OR e.version > 0)

-- name: note_removed
INSERT INTO integrations_log.removed_unread AS r (stage, topic, partition, first_offset, last_offset)
SELECT * FROM unnest(%(stage)s::text[], %(topic)s::text[], %(partition)s::integer[], %(first)s::bigint[],
                     %(last)s::bigint[])
ON CONFLICT (stage, topic, partition, first_offset) DO UPDATE
    SET last_offset = excluded.last_offset, found_at = now(), told_at = NULL
    WHERE r.last_offset < excluded.last_offset

-- name: results_removed
SELECT FROM integrations_log.removed_unread WHERE stage = 'project' AND told_at IS NULL LIMIT 1

-- name: log_lacks
-- All commands that are not in the archive, in the order of their positions, and whether the log has an older version of each, or none.
SELECT c.seq, c.command_id, e.version IS NULL OR e.version < c.version AS lacks
FROM (SELECT seq, command_id, version FROM ledger.commands WHERE seq > %(after)s AND archived_at IS NULL
      ORDER BY seq LIMIT %(limit)s) AS c
LEFT JOIN integrations_log.entry AS e ON e.entry_id = c.command_id::text
ORDER BY c.seq

-- name: steps_lacked
-- Commands with steps that the log should have heard of minutes ago, and does not have.
SELECT DISTINCT h.command_id FROM ledger.steps AS h
JOIN ledger.commands AS c ON c.command_id = h.command_id AND c.archived_at IS NULL
WHERE h.command_id > %(after)s::uuid AND h.at < now() - interval '5 minutes'
  AND NOT EXISTS (SELECT FROM integrations_log.step AS s
                  WHERE s.entry_id = h.command_id::text AND s.version = h.version)
  -- Of the newest hundred of each, which are all that is told again.
  AND h.version >= coalesce((SELECT o.version FROM ledger.steps AS o WHERE o.command_id = h.command_id
                             ORDER BY o.version DESC OFFSET 99 LIMIT 1), 0)
ORDER BY h.command_id
LIMIT %(limit)s

-- name: results_told
UPDATE integrations_log.removed_unread SET told_at = now() WHERE stage = 'project' AND told_at IS NULL

-- name: outbox_empty
SELECT NOT EXISTS (SELECT FROM ledger.outbox) AS empty

-- name: lost_commands
SELECT * FROM integrations_log.lost_commands
WHERE (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))
  AND (%(entry_id)s::text IS NULL OR entry_id = %(entry_id)s)
ORDER BY queued_at, entry_id
LIMIT %(limit)s

-- name: lost_by_account
SELECT account, count(*) AS entries FROM (SELECT account FROM integrations_log.lost_commands LIMIT %(limit)s) AS lost
GROUP BY account ORDER BY account

-- name: removed_unread
SELECT stage, topic, partition, first_offset, last_offset FROM integrations_log.removed_unread
WHERE found_at > now() - interval '7 days'
ORDER BY stage, topic, partition, first_offset

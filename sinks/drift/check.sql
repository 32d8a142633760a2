-- name: history
-- All actions of these records in order. by_other_setting: ended before received_as was changed last.
SELECT c.entity, c.record_id, c.seq, c.command_id::text, c.state, c.outcome, c.reason_code, c.share, c.xero_type, c.body,
       ARRAY(SELECT w ->> 'code' FROM jsonb_array_elements(c.warnings) AS w) AS warned,
       c.action = 'received' AND c.finished_at < (SELECT max(at) FROM connections.settings_history
                                                  WHERE account = %(account)s AND key = 'received_as') AS by_other_setting
FROM ledger.commands c
JOIN unnest(%(entities)s::text[], %(records)s::text[]) AS k (entity, record_id) USING (entity, record_id)
WHERE c.account = %(account)s AND c.reason_code IS DISTINCT FROM 'event_id_reused'
  AND NOT ledger.in_archive(c.account, c.entity, c.record_id)
ORDER BY c.entity, c.record_id, c.seq

-- name: contacts
SELECT record_id, xero_id FROM ledger.links
WHERE account = %(account)s AND kind = 'contact' AND record_id = ANY(%(records)s) AND NOT removed

-- name: told_at
-- Events that may have carried a field of a contact, by their time.
SELECT c.seq, c.command_id::text, c.state, c.outcome, c.reason_code, c.share, c.xero_type, c.body,
       ARRAY(SELECT w ->> 'code' FROM jsonb_array_elements(c.warnings) AS w) AS warned
FROM ledger.commands c
WHERE c.account = %(account)s AND c.event_time = ANY(%(times)s) AND c.action IN ('created', 'edited')
  AND c.reason_code IS DISTINCT FROM 'event_id_reused' AND c.outcome IS DISTINCT FROM 'before_cutoff'
  AND c.archived_at IS NULL
ORDER BY c.seq

-- name: next_records
SELECT DISTINCT entity, record_id FROM ledger.commands
WHERE account = %(account)s AND (entity, record_id) > (%(entity)s, %(record_id)s) AND archived_at IS NULL
  AND (%(since)s::timestamptz IS NULL OR finished_at >= %(since)s)
ORDER BY entity, record_id LIMIT %(limit)s

-- name: contacts_without
SELECT c.entity, c.record_id, c.seq, c.command_id::text, c.state, c.outcome, c.reason_code, c.share, c.xero_type, c.body,
       ARRAY(SELECT w ->> 'code' FROM jsonb_array_elements(c.warnings) AS w) AS warned
FROM ledger.commands c
JOIN unnest(%(entities)s::text[], %(records)s::text[]) AS k (entity, record_id) USING (entity, record_id)
WHERE c.account = %(account)s AND c.state = 'completed' AND c.outcome IN ('posted', 'already_there')
  AND c.action IN ('created', 'edited') AND c.archived_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM ledger.links l WHERE l.account = c.account AND l.kind = 'contact'
                    AND l.record_id = c.entity || '/' || c.record_id)
ORDER BY c.seq

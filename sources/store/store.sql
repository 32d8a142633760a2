-- name: reader_waits
-- Each transaction of the account's reader renews its lease first, and so waits for the end of this one.
SELECT FROM source.leases WHERE account = %(account)s FOR UPDATE

-- name: connect
-- What the key before might not read, lists and details, is asked for at once. A key of which it is not sure that it is of this company
-- holds the account, with that as its reason, until the reader has found out.
-- A block stays: it is not known to be of one key alone.
WITH tried AS (UPDATE source.scans SET held_until = NULL WHERE account = %(account)s),
     due AS (UPDATE source.wanted SET due_at = clock_timestamp()
             WHERE account = %(account)s AND tries > 0 AND due_at > clock_timestamp())
INSERT INTO source.accounts AS a (account, api_key_encrypted, trouble, trouble_text, trouble_since, unproven)
SELECT %(account)s, %(key)s, %(trouble)s, %(text)s, clock_timestamp(), %(trouble)s::text IS NOT NULL
ON CONFLICT (account) DO UPDATE
SET api_key_encrypted = excluded.api_key_encrypted, unproven = excluded.unproven,
    refusals = 0, refused_details = 0, missing = 0,
    (trouble, trouble_text, trouble_since, failures, held_until) = (
        SELECT coalesce(b.trouble, excluded.trouble), coalesce(b.trouble_text, excluded.trouble_text),
               coalesce(b.trouble_since, excluded.trouble_since), coalesce(b.failures, 0), b.held_until
        FROM (SELECT) AS one LEFT JOIN source.accounts b ON b.account = a.account
             AND b.trouble = 'salesbinder_blocked' AND b.held_until > clock_timestamp())

-- name: accounts
SELECT account, api_key_encrypted FROM source.accounts ORDER BY account

-- name: set_shrunk
UPDATE source.accounts a SET shrunk = %(shrunk)s
FROM (SELECT account, shrunk FROM source.accounts WHERE account = %(account)s FOR UPDATE) AS before
WHERE a.account = before.account RETURNING before.shrunk

-- name: take_lease
-- A row that a transaction of its holder locks is not waited for: other accounts must not wait with it.
WITH present AS (SELECT 1 FROM source.leases WHERE account = %(account)s),
     free AS (SELECT 1 FROM source.leases WHERE account = %(account)s FOR UPDATE SKIP LOCKED)
INSERT INTO source.leases AS l (account, holder, fence, expires_at)
SELECT %(account)s, %(holder)s, 1, clock_timestamp() + make_interval(secs => %(ttl)s)
WHERE NOT EXISTS (SELECT FROM present) OR EXISTS (SELECT FROM free)
ON CONFLICT (account) DO UPDATE SET holder = excluded.holder, fence = l.fence + 1, expires_at = excluded.expires_at
WHERE l.expires_at < clock_timestamp()
   OR l.holder = excluded.holder
   OR NOT EXISTS (SELECT 1 FROM pg_locks
                  WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND (classid::bigint << 32) + objid::bigint = l.holder AND objsubid = 1 AND granted)
RETURNING fence

-- name: check_fence
-- Renews it, too. A worker that hangs in a transaction (its machine sleeps) must not hold the row for ever.
UPDATE source.leases SET expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)
WHERE account = %(account)s AND holder = %(holder)s AND fence = %(fence)s
RETURNING set_config('idle_in_transaction_session_timeout', '60s', true)

-- name: release_lease
UPDATE source.leases SET expires_at = clock_timestamp() WHERE account = %(account)s AND holder = %(holder)s AND fence = %(fence)s

-- name: standing
SELECT clock_timestamp() AS now, api_key_encrypted, connected_clock, shrunk, trust::text AS trust, statuses::text AS statuses, widened,
       unproven, failures, refusals, refused_details, missing, held_until, hinted_at,
       ARRAY(SELECT entity || ' ' || record_id FROM source.problems p WHERE p.account = a.account LIMIT %(most)s) AS problems,
       (SELECT enabled_at FROM connections.accounts x WHERE x.account = a.account) AS cut_off, c.*, s.*, w.*
FROM source.accounts a
CROSS JOIN LATERAL (
    SELECT array_agg(at) AS sent, array_agg(at) FILTER (WHERE background) AS background, array_agg(at) FILTER (WHERE hinted) AS sent_for_hints
    FROM source.calls c WHERE c.account = a.account AND at > clock_timestamp() - interval '65 seconds'
) AS c
CROSS JOIN LATERAL (
    SELECT array_agg(key) AS keys, array_agg(scan) AS scans, array_agg(finished) AS finished, array_agg(s.held_until) AS held
    FROM source.scans s WHERE s.account = a.account
) AS s
CROSS JOIN LATERAL (
    SELECT array_agg(record_id) AS wanted, array_agg(why) AS why, array_agg(due_at) AS due, array_agg(row_digest) AS digests,
           array_agg(tries) AS tries, array_agg(entity) AS entities
    FROM (
        (SELECT DISTINCT ON (why) record_id, why, due_at, row_digest, tries, entity FROM source.wanted x
         WHERE x.account = a.account ORDER BY why, due_at, record_id)
        UNION ALL
        -- The detail that is due longest, of those that are not wanted for a better reason.
        (SELECT record_id, 'deep', deep_at, '', 0, entity FROM source.records r
         WHERE r.account = a.account AND deep_at <= clock_timestamp()
           AND NOT EXISTS (SELECT FROM source.wanted x WHERE x.account = r.account AND x.record_id = r.record_id)
         ORDER BY deep_at, record_id LIMIT 1)
    ) AS found
) AS w
WHERE account = %(account)s

-- name: hint
UPDATE source.accounts SET hinted_at = clock_timestamp() WHERE account = %(account)s RETURNING account

-- name: tell_of_hint
SELECT pg_notify(%(channel)s, %(account)s)

-- name: hint_at
-- One that nobody knows is taken for a document. Of a flood only some are kept: the lists show the others.
INSERT INTO source.wanted AS w (account, record_id, why, due_at, entity)
SELECT %(account)s, hinted.id, 'hint', clock_timestamp(), coalesce(max(r.entity), '')
FROM unnest(%(ids)s::text[]) AS hinted (id)
LEFT JOIN source.records r ON r.account = %(account)s AND r.record_id = hinted.id
WHERE (SELECT count(*) FROM source.wanted o WHERE o.account = %(account)s AND o.why = 'hint') < %(most)s
GROUP BY hinted.id
ON CONFLICT (account, record_id) DO UPDATE SET why = 'hint', due_at = excluded.due_at

-- name: add_call
WITH dropped AS (DELETE FROM source.calls WHERE account = %(account)s AND at < clock_timestamp() - interval '5 minutes')
INSERT INTO source.calls (account, at, background, hinted) VALUES (%(account)s, %(at)s, %(background)s, %(hinted)s)

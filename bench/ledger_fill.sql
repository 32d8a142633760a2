-- name: indexes
-- All indexes but those that a constraint stands on, with what makes each again.
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.oid = ANY('{ledger.commands,ledger.elements,ledger.intents,ledger.links,integrations_log.entry}'::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) AND NOT i.indisreplident

-- name: commands
-- Sales of three actions, done in the order of time over half a year; one in two thousand has failed.
INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, event_time, body, state,
                             outcome, reason_code, attempts, version, queued_at, started_at, finished_at, xero_type,
                             xero_id, place)
SELECT md5('old-command' || i)::uuid, account, entity,
       md5(CASE entity WHEN 'customer' THEN 'old-customer' ELSE 'old-document' END || sale)::uuid::text, action, '',
       at, '{}', state, CASE state WHEN 'completed' THEN 'posted' END,
       CASE state WHEN 'failed' THEN 'xero_refused' END, 1, 2, at, at, at, entity, md5('old-xero' || i)::uuid::text,
       'salesbinder.' || entity || 's/' || sale %% 12 || '/' || i
FROM (
    SELECT i, i / 3 AS sale, 'shop-' || lpad((1 + i / 3 %% %(accounts)s)::text, 3, '0') AS account,
           (ARRAY['customer', 'invoice', 'invoice'])[1 + i %% 3] AS entity,
           (ARRAY['edited', 'created', 'payment_applied'])[1 + i %% 3] AS action,
           CASE WHEN i %% 2000 = 7 THEN 'failed' ELSE 'completed' END AS state,
           %(until)s::timestamptz - interval '180 days' * (1 - i::float8 / %(commands)s) AS at
    FROM generate_series(%(from)s::bigint, %(to)s) AS i
) AS made

-- name: snapshots
INSERT INTO ledger.snapshots (account, entity, record_id, modified, event_time, body)
SELECT 'shop-' || lpad((1 + sale %% %(accounts)s)::text, 3, '0'), entity,
       md5(CASE entity WHEN 'customer' THEN 'old-customer' ELSE 'old-document' END || sale)::uuid::text,
       '2026-01-01', '2026-01-01', '{}'
FROM generate_series(%(from)s::bigint / 3, %(to)s / 3) AS sale, unnest('{customer,invoice}'::text[]) AS entity
ON CONFLICT DO NOTHING

-- name: links
INSERT INTO ledger.links (account, kind, record_id, transaction_id, xero_id, seq)
SELECT 'shop-' || lpad((1 + sale %% %(accounts)s)::text, 3, '0'), kind,
       CASE kind WHEN 'contact' THEN 'customer/' || md5('old-customer' || sale)::uuid::text
                 ELSE md5('old-document' || sale)::uuid::text END,
       CASE kind WHEN 'payment' THEN md5('old-payment' || sale)::uuid::text ELSE '' END,
       md5('old-' || kind || sale)::uuid::text, sale
FROM generate_series(%(from)s::bigint / 3, %(to)s / 3) AS sale, unnest('{contact,invoice,payment}'::text[]) AS kind
ON CONFLICT DO NOTHING

-- name: intents
-- A call carries fifteen actions.
INSERT INTO ledger.intents (intent_id, account, fence, route, method, path, created_at, send_by, answered_at, conclusion,
                            status)
SELECT md5('old-call' || call)::uuid, 'shop-' || lpad((1 + call %% %(accounts)s)::text, 3, '0'), 1, 'invoices', 'PUT',
       '/Invoices', at, at, at, 'ok', 200
FROM (
    SELECT call, %(until)s::timestamptz - interval '180 days' * (1 - 15 * call::float8 / %(commands)s) AS at
    FROM generate_series(%(from)s::bigint / 15, %(to)s / 15) AS call
) AS made
ON CONFLICT DO NOTHING

-- name: elements
INSERT INTO ledger.elements (intent_id, position, account, step, kind, record_id, transaction_id, members, body, result)
SELECT md5('old-call' || i / 15)::uuid, i %% 15, 'shop-' || lpad((1 + i / 15 %% %(accounts)s)::text, 3, '0'), 'post',
       (ARRAY['contact', 'invoice', 'payment'])[1 + i %% 3],
       CASE i %% 3 WHEN 0 THEN 'customer/' || md5('old-customer' || i / 3)::uuid::text
                   ELSE md5('old-document' || i / 3)::uuid::text END,
       CASE i %% 3 WHEN 2 THEN md5('old-payment' || i / 3)::uuid::text ELSE '' END,
       ARRAY[md5('old-command' || i)::uuid], '{}', 'ok'
FROM generate_series(%(from)s::bigint, %(to)s) AS i

-- name: attempts
INSERT INTO integrations_log.attempt (attempt_id, entry_id, account, number, step, method, path, started_at, finished_at,
                                      status, request, answer, error, refused, refusal, refusal_shape)
SELECT md5('old-attempt' || i)::uuid, md5('old-command' || i)::uuid, 'shop-' || lpad((1 + i %% %(accounts)s)::text, 3, '0'), 1,
       'post', 'PUT', '/Invoices', at, at, 200, '', '', '', '', '', ''
FROM (SELECT i, %(until)s::timestamptz - interval '180 days' * (1 - i::float8 / %(commands)s) AS at
      FROM generate_series(%(from)s::bigint, %(to)s) AS i) AS made

-- name: entries
INSERT INTO integrations_log.entry (
    entry_id, version, position, account, entity, record_id, record_number, action, state, outcome, reason, remedy, warnings,
    party_name, currency, salesbinder_url, attempts, queued_at, started_at, finished_at, xero_type, xero_id, xero_number,
    xero_url, event_id, event_type, topic, partition, "offset", triggered_by, actor
)
SELECT md5('old-command' || i)::uuid, 2, nextval('integrations_log.position_seq'),
       'shop-' || lpad((1 + i / 3 %% %(accounts)s)::text, 3, '0'), (ARRAY['customer', 'invoice', 'invoice'])[1 + i %% 3],
       md5('old-document' || i / 3)::uuid::text, (i / 3)::text,
       (ARRAY['edited', 'created', 'payment_applied'])[1 + i %% 3], 'completed', 'posted', '', '', '[]',
       'Customer ' || i / 3, 'CAD', '', 1, at, at, at, 'invoice', md5('old-xero' || i)::uuid::text, (i / 3)::text, '',
       md5('old-event' || i)::uuid::text, '', 'salesbinder.invoices', i / 3 %% 12, i, 'event', ''
FROM (SELECT i, %(until)s::timestamptz - interval '180 days' * (1 - i::float8 / %(commands)s) AS at
      FROM generate_series(%(from)s::bigint, %(to)s) AS i) AS made

-- name: requests
-- Of a comparison a day, and of facts: one for a hundred actions.
INSERT INTO ledger.requests (request_id, account, kind, asked_at, answered_at)
SELECT md5('old-request' || n)::uuid, 'shop-' || lpad((1 + n %% %(accounts)s)::text, 3, '0'),
       (ARRAY['facts', 'drift'])[1 + n %% 2], %(until)s::timestamptz, %(until)s
FROM generate_series(%(from)s::bigint / 100, %(to)s / 100) AS n
ON CONFLICT DO NOTHING

-- name: drift_runs
INSERT INTO ledger.drift_runs (run_id, account, actor, covers, asked_at, finished_at, calls_expected)
SELECT md5('old-request' || n)::uuid, 'shop-' || lpad((1 + n %% %(accounts)s)::text, 3, '0'), 'ann', true,
       %(until)s::timestamptz, %(until)s, 5
FROM generate_series(%(from)s::bigint / 100, %(to)s / 100) AS n WHERE n %% 2 = 1
ON CONFLICT DO NOTHING

-- name: indexes
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'integrations_log' AND tablename = 'entry' AND indexname <> 'entry_pkey'

-- name: entries
-- Sales of three entries, in the order of time over half a year, of 20 accounts: the first has a fifth of all, the
-- last a fortieth. The account before the last was closed after a month. Suppliers and orders are rare, as are
-- deletions; one in a hundred has failed; one account is held, with what came in the last days waiting.
INSERT INTO integrations_log.entry (
    entry_id, version, position, account, entity, record_id, record_number, action, state, outcome, reason_code,
    reason, remedy, warnings, party_name, amount, currency, salesbinder_url, attempts, queued_at, started_at,
    finished_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition,
    "offset", triggered_by, actor, cause, reference
)
SELECT
    md5('entry' || i)::uuid, 2, nextval('integrations_log.position_seq'), account, entity,
    md5(entity || coalesce(party, sale))::uuid, number, action, state,
    CASE WHEN state = 'completed' THEN 'posted' END, code,
    CASE WHEN state = 'failed' THEN 'Xero did not take ' || entity || ' ' || number || ': ' || code ELSE '' END,
    CASE WHEN state = 'failed' THEN 'Correct it in SalesBinder or in Xero, then retry.' ELSE '' END,
    '[]', name, CASE WHEN entity NOT IN ('customer', 'supplier') THEN (sale * 7919 %% 500000) / 100.0 END, 'CAD',
    'https://' || account || '.salesbinder.com/documents/view/' || md5('record' || sale)::uuid,
    CASE WHEN state = 'queued' THEN 0 ELSE 1 END, at, at, CASE WHEN state IN ('completed', 'failed') THEN at END,
    CASE WHEN state = 'completed' THEN entity ELSE '' END,
    CASE WHEN state = 'completed' THEN md5('xero' || sale)::uuid::text ELSE '' END,
    CASE WHEN state = 'completed' THEN number ELSE '' END,
    CASE WHEN state = 'completed' THEN 'https://go.xero.com/app/!demo/invoicing/view/' || md5('xero' || sale)::uuid
         ELSE '' END,
    md5('event' || i)::uuid, 'salesbinder.' || entity || '.' || action, at, 'salesbinder.' || entity || 's',
    sale %% 12, i, 'event', '', CASE WHEN state = 'failed' THEN 'cause-' || (sale %% 4) ELSE '' END,
    CASE WHEN entity NOT IN ('customer', 'supplier') AND sale %% 5 = 0 THEN 'Order ' || (sale * 31 %% 100000) ELSE '' END
FROM (
    SELECT *,
        CASE WHEN entity IN ('customer', 'supplier') THEN (100 + party)::text
             WHEN entity = 'purchase_order' THEN 'PO-' || (1000 + sale / 20)
             ELSE (1000 + sale / 20)::text END AS number,
        CASE WHEN state = 'failed' THEN (%(reasons)s::text[])[1 + floor(power(dice, 2) * 20)::int]
             WHEN state = 'queued' AND sale %% 9 = 0 THEN 'xero_unavailable' END AS code,
        (string_to_array(%(first)s, ' '))[1 + party %% 40] || ' ' || (string_to_array(%(second)s, ' '))[1 + party / 40 %% 40]
            || ' ' || (string_to_array(%(third)s, ';'))[1 + party / 1600 %% 5] AS name
    FROM (
        SELECT *,
            CASE WHEN account = 'shop-07' AND i > %(entries)s * 0.98 THEN 'queued'
                 WHEN i > %(entries)s - 200 THEN CASE WHEN dice < 0.1 THEN 'running' ELSE 'queued' END
                 WHEN unlucky < 0.01 THEN 'failed' ELSE 'completed' END AS state,
            CASE WHEN sale %% 200 = 8 THEN CASE WHEN rare < 0.1 THEN 'deleted' ELSE 'edited' END
                 WHEN i %% 3 = 0 THEN CASE WHEN rare < 0.001 THEN 'deleted' WHEN rare < 0.3 THEN 'created' ELSE 'edited' END
                 WHEN i %% 3 = 1 THEN CASE WHEN rare < 0.002 THEN 'cancelled' WHEN rare < 0.05 THEN 'edited' ELSE 'created' END
                 WHEN sale %% 50 = 7 THEN 'received'
                 ELSE CASE WHEN rare < 0.01 THEN 'refund_applied' ELSE 'payment_applied' END END AS action
        FROM (
            SELECT *,
                CASE WHEN sale %% 200 = 8 THEN 'supplier' WHEN i %% 3 = 0 THEN 'customer'
                     WHEN sale %% 50 = 7 THEN 'purchase_order' ELSE 'invoice' END AS entity,
                'shop-' || lpad((CASE WHEN which = 19 AND i > %(entries)s / 6 THEN 1 ELSE which END)::text, 2, '0')
                    AS account
            FROM (
                SELECT i, i / 3 AS sale, i / 3 * 7919 %% 8000 AS party,
                    %(until)s::timestamptz - interval '180 days' * (1 - i::float8 / %(entries)s) AS at,
                    1 + floor(20 * power((i / 3 * 48271 %% 9973) / 9973.0, 2))::int AS which,
                    random() AS dice, random() AS unlucky, random() AS rare
                FROM generate_series(%(from)s::bigint, %(to)s) AS i
            ) AS numbered
        ) AS kinds
    ) AS states
) AS made

-- name: hold
INSERT INTO integrations_log.account_hold (account, version, at, held, reason, remedy)
VALUES ('shop-07', 1, now(), 'account_paused', 'shop-07 is paused: stock-taking.', 'Resume it.')

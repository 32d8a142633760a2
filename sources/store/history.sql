-- name: plan
-- Documents of which stock was taken, and which were not told whole since (Kept.is_whole).
SELECT count(*) AS documents,
       count(*) FILTER (WHERE (found.body #>> '{known,stock,total}')::numeric > 0
                           OR coalesce(found.body #> '{known,transactions}', '{}') <> '{}') AS paid
FROM source.records r
CROSS JOIN LATERAL (SELECT convert_from(r.body, 'UTF8')::jsonb AS body) found
WHERE r.account = %(account)s AND r.entity IN ('invoice', 'purchase_order') AND NOT r.history
  AND (found.body ->> 'created')::timestamptz >= %(since)s
  AND NOT coalesce((found.body #>> '{known,whole}')::boolean,
                   (found.body #>> '{known,revision}')::integer > 0
                   AND ((found.body #>> '{known,cancelled}')::boolean OR r.entity = 'purchase_order'))
  AND NOT (found.body #>> '{known,deleted}')::boolean

-- name: reader_waits
-- Each transaction of the account's reader renews its lease first, and so waits for the end of this one.
SELECT account FROM source.leases WHERE account = %(account)s FOR UPDATE

-- name: start
-- The oldest first. One that is wanted for a better reason is told whole all the same.
WITH chosen AS (
    UPDATE source.records r SET history = true
    FROM (SELECT record_id, entity, convert_from(body, 'UTF8')::jsonb AS body FROM source.records
          WHERE account = %(account)s AND entity IN ('invoice', 'purchase_order') AND NOT history) found
    WHERE r.account = %(account)s AND r.entity = found.entity AND r.record_id = found.record_id
      AND (found.body ->> 'created')::timestamptz >= %(since)s
      AND NOT coalesce((found.body #>> '{known,whole}')::boolean,
                       (found.body #>> '{known,revision}')::integer > 0
                       AND ((found.body #>> '{known,cancelled}')::boolean OR r.entity = 'purchase_order'))
      AND NOT (found.body #>> '{known,deleted}')::boolean
    RETURNING r.record_id, r.entity, (found.body ->> 'created')::timestamptz AS created
), wanted AS (
    INSERT INTO source.wanted (account, record_id, why, due_at, entity)
    SELECT %(account)s, record_id, 'history', created, entity FROM chosen
    ON CONFLICT (account, record_id) DO NOTHING
)
SELECT count(*) AS documents FROM chosen

-- name: is_waiting
SELECT FROM source.wanted WHERE account = %(account)s AND why = 'history' LIMIT 1

-- name: cancel
WITH none_wanted AS (
    DELETE FROM source.wanted WHERE account = %(account)s AND why = 'history'
), cancelled AS (
    -- Those that it left out, too: else they were told whenever they are there again. No text in a body has this mark,
    -- since in JSON its quotes are escaped there.
    UPDATE source.records r SET history = false,
        body = convert_to(replace(convert_from(body, 'UTF8'), '"left_out":true', '"left_out":false'), 'UTF8')
    FROM (SELECT entity, record_id, history FROM source.records
          WHERE account = %(account)s
            AND (history OR position(convert_to('"left_out":true', 'UTF8') IN body) > 0)) AS found
    WHERE r.account = %(account)s AND r.entity = found.entity AND r.record_id = found.record_id
    RETURNING found.history
)
SELECT count(*) FILTER (WHERE history) AS documents FROM cancelled

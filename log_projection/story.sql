-- name: records
-- By everything that people may have at hand: numbers, SalesBinder's ids, Xero's ids, ids of events and entries.
SELECT DISTINCT account, entity, record_id
FROM (
    SELECT account, entity, record_id FROM integrations_log.entry
    WHERE record_id = %(text)s OR entry_id = %(text)s OR event_id = %(text)s
       OR lower(record_number) = lower(%(text)s)
       OR lower(xero_number) = lower(%(text)s) AND lower(xero_number) <> lower(record_number)
       OR lower(party_name) = lower(%(text)s) AND entity IN ('customer', 'supplier')
    UNION ALL
    SELECT account,
           CASE WHEN kind = 'contact' THEN split_part(record_id, '/', 1)
                WHEN kind IN ('purchase_order', 'bill') THEN 'purchase_order'
                ELSE 'invoice' END,
           CASE WHEN kind = 'contact' THEN split_part(record_id, '/', 2) ELSE record_id END
    FROM ledger.links
    WHERE kind <> 'item' AND (xero_id = lower(%(text)s) OR transaction_id = %(text)s)
) AS found
WHERE (%(account)s::text IS NULL OR account = %(account)s) AND record_id <> ''
ORDER BY account, entity, record_id

-- name: objects
SELECT kind, transaction_id, xero_id, xero_number, removed, facts ->> 'amount' AS amount, facts ->> 'date' AS date,
       facts ->> 'reference' AS reference
FROM ledger.links
WHERE account = %(account)s
  AND (record_id = %(record_id)s AND kind NOT IN ('contact', 'item')
       OR kind = 'contact' AND record_id = %(entity)s || '/' || %(record_id)s)
ORDER BY array_position(ARRAY['contact', 'invoice', 'purchase_order', 'bill', 'payment', 'credit_note', 'refund'], kind),
         seq, transaction_id

-- name: archived
SELECT count(*)::integer AS actions FROM ledger.commands
WHERE account = %(account)s AND entity = %(entity)s AND record_id = %(record_id)s AND archived_at IS NOT NULL

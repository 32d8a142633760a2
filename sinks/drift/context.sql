-- name: puts
-- Our objects in Xero, by Xero's ids or by our records: link, bodies that Xero took, later actions.
SELECT l.kind, l.record_id, l.transaction_id, l.xero_id, l.xero_number, l.seq, l.removed, l.facts, sent.bodies,
       EXISTS (SELECT 1 FROM ledger.elements e JOIN ledger.intents i USING (intent_id)
               WHERE e.account = l.account AND e.record_id = l.record_id
                 AND (e.result IN ('open', 'unknown') OR i.answered_at >= %(asked_at)s)) AS busy,
       EXISTS (SELECT 1 FROM ledger.commands c
               WHERE c.account = l.account AND c.record_id = l.record_id
                 AND c.entity = CASE WHEN l.kind IN ('purchase_order', 'bill') THEN 'purchase_order' ELSE 'invoice' END
                 AND (c.outcome IN ('posted', 'already_there') OR c.reason_code = 'document_removed')
                 AND (c.action IN ('cancelled', 'deleted')
                      OR (c.action = 'reset' AND c.state = 'completed' AND c.seq > l.seq
                          AND l.kind IN ('payment', 'refund', 'credit_note')))) AS ended
FROM ledger.links l
LEFT JOIN LATERAL (
    SELECT array_agg(coalesce(e.packed, convert_to(e.body::text, 'UTF8')) ORDER BY i.created_at, e.position) AS bodies
    FROM ledger.elements e JOIN ledger.intents i USING (intent_id)
    WHERE e.account = l.account AND e.record_id = l.record_id AND e.kind = l.kind
      AND e.transaction_id = l.transaction_id AND e.result IN ('ok', 'resolved')
      AND num_nonnulls(e.body, e.packed) > 0
      AND (l.kind <> 'contact' OR e.match = l.xero_id)) AS sent ON true
WHERE l.account = %(account)s
  AND ((l.xero_id <> '' AND l.xero_id = ANY(%(xero_ids)s))
       OR (l.kind IN ('invoice', 'payment', 'credit_note', 'refund', 'purchase_order', 'bill')
           AND l.record_id = ANY(%(records)s)))
  -- What was sent for it, and why, is in the archive: there is nothing to compare with.
  AND NOT ledger.in_archive(l.account, l.kind, l.record_id)

-- name: right_contacts
-- ContactIDs that a record's document may have: the contact that its customer or supplier is linked to now.
SELECT d.record_id, c.xero_id
FROM ledger.links d
JOIN ledger.links c ON c.account = d.account AND c.kind = 'contact' AND c.record_id = d.facts ->> 'party'
WHERE d.account = %(account)s AND d.record_id = ANY(%(records)s) AND d.kind IN ('invoice', 'bill', 'purchase_order')

-- name: merged_contacts
SELECT xero_id, xeros FROM ledger.drift WHERE account = %(account)s AND kind = 'contact' AND field = 'merged'

-- name: rivals
-- Records of other accounts of the organisation that are linked to these contacts, too.
SELECT record_id, xero_id, xero_number, seq, facts FROM ledger.links
WHERE account = ANY(connections.of_one_organisation(%(account)s)) AND account <> %(account)s
  AND kind = 'contact' AND NOT removed AND xero_id = ANY(%(xero_ids)s)

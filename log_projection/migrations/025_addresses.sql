-- Entries that were published without their account's settings: the addresses that their next version would have.
-- Ids that an address has to write in another way are left to that next version.
CREATE FUNCTION pg_temp.setting(of_account text, of_key text, otherwise text) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT coalesce((SELECT value FROM connections.settings WHERE account = of_account AND key = of_key), otherwise)
$$;

UPDATE integrations_log.entry AS e SET salesbinder_url = a.url
FROM (
    SELECT entry_id, replace(replace(replace(
        CASE WHEN entity IN ('customer', 'supplier')
             THEN pg_temp.setting(account, 'account_url', 'https://{account}.salesbinder.com/{kind}/view/{id}')
             ELSE pg_temp.setting(account, 'document_url', 'https://{account}.salesbinder.com/documents/view/{id}') END,
        '{account}', account), '{kind}', entity || 's'), '{id}', record_id) AS url
    FROM integrations_log.entry
    WHERE account <> '' AND record_id ~ '^[A-Za-z0-9._~-]+$'
) AS a
WHERE a.entry_id = e.entry_id AND e.salesbinder_url <> a.url
  AND (e.entity IN ('customer', 'supplier') OR e.salesbinder_url = ''
       OR e.salesbinder_url = 'https://' || e.account || '.salesbinder.com/documents/view/' || e.record_id);

UPDATE integrations_log.entry AS e SET xero_url =
    CASE e.xero_type
        WHEN 'contact' THEN format('https://go.xero.com/app/%s/contacts/contact/%s', f.code, e.xero_id)
        WHEN 'invoice' THEN format('https://go.xero.com/app/%s/invoicing/view/%s', f.code, e.xero_id)
        WHEN 'payment' THEN f.login || '/Bank/ViewTransaction.aspx?bankTransactionID=' || e.xero_id
        WHEN 'credit_note' THEN f.login || '/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=' || e.xero_id
        WHEN 'bill' THEN f.login || '/AccountsPayable/Edit.aspx?InvoiceID=' || e.xero_id
        WHEN 'purchase_order' THEN f.login || '/Accounts/Payable/PurchaseOrders/View/' || e.xero_id || '/'
        ELSE '' END
FROM (
    SELECT account, body ->> 'short_code' AS code,
           format('https://go.xero.com/organisationlogin/default.aspx?shortcode=%s&redirecturl=', body ->> 'short_code')
               AS login
    FROM connections.facts WHERE coalesce(body ->> 'short_code', '') <> ''
) AS f
WHERE f.account = e.account AND e.xero_url = '' AND e.xero_id <> '';

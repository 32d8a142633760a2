-- Requests and responses of attempts are kept short: what Xero's JSON says over and over again stands there as one
-- character each. PostgreSQL does not compress texts of this size by itself.

-- The fragments, longer ones first, and the characters that stand for them: control characters, which JSON does not
-- contain, and letters of N'Ko. Neither is ever changed: what was shortened with them is made whole with them.
CREATE FUNCTION integrations_log.fragments_1() RETURNS text[] IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ARRAY[
        '"HasAttachments":false,"IsDiscounted":false,"SentToContact":false,"Contact":{"ContactID":"',
        '","ContactPersons":[],"SalesTrackingCategories":[],"PurchasesTrackingCategories":[]',
        '"ContactGroups":[],"ContactPersons":[],"HasValidationErrors":false},"LineItems":[],',
        '","Status":"AUTHORISED","LineAmountTypes":"Exclusive","LineItems":[{"LineItemID":"',
        '","BankAccountDetails":"","Addresses":[{"AddressType":"STREET","AddressLine1":"',
        '"HasAttachments":false,"HasValidationErrors":false,"ContactNumber":"',
        ',"Payments":[],"CreditNotes":[],"Prepayments":[],"Overpayments":[],',
        '","HasAccount":true,"IsReconciled":false,"Account":{"AccountID":"',
        '","AddressLine2":"","AddressLine3":"","AddressLine4":"","City":"',
        '"HasErrors":false,"IsDiscounted":false,"Contact":{"ContactID":"',
        '","Tracking":[],"ValidationErrors":[],"Quantity":', '"Phones":[{"PhoneType":"DEFAULT","PhoneNumber":"',
        '","LineAmountTypes":"Exclusive","Url":"https://', '+0000)/","ContactGroups":[],"IsSupplier":false,',
        '"},"Invoice":{"Type":"ACCREC","InvoiceID":"', '"},{"AddressType":"STREET","AddressLine1":"',
        '","PhoneAreaCode":"","PhoneCountryCode":""', '{"AddressType":"POBOX","AddressLine1":"',
        '},{"PhoneType":"FAX","PhoneNumber":"', '","ContactStatus":"ACTIVE","Name":"',
        '+0000)/","UpdatedDateUTCString":"', '.salesbinder.com/documents/view/', '{"Type":"ACCREC","CurrencyRate":',
        ',"PaymentType":"ACCRECPAYMENT",', '},"HasValidationErrors":false,', '","Addresses":[],"Phones":[],',
        '"StatusAttributeString":"OK"}', '"}],"Contact":{"ContactID":"', '","Invoice":{"InvoiceID":"',
        '+0000)/","DueDateString":"', '"},"Status":"AUTHORISED"}', ',"Status":"PAID","Total":',
        ',"UpdatedDateUTC":"/Date(', '},{"PhoneType":"MOBILE",', '+0000)/","DateString":"', '+0000)/","BankAmount":',
        '"}],"ContactNumber":"', '},{"PhoneType":"DDI",', '","HasErrors":false,', '{"Account":{"Code":"',
        '","InvoiceNumber":"', '"IsCustomer":false,', '","DiscountRate":"', '","EmailAddress":"', '"IsCustomer":true,',
        '"},{"LineItemID":"', ',"AmountCredited":', '","AccountCode":"', '","CurrencyRate":', '","Description":"',
        '","Url":"https://', '","LineItems":[{', '","PostalCode":"', '"CurrencyCode":"', '","InvoiceID":"',
        '"PhoneNumber":"', '"}],"SubTotal":', '","AmountDue":', '","Quantity":"', '"Date":"/Date(', ',"AmountPaid":',
        ',"LineAmount":', ',"Reference":"', ',"UnitAmount":', '{"ContactID":"', '{"PaymentID":"', '","Country":"',
        '","DueDate":"', '","TaxType":"', '","Website":"', '"Addresses":[', ',"TaxAmount":', '","Region":"',
        '"ItemCode":"', ',"TotalTax":', '","City":"', '","Code":"', ',"Amount":', ',"Total":', '"Date":"', '"Name":"'
    ]
$$;

CREATE FUNCTION integrations_log.marks_1() RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT E'\u0091\u001e\u0092\u0093\u001f\u0080\u0081\u0094\u0082\u0095\u0012\u0013\u0096\u0083\u0098\u0097'
        '\u0001\u0014\u0015\u0084\u0085\u0086\u0099\u009a\u009b\u009c\u0016\u009d\u009f\u009e\u07c0\u07c1'
        '\u000e\u0087\u07c2\u07c3\u07c4\u0088\u07c5\u07c6\u0017\u07c7\u0019\u0018\u07c8\u0089\u008a\u0003'
        '\u07ca\u0002\u07c9\u07cb\u0004\u001a\u07cd\u000f\u07cc\u008d\u001b\u008b\u008c\u001c\u0010\u0005'
        '\u07ce\u07cf\u0006\u008e\u0007\u07d1\u07d0\u0008\u000b\u000c\u07d2\u0011\u07d3\u008f\u07d4\u0090'
        '\u001d'
$$;

CREATE FUNCTION integrations_log.whole_1(shortened text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    marks CONSTANT text := integrations_log.marks_1();
    fragments CONSTANT text[] := integrations_log.fragments_1();
BEGIN
    FOR number IN 1 .. cardinality(fragments) LOOP
        shortened := replace(shortened, substr(marks, number, 1), fragments[number]);
    END LOOP;
    RETURN shortened;
END $$;

-- With which fragments request and answer are shortened. Null: with none, as earlier versions write them.
ALTER TABLE integrations_log.attempt ADD COLUMN fragments smallint;

CREATE OR REPLACE VIEW integrations_log.attempts AS
SELECT attempt_id, entry_id, account, number, step, method, path, started_at, finished_at, status,
       CASE fragments WHEN 1 THEN integrations_log.whole_1(request) ELSE request END AS request,
       CASE fragments WHEN 1 THEN integrations_log.whole_1(answer) ELSE answer END AS answer,
       error, refused, refusal, refusal_shape
FROM integrations_log.attempt;

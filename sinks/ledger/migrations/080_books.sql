-- What Xero showed last of the invoices, bills, credit notes and purchase orders of an account's organisation, as its
-- books were read for a comparison. Nothing of what was sent is in it: it is Xero's side of a reconciliation.
CREATE TABLE ledger.books (
    account    text NOT NULL,
    xero_id    text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('invoice', 'bill', 'credit_note', 'purchase_order')),
    number     text NOT NULL,
    contact_id text NOT NULL,
    party      text NOT NULL,
    day        date,
    status     text NOT NULL,
    net        numeric NOT NULL,
    tax        numeric NOT NULL,
    total      numeric NOT NULL,
    -- By payments on an invoice or bill; of a credit note, what was paid out.
    paid       numeric NOT NULL,
    currency   text NOT NULL,
    url        text NOT NULL,
    -- When Xero was asked.
    read_at    timestamptz NOT NULL,
    PRIMARY KEY (account, xero_id)
);
CREATE INDEX books_url ON ledger.books (account, url) WHERE url <> '';

-- Whether the documents that a reading was shown were kept: those of older readings were not.
ALTER TABLE ledger.drift_runs ADD COLUMN keeps_books boolean NOT NULL DEFAULT false;

-- The exchange rate with which a document of an account stood in Xero last, by currency: units of `currency` for one of
-- `base`, the organisation's own. A rate that is far from it is told on the entry.
CREATE TABLE ledger.exchange_rates (
    account text NOT NULL,
    base text NOT NULL,
    currency text NOT NULL,
    rate numeric NOT NULL,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account, base, currency)
);

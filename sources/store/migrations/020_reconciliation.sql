-- SalesBinder and Xero side by side: how far each comparison has come, what SalesBinder showed, and the result.
CREATE TABLE source.reconciliations (
    run_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account      text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    actor        text NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    finished_at  timestamptz,
    error        text,
    phase        text NOT NULL DEFAULT 'rows' CHECK (phase IN ('rows', 'details', 'xero', 'records', 'links')),
    -- The list that is read, and those that were read or that the key may not read.
    scan         bytea,
    lists        jsonb NOT NULL DEFAULT '{}',
    calls        integer NOT NULL DEFAULT 0,
    rows         integer NOT NULL DEFAULT 0,
    details      integer NOT NULL DEFAULT 0,
    failures     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    waits_for    text NOT NULL DEFAULT '',
    -- The reading of Xero that it waits for (ledger.drift_runs).
    xero_run     uuid,
    xero_calls   integer NOT NULL DEFAULT 0,
    -- How far the comparing has come.
    after_kind   text NOT NULL DEFAULT '',
    after_record text NOT NULL DEFAULT '',
    months       jsonb NOT NULL DEFAULT '[]',
    news         integer NOT NULL DEFAULT 0
);
COMMENT ON COLUMN source.reconciliations.news IS
    'Documents whose difference is another one than at the comparison before, of which people are to be told';
CREATE UNIQUE INDEX reconciliations_open ON source.reconciliations (account) WHERE finished_at IS NULL;
CREATE INDEX reconciliations_account ON source.reconciliations (account, asked_at DESC);

-- Each document as SalesBinder's list showed it last to a comparison. The body is JSON of sources.reconcile.shop.
CREATE TABLE source.shop_documents (
    account    text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    entity     text NOT NULL CHECK (entity IN ('invoice', 'purchase_order')),
    record_id  text NOT NULL,
    body       bytea NOT NULL,
    run_id     uuid NOT NULL,
    -- Its payments and refunds are read from its detail.
    wanted     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account, entity, record_id)
);
CREATE INDEX shop_documents_wanted ON source.shop_documents (account) WHERE wanted;

-- Each document on its three sides at the last comparison. The body is JSON of sources.reconcile.result.
CREATE TABLE source.reconciled (
    account       text NOT NULL REFERENCES source.accounts ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('invoice', 'purchase_order', 'bill')),
    record_id     text NOT NULL,
    number        text NOT NULL,
    day           date,
    agrees        boolean NOT NULL,
    why           text NOT NULL,
    is_news       boolean NOT NULL,
    digest        text NOT NULL,
    body          bytea NOT NULL,
    run_id        uuid NOT NULL,
    -- The comparison that found this difference first.
    first_run     uuid NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account, kind, record_id)
);
CREATE INDEX reconciled_day ON source.reconciled (account, (coalesce(day, 'infinity'::date)), kind, number, record_id);
CREATE INDEX reconciled_differing ON source.reconciled (account, day) WHERE NOT agrees;

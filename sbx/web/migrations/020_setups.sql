-- Accounts that are being set up, step by step; finished_at once they are. Accounts without a row were set up otherwise.
CREATE TABLE web.setups (
    account        text PRIMARY KEY,
    begun_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- What was found in the shop: rates, methods of payment, some documents for the preview. Forgotten at the end.
    sample         jsonb,
    -- Settings that nobody wants to give a value.
    left_out       text[] NOT NULL DEFAULT '{}',
    start_chosen   timestamptz,
    -- A digest of the settings with which the preview was accepted.
    previewed      text NOT NULL DEFAULT '',
    switched_on_at timestamptz,
    finished_at    timestamptz,
    -- As the checklist was counted last, for pages and tables that list accounts.
    steps_left     integer NOT NULL
);

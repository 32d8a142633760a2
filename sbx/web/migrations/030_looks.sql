-- A look at the shop's newest documents, which takes up to a minute: when it began, and why it failed.
ALTER TABLE web.setups
    ADD COLUMN look_begun_at timestamptz,
    ADD COLUMN look_problem  text NOT NULL DEFAULT '';

-- Issues that somebody has put aside until a day, with why: they are shown apart until then, and counted all the same.
CREATE TABLE web.mutes (
    issue_id text PRIMARY KEY,
    account  text NOT NULL,
    until    timestamptz NOT NULL,
    reason   text NOT NULL,
    muted_by text NOT NULL,
    muted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

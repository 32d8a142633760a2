-- v3's change feed, another hint beside webhooks, for accounts that gave a key for it.
CREATE TABLE source.feeds (
    account           text PRIMARY KEY REFERENCES source.accounts ON DELETE CASCADE,
    api_key_encrypted bytea NOT NULL,
    -- Opaque; none before the first answer, and after the feed said that it goes back no further.
    cursor            text,
    last_at           timestamptz,
    trouble           text NOT NULL DEFAULT '',
    failures          integer NOT NULL DEFAULT 0,
    held_until        timestamptz
);
COMMENT ON COLUMN source.feeds.last_at IS 'When the feed was last read to its end';

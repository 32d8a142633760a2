-- Browsers in which somebody has signed in: strangers' wrong passwords do not make them wait. They open nothing.
CREATE TABLE web.known_browsers (
    key_hash  bytea NOT NULL,
    user_name text NOT NULL REFERENCES web.users ON DELETE CASCADE,
    seen_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (key_hash, user_name)
);
CREATE INDEX known_browsers_user ON web.known_browsers (user_name, seen_at);

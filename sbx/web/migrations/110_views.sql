-- Views of the log that users keep by name: the filters and the order, as in the page's address.
CREATE TABLE web.views (
    user_name text NOT NULL REFERENCES web.users ON DELETE CASCADE,
    name      text NOT NULL,
    query     text NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_name, name)
);

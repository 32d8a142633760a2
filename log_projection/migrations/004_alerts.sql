-- What people are told of, once each until it is over. Apart from integrations_log, which may be dropped and filled again.
CREATE SCHEMA alerts;

CREATE TABLE alerts.alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('issue', 'paused', 'connection_lost', 'oldest_waiting')),
    account  text NOT NULL,
    text     text NOT NULL,
    remedy   text NOT NULL,
    path     text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX alert_open ON alerts.alert (key) WHERE ended_at IS NULL;

-- One message tells of several alerts. It keeps its id through all tries, so that a receiver knows a repeated one.
CREATE TABLE alerts.message (
    message_id uuid PRIMARY KEY,
    channel    text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    tries      integer NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL DEFAULT now(),
    error      text NOT NULL DEFAULT '',
    sent_at    timestamptz
);
CREATE UNIQUE INDEX message_open ON alerts.message (channel) WHERE sent_at IS NULL;

-- Which alert each channel has to tell; the message is none until it is put together.
CREATE TABLE alerts.telling (
    alert_id   bigint NOT NULL REFERENCES alerts.alert ON DELETE CASCADE,
    channel    text NOT NULL,
    message_id uuid REFERENCES alerts.message,
    PRIMARY KEY (alert_id, channel)
);
CREATE INDEX telling_message ON alerts.telling (message_id);

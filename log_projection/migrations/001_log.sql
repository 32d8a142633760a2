-- The Integrations Log. Everything in this schema can be dropped and rebuilt from integration.results or the ledger.
CREATE SCHEMA integrations_log;

-- Rises with every change of an entry. Taken under the projection's lock, so that positions appear in the order
-- in which they were given, and a reader may go on from the last one that it saw.
CREATE SEQUENCE integrations_log.position_seq;

CREATE TABLE integrations_log.entry (
    entry_id        text PRIMARY KEY,
    version         integer NOT NULL,
    position        bigint NOT NULL,
    account         text NOT NULL,
    entity          text NOT NULL,
    record_id       text NOT NULL,
    record_number   text NOT NULL,
    action          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed')),
    outcome         text,
    reason_code     text,
    reason          text NOT NULL,
    remedy          text NOT NULL,
    warnings        jsonb NOT NULL,
    party_name      text NOT NULL,
    amount          numeric,
    currency        text NOT NULL,
    salesbinder_url text NOT NULL,
    attempts        integer NOT NULL,
    next_attempt_at timestamptz,
    queued_at       timestamptz NOT NULL,
    started_at      timestamptz,
    finished_at     timestamptz,
    xero_type       text NOT NULL,
    xero_id         text NOT NULL,
    xero_number     text NOT NULL,
    xero_url        text NOT NULL,
    event_id        text NOT NULL,
    event_type      text NOT NULL,
    event_time      timestamptz,
    topic           text NOT NULL,
    partition       integer,
    "offset"        bigint,
    triggered_by    text NOT NULL,
    actor           text NOT NULL
);

-- Lists go by (queued_at, entry_id), newest or oldest first; each filter has the index that also gives that order.
CREATE INDEX entry_by_time ON integrations_log.entry (queued_at, entry_id);
CREATE INDEX entry_by_account ON integrations_log.entry (account, queued_at, entry_id);
CREATE INDEX entry_by_account_state ON integrations_log.entry (account, state, queued_at, entry_id);
CREATE INDEX entry_by_state ON integrations_log.entry (state, queued_at, entry_id);
CREATE INDEX entry_by_kind ON integrations_log.entry (entity, action, queued_at, entry_id);
CREATE INDEX entry_by_action ON integrations_log.entry (action, queued_at, entry_id);
CREATE INDEX entry_by_reason ON integrations_log.entry (reason_code, queued_at, entry_id)
    WHERE reason_code IS NOT NULL;
CREATE INDEX entry_by_position ON integrations_log.entry (position);
CREATE INDEX entry_by_source ON integrations_log.entry (topic, partition, "offset");
-- Prefix searches: text_pattern_ops serves LIKE 'abc%' in any collation.
CREATE INDEX entry_by_record_id ON integrations_log.entry (record_id text_pattern_ops);
CREATE INDEX entry_by_entry_id_prefix ON integrations_log.entry (entry_id text_pattern_ops);
CREATE INDEX entry_by_record_number ON integrations_log.entry (lower(record_number) text_pattern_ops);
CREATE INDEX entry_by_party_name ON integrations_log.entry (lower(party_name) text_pattern_ops);
CREATE INDEX entry_by_xero_number ON integrations_log.entry (lower(xero_number) text_pattern_ops);
CREATE INDEX entry_by_event_id ON integrations_log.entry (event_id);

CREATE TABLE integrations_log.attempt (
    attempt_id  text PRIMARY KEY,
    entry_id    text NOT NULL,
    account     text NOT NULL,
    number      integer NOT NULL,
    step        text NOT NULL,
    method      text NOT NULL,
    path        text NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      integer,
    request     text NOT NULL,
    answer      text NOT NULL,
    error       text NOT NULL
);
CREATE INDEX attempt_by_entry ON integrations_log.attempt (entry_id, started_at, number);

-- What holds a whole account. held is null once it runs again; the row stays, for its version.
CREATE TABLE integrations_log.account_hold (
    account text PRIMARY KEY,
    version integer NOT NULL,
    at      timestamptz NOT NULL,
    held    text,
    reason  text NOT NULL,
    remedy  text NOT NULL,
    until   timestamptz
);

-- Counts by account and state, kept by the triggers below, so that the summary of a million entries costs nothing.
CREATE TABLE integrations_log.tally (
    account       text NOT NULL,
    state         text NOT NULL,
    entries       bigint NOT NULL,
    last_activity timestamptz NOT NULL,
    PRIMARY KEY (account, state)
);

CREATE FUNCTION integrations_log.tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO integrations_log.tally AS t (account, state, entries, last_activity)
    SELECT account, state, count(*), now() FROM added GROUP BY account, state ORDER BY account, state
    ON CONFLICT (account, state) DO UPDATE
        SET entries = t.entries + excluded.entries, last_activity = excluded.last_activity;
    RETURN NULL;
END $$;

CREATE FUNCTION integrations_log.tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO integrations_log.tally AS t (account, state, entries, last_activity)
    SELECT account, state, sum(step), now()
    FROM (
        SELECT account, state, 1 AS step FROM added
        UNION ALL
        SELECT account, state, -1 FROM removed
    ) AS change
    GROUP BY account, state ORDER BY account, state
    ON CONFLICT (account, state) DO UPDATE
        SET entries = t.entries + excluded.entries, last_activity = excluded.last_activity;
    RETURN NULL;
END $$;

CREATE FUNCTION integrations_log.tally_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE integrations_log.tally AS t SET entries = t.entries - gone.entries
    FROM (SELECT account, state, count(*) AS entries FROM removed GROUP BY account, state) AS gone
    WHERE t.account = gone.account AND t.state = gone.state;
    RETURN NULL;
END $$;

CREATE FUNCTION integrations_log.tally_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM integrations_log.tally;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_inserted AFTER INSERT ON integrations_log.entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION integrations_log.tally_inserted();
CREATE TRIGGER tally_updated AFTER UPDATE ON integrations_log.entry
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION integrations_log.tally_updated();
CREATE TRIGGER tally_deleted AFTER DELETE ON integrations_log.entry
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION integrations_log.tally_deleted();
CREATE TRIGGER tally_truncated AFTER TRUNCATE ON integrations_log.entry
    FOR EACH STATEMENT EXECUTE FUNCTION integrations_log.tally_truncated();

-- An entry as people see it: what waits in a held account shows why and until when the account is held,
-- and money has at least its two decimals.
CREATE VIEW integrations_log.shown_entry AS
SELECT
    e.entry_id, e.account, e.entity, e.record_id, e.record_number, e.action, e.state, e.outcome,
    CASE WHEN h.held IS NULL THEN e.reason_code ELSE h.held END AS reason_code,
    CASE WHEN h.held IS NULL THEN e.reason ELSE h.reason END AS reason,
    CASE WHEN h.held IS NULL THEN e.remedy ELSE h.remedy END AS remedy,
    e.warnings, e.party_name,
    CASE WHEN scale(e.amount) < 2 THEN round(e.amount, 2) ELSE e.amount END AS amount,
    e.currency, e.salesbinder_url, e.attempts,
    CASE WHEN h.held IS NULL THEN e.next_attempt_at ELSE h.until END AS next_attempt_at,
    e.queued_at, e.started_at, e.finished_at,
    e.xero_type, e.xero_id, e.xero_number, e.xero_url,
    e.event_id, e.event_type, e.event_time, e.topic, e.partition, e."offset", e.triggered_by, e.actor,
    e.version, e.position, e.reason_code AS own_reason_code
FROM integrations_log.entry AS e
LEFT JOIN integrations_log.account_hold AS h
    ON h.account = e.account AND h.held IS NOT NULL AND e.state = 'queued';

-- Columns that dashboards rely on, in this order: only ever add at the end.
CREATE VIEW integrations_log.entries AS
SELECT entry_id, account, entity, record_id, record_number, action, state, outcome, reason_code, reason, remedy,
       warnings, party_name, amount, currency, salesbinder_url, attempts, next_attempt_at, queued_at, started_at,
       finished_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition,
       "offset", triggered_by, actor
FROM integrations_log.shown_entry;

CREATE VIEW integrations_log.attempts AS
SELECT attempt_id, entry_id, account, number, step, method, path, started_at, finished_at, status, request, answer,
       error
FROM integrations_log.attempt;

-- Failures that still stand, grouped by cause. Reason and remedy are those of the newest one.
CREATE VIEW integrations_log.issues AS
SELECT
    account,
    reason_code,
    (array_agg(reason ORDER BY queued_at DESC, entry_id DESC))[1] AS reason,
    (array_agg(remedy ORDER BY queued_at DESC, entry_id DESC))[1] AS remedy,
    count(*) AS entries,
    min(coalesce(finished_at, queued_at)) AS first_seen,
    max(coalesce(finished_at, queued_at)) AS last_seen,
    (array_agg(coalesce(nullif(record_number, ''), record_id) ORDER BY queued_at DESC, entry_id DESC))[1:5] AS samples
FROM integrations_log.entry
WHERE state = 'failed'
GROUP BY account, reason_code;

CREATE VIEW integrations_log.summary AS
SELECT
    t.account,
    t.queued, t.running, t.failed, t.completed,
    w.oldest_waiting_at,
    extract(epoch FROM now() - w.oldest_waiting_at)::double precision AS oldest_waiting_seconds,
    t.last_activity,
    h.held, h.reason AS held_reason, h.remedy AS held_remedy, h.until AS held_until
FROM (
    SELECT
        account,
        coalesce(sum(entries) FILTER (WHERE state = 'queued'), 0)::bigint AS queued,
        coalesce(sum(entries) FILTER (WHERE state = 'running'), 0)::bigint AS running,
        coalesce(sum(entries) FILTER (WHERE state = 'failed'), 0)::bigint AS failed,
        coalesce(sum(entries) FILTER (WHERE state = 'completed'), 0)::bigint AS completed,
        max(last_activity) AS last_activity
    FROM integrations_log.tally
    GROUP BY account
) AS t
CROSS JOIN LATERAL (
    -- Two ends of an index, not a scan of what waits.
    SELECT least(
        (SELECT min(e.queued_at) FROM integrations_log.entry AS e WHERE e.account = t.account AND e.state = 'queued'),
        (SELECT min(e.queued_at) FROM integrations_log.entry AS e WHERE e.account = t.account AND e.state = 'running')
    ) AS oldest_waiting_at
) AS w
LEFT JOIN integrations_log.account_hold AS h ON h.account = t.account AND h.held IS NOT NULL;

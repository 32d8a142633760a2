-- Search in the log: any word of an entry, whatever its case and accents. Core PostgreSQL alone, since not every
-- installation has pg_trgm or unaccent.

-- What the document or the payment is called by people: the name of a document, a payment's reference.
ALTER TABLE integrations_log.entry ADD COLUMN reference text NOT NULL DEFAULT '';

-- The words of a text, without case and accents. Words that no index can hold are cut in pieces.
CREATE FUNCTION integrations_log.words(said text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 400
AS $$
DECLARE
    folded text := said;
BEGIN
    IF octet_length(said) = length(said) THEN
        -- Most texts, in a fraction of the time.
        folded := regexp_replace(lower(said), '[^a-z0-9 ]', ' ', 'g');
    ELSE
        folded := regexp_replace(normalize(said, NFD), U&'[\0300-\036f]', '', 'g');
        folded := translate(folded, U&'\00d8\00f8\0141\0142\0110\0111\0131', 'OoLlDdi');
        folded := replace(replace(replace(folded, U&'\00df', 'ss'), U&'\00e6', 'ae'), U&'\0153', 'oe');
        folded := replace(replace(replace(folded, U&'\1e9e', 'SS'), U&'\00c6', 'AE'), U&'\0152', 'OE');
        folded := regexp_replace(
            lower(folded), U&'[\0001-/:-`{-\007f\00a0-\00bf\2000-\206f\20a0-\20cf\3000-\303f]', ' ', 'g'
        );
    END IF;
    IF octet_length(folded) > 2000 THEN
        folded := regexp_replace(folded, '([^ ]{100})', '\1 ', 'g');
    END IF;
    RETURN array_to_tsvector(array_remove(string_to_array(folded, ' '), ''));
END $$;

-- What finds texts with words that begin with each word of one text, and with each word of the other as a whole; null
-- if there is no word in them. One or two letters or digits begin too many words: they are looked for as a whole.
CREATE FUNCTION integrations_log.words_found(begins text, whole text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_agg(found, ' & ')::tsquery
    FROM (
        SELECT '''' || word || CASE WHEN octet_length(word) > 2 THEN ''':*' ELSE '''' END
        FROM unnest(tsvector_to_array(integrations_log.words(begins))) AS word
        UNION ALL
        SELECT '''' || word || '''' FROM unnest(tsvector_to_array(integrations_log.words(whole))) AS word
    ) AS each_word (found)
$$;

-- The words of an entry. Written out in place by the planner, so that the index below it is met.
CREATE FUNCTION integrations_log.entry_words(
    entity text, action text, xero_type text, record_number text, xero_number text, party_name text, reference text,
    reason_code text, reason text
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT integrations_log.words(
        entity || CASE entity WHEN 'invoice' THEN ' inv ' WHEN 'purchase_order' THEN ' po ' ELSE ' ' END
        || action || ' ' || xero_type || ' ' || left(record_number, 100) || ' ' || left(xero_number, 100) || ' '
        || left(party_name, 300) || ' ' || left(reference, 300) || ' ' || coalesce(reason_code, '') || ' '
        || left(reason, 500)
    )
$$;

-- The number at the end of a document's number, by which documents are sorted: INV-999 before INV-1000.
CREATE FUNCTION integrations_log.digits(record_number text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT substring(left(record_number, 100) FROM '([0-9]+)[^0-9]*$')::numeric $$;

CREATE OR REPLACE VIEW integrations_log.shown_entry AS
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
    e.event_id, e.event_type, e.event_time, e.topic, e.partition, e."offset",
    coalesce(e.first_triggered_by, e.triggered_by) AS triggered_by, coalesce(e.first_actor, e.actor) AS actor,
    e.version, e.position, e.reason_code AS own_reason_code,
    CASE WHEN h.held IS NULL THEN e.cause ELSE '' END AS cause,
    e.issue_id, e.reference, e.reason AS own_reason
FROM integrations_log.entry AS e
LEFT JOIN integrations_log.account_hold AS h
    ON h.account = e.account AND h.held IS NOT NULL AND e.state = 'queued';

CREATE OR REPLACE VIEW integrations_log.entries AS
SELECT entry_id, account, entity, record_id, record_number, action, state, outcome, reason_code, reason, remedy,
       warnings, party_name, amount, currency, salesbinder_url, attempts, next_attempt_at, queued_at, started_at,
       finished_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, event_time, topic, partition,
       "offset", triggered_by, actor, cause, issue_id, reference
FROM integrations_log.shown_entry;

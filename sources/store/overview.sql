-- name: accounts
SELECT a.account, a.connected_at, a.trouble, a.trouble_text, a.trouble_since, a.held_until, a.trust::text AS trust, a.shrunk,
       clock_timestamp() AS now, f.last_at AS feed_at, f.trouble AS feed_trouble,
       r.compared_at, r.comparison_error, d.deep_due, d.deep_since,
       EXISTS (SELECT FROM source.leases l WHERE l.account = a.account AND l.expires_at > clock_timestamp()) AS is_read,
       (SELECT count(*) FROM source.outbox o WHERE o.account = a.account) AS untold,
       (SELECT count(*) FROM source.records r WHERE r.account = a.account AND r.history) AS history,
       (SELECT count(*) FROM source.calls c WHERE c.account = a.account AND c.at > clock_timestamp() - interval '1 minute') AS calls,
       (SELECT count(*) FROM source.wanted w WHERE w.account = a.account AND w.why <> 'history') AS wanted
FROM source.accounts a LEFT JOIN source.feeds f USING (account)
LEFT JOIN LATERAL (
    SELECT finished_at AS compared_at, error AS comparison_error FROM source.reconciliations r
    WHERE r.account = a.account AND r.finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1
) AS r ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS deep_due, min(deep_at) AS deep_since FROM source.records r
    WHERE r.account = a.account AND r.deep_at <= statement_timestamp()
) AS d
WHERE %(accounts)s::text[] IS NULL OR a.account = ANY(%(accounts)s) ORDER BY a.account

-- name: scans
SELECT account, key, scan, finished FROM source.scans
WHERE %(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s)

-- name: problems
SELECT account, code, count(*) AS count, count(*) FILTER (WHERE entity = ANY(%(entities)s) AND code <> ALL(%(unlogged)s)) AS entries, min(first_at) AS since,
       (array_agg(entity || ' ' || record_id || ': ' || field || ': ' || value || ': ' || problem ORDER BY last_at DESC))[1] AS example,
       (array_agg(remedy ORDER BY last_at DESC))[1] AS remedy
FROM source.problems WHERE %(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s)
GROUP BY account, code ORDER BY account, code

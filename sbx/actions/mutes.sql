-- name: standing
SELECT issue_id, until, reason, muted_by, muted_at FROM web.mutes
WHERE until > clock_timestamp() AND (%(accounts)s::text[] IS NULL OR account = ANY(%(accounts)s))

-- name: mute
INSERT INTO web.mutes (issue_id, account, until, reason, muted_by)
VALUES (%(issue_id)s, %(account)s, %(until)s, %(reason)s, %(muted_by)s)
ON CONFLICT (issue_id) DO UPDATE
    SET until = excluded.until, reason = excluded.reason, muted_by = excluded.muted_by, muted_at = clock_timestamp()

-- name: unmute
DELETE FROM web.mutes WHERE issue_id = %(issue_id)s

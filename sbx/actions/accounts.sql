-- name: workers
-- Each deliver process holds one session of this name for as long as it works.
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'sbx-deliver-holder' AND datname = current_database()

    -- Numbers of the holders whose session lives, with those of other advisory locks.
    SELECT (classid::bigint << 32) + objid::bigint AS holder FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND objsubid = 1 AND granted

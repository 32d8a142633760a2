    -- The states of an account's commands. What is open and what has failed is counted by the index of each: together
    -- they have none, and everything that is done would be read.
    SELECT account, sum(queued)::bigint AS queued, sum(running)::bigint AS running, sum(failed)::bigint AS failed,
           max(oldest_waiting) AS oldest_waiting
    FROM (
        SELECT account, count(*) FILTER (WHERE state = 'queued') AS queued,
               count(*) FILTER (WHERE state = 'running') AS running, 0 AS failed,
               extract(epoch FROM clock_timestamp() - min(queued_at))::float8 AS oldest_waiting
        FROM ledger.commands WHERE state IN ('queued', 'running') GROUP BY account
        UNION ALL
        SELECT account, 0, 0, count(*), NULL FROM ledger.commands WHERE state = 'failed' GROUP BY account
    ) AS parts GROUP BY account

    -- The states of an account's commands.
    SELECT account,
           count(*) FILTER (WHERE state = 'queued') AS queued,
           count(*) FILTER (WHERE state = 'running') AS running,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           extract(epoch FROM clock_timestamp() - min(queued_at) FILTER (WHERE state IN ('queued', 'running')))::float8
               AS oldest_waiting
    FROM ledger.commands WHERE state IN ('queued', 'running', 'failed') GROUP BY account

LEFT JOIN LATERAL (
    -- The limits of the organisation of the account a, as last reported to any of its accounts.
    SELECT x.budget FROM ledger.accounts x
    WHERE x.account = ANY(connections.of_one_organisation(a.account)) AND x.budget ? 'at'
    ORDER BY (x.budget ->> 'at')::timestamptz DESC LIMIT 1
) AS b ON true

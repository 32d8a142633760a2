LEFT JOIN LATERAL (
    -- Of the organisation of the account a: its limits, as whichever account of it was told of them last.
    SELECT x.budget FROM ledger.accounts x
    WHERE x.account = ANY(connections.of_one_organisation(a.account)) AND x.budget ? 'at'
    ORDER BY (x.budget ->> 'at')::timestamptz DESC LIMIT 1
) AS b ON true

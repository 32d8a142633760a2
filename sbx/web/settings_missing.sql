       -- The settings without a safe default that nobody has given the account a, who left them out of no set-up.
       ARRAY(SELECT s.key FROM (VALUES ('payment_account'), ('sales_tax')) AS s (key)
             WHERE NOT EXISTS (SELECT 1 FROM connections.settings AS x
                               WHERE x.account = a.account AND (x.key = s.key OR x.key LIKE s.key || '.%%'))
               AND NOT EXISTS (SELECT 1 FROM web.setups AS u WHERE u.account = a.account)) AS settings_missing,

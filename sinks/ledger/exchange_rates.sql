-- name: last
SELECT rate FROM ledger.exchange_rates
WHERE account = %(account)s AND base = %(base)s AND currency = %(currency)s

-- name: use
INSERT INTO ledger.exchange_rates (account, base, currency, rate)
VALUES (%(account)s, %(base)s, %(currency)s, %(rate)s)
ON CONFLICT (account, base, currency) DO UPDATE SET rate = EXCLUDED.rate, used_at = clock_timestamp()

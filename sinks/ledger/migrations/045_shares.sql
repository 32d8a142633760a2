-- What a payment or refund comes to in Xero, where SalesBinder gives it with more decimals than the currency has. Fixed
-- when the action is first planned: what came before it in its record does not change, but settings may.
ALTER TABLE ledger.commands ADD COLUMN share text;

"""The books of the fake Xero: an organisation's records and the rules for changing them. No I/O in here."""

"""The books of the fake Xero: what an organisation holds and the rules for changing it. No I/O in here."""

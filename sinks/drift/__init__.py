"""Drift: what Xero shows, compared with what we put there. Read by the account's lane, after other work."""

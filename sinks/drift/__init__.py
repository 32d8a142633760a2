"""Drift: Xero compared with what was last synced. The account's lane reads it when it is idle."""

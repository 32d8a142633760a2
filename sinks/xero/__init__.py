"""Talking to Xero: the client on xero-python, tokens, and what its answers and error texts mean."""

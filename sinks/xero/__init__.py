"""Talk to Xero: the client on xero-python, tokens, and the meaning of its responses and error texts."""

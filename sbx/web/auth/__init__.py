"""Users and their permissions: passwords, sessions, tokens, protection against forged forms."""

"""Users and what they may do: passwords, sessions, tokens, protection against forged forms."""

"""Who is there and what they may do: users, passwords, sessions, tokens, protection against forged forms."""

"""The Integrations Log: each command at its newest version, its attempts, what holds an account."""

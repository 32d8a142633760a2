"""The Integrations Log in the browser."""

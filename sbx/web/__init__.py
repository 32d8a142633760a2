"""The Integrations Log in the browser: pages, JSON API, live updates, sign-in."""

"""An account's connection to Xero: settings, secrets, facts of the organisation, and the environment."""

"""How pages show things: templates, labels, charts and the form of the settings."""

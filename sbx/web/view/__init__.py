"""How pages show things: templates, labels, charts and the settings form."""

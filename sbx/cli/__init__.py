"""The command ``sbx``: one file per command."""

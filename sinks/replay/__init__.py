"""Handle events that are read again."""

"""A day at a sample shop, from its events to both sets of books side by side."""

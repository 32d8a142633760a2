"""A sample shop's day, from its events to both books side by side."""

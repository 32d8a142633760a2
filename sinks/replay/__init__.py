"""Events that are read again."""

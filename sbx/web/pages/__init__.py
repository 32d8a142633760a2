"""The pages: one module each, all of them usable without JavaScript."""

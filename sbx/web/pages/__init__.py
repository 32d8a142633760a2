"""The pages, one module each; all work without JavaScript."""

"""Operators' actions: each exists once, for the command line, the page and the API."""

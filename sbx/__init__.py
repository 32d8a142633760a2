"""Everything that people use: the command line, the page and its API, notifications, and the actions behind
them.
"""

"""The options and the help of each command; the work is loaded when the command runs.

Help must be fast, so these modules load little more than typer: each function loads its
work.
"""

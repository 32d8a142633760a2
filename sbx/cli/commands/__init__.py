"""What can be typed: the options and the help of each command, which calls its work where it is run.

Help is asked for often and at once, so these modules load typer and hardly more: each function loads its
work.
"""

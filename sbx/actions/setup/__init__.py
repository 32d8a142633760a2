"""Set an account up, step by step: the checklist of the terminal and of the page."""

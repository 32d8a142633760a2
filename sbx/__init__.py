"""What people use: the command line, the page and its API, notifications, and what all of them do."""

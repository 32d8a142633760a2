"""What operators do: each action once, for the command line, the page and the API."""

"""Change events as they come in: CloudEvents, the records in them, and how both are read."""

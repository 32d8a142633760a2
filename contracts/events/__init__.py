"""Change events as they arrive: CloudEvents, the records in them, and the readers of both."""

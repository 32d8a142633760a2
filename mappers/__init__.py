"""Map change events to commands: pure functions, so that the same event always makes the same command."""

from mappers.commands import to_command

__all__ = ["to_command"]

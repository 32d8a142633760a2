"""From change events to commands: pure functions, the same event always makes the same command."""

from mappers.commands import to_command

__all__ = ["to_command"]

"""A change that breaks what is promised."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A change of the code (file, text, other text) that breaks what ``guarantee`` promises."""

    name: str
    guarantee: str
    changes: tuple[tuple[str, str, str], ...]
    tests: str
    """pytest's arguments: what must turn red."""

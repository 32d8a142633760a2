"""Shorten requests and responses of attempts; the view ``integrations_log.attempts`` makes them whole again.

Fragments that Xero's JSON has over and over again are replaced with one character each. They are in
the database, whose view must know them, see ``migrations/095_shortened.sql``.
"""

import re
from collections.abc import Sequence

import msgspec

from contracts.results import Attempt

NUMBER = 1
"""The number of the fragments."""


class Shortened(Attempt, frozen=True):
    """An attempt, and the number of the fragments with which its request and answer are shortened."""

    fragments: int | None = None


class Shortener:
    """Shortens with these fragments; a mark, one character, stands for each."""

    def __init__(self, marks: str, fragments: Sequence[str]) -> None:
        self._pairs = tuple(zip(fragments, marks, strict=True))
        self._has_mark = re.compile(f"[{re.escape(marks)}]").search

    def shortened(self, attempt: Attempt) -> Shortened:
        """Return the attempt with request and answer shortened. One that has a mark in them stays as it is:
        a response may be anything.
        """
        whole = Shortened(**msgspec.structs.asdict(attempt))
        if self._has_mark(attempt.request) or self._has_mark(attempt.answer):
            return whole
        return msgspec.structs.replace(
            whole,
            request=self._short(attempt.request),
            answer=self._short(attempt.answer),
            fragments=NUMBER,
        )

    def _short(self, text: str) -> str:
        for fragment, mark in self._pairs:
            text = text.replace(fragment, mark)
        return text

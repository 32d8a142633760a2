"""Trouble with the database in a log: a line when it begins or changes, one a minute while it lasts, one
when it is over. Never a line a try."""

import time
from collections.abc import Callable

import structlog

from runtime.trouble import in_words

REMIND_SECONDS = 60.0
_AGAIN_SECONDS = 10.0

log = structlog.stdlib.get_logger(__name__)


class Spell:
    """What one process knows of the database's trouble; used by all of its parts.

    Args:
        seconds: a clock that does not jump.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._kind = ""
        self._since = 0.0
        self._told: dict[str, float] = {}
        self._said = False

    @property
    def lasts(self) -> bool:
        """True while the database does not serve."""
        return bool(self._kind)

    def trouble(self, error: BaseException) -> None:
        """Somebody met this error."""
        words, now = in_words(error), self._seconds()
        if not self._kind:
            self._since = now
            self._said = False
        # The same that is over for a moment and comes again, over and over, is one spell to the reader.
        wait = REMIND_SECONDS if words.kind == self._kind else _AGAIN_SECONDS
        self._kind = words.kind
        if now - self._told.get(words.kind, -REMIND_SECONDS) < wait:
            return
        self._told[words.kind], self._said = now, True
        log.warning(
            "the database does not serve; waiting",
            problem=words.problem,
            remedy=words.remedy,
            since_seconds=round(now - self._since),
        )

    def over(self) -> None:
        """Somebody's work came through."""
        if self._said:
            log.info("the database serves again", after_seconds=round(self._seconds() - self._since))
        self._kind, self._said = "", False

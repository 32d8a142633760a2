"""Log trouble with the database: one line when it begins or changes, one per minute while it lasts, and one
when it is over. Never one line per attempt.
"""

import time
from collections.abc import Callable

import structlog

from runtime.trouble import in_words

REMIND_SECONDS = 60.0
_AGAIN_SECONDS = 10.0

log = structlog.stdlib.get_logger(__name__)


class Spell:
    """The state of the database's trouble as one process knows it; shared by all of its parts.

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
        """Note that a part of the process met this error."""
        words, now = in_words(error), self._seconds()
        if not self._kind:
            self._since = now
            self._said = False
        # Trouble that is over for a moment and comes back, again and again, is one spell to the reader.
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
        """Note that a part of the process has used the database successfully."""
        if self._said:
            log.info("the database serves again", after_seconds=round(self._seconds() - self._since))
        self._kind, self._said = "", False

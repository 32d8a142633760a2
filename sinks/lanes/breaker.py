"""Decide when an account should pause itself: after a run of failures that nobody's data explains. Pure.

A failure that the catalogue explains (a tax rate without an entry, a taken number) never counts: it concerns
that one action. Unknown failures (an unknown refusal, an internal error) may concern all of them, and
thousands of failed actions are harder to fix than one paused account.
"""

from dataclasses import dataclass

from contracts.reasons import ReasonCode

FAILURES_BOUND = 20
"""Actions that may fail one after the other for reasons nobody foresaw; the others stay queued."""
SERVER_ERRORS_SECONDS = 1800.0
"""Xero's seconds for which it may answer with nothing but errors of its own."""
BREAKS_BOUND = 10
"""How often an account's lane may break with an internal error within ``BREAKS_SECONDS``."""
BREAKS_SECONDS = 600.0
_UNFORESEEN = frozenset({"xero_refused", "our_error"})


@dataclass(slots=True)
class Breaker:
    """Counts for one account. ``rate`` is how many of Xero's seconds pass in one."""

    rate: float = 1.0
    why: str = ""
    """Why the account must stop; ``""`` while it may go on."""
    _failures: int = 0
    _server_errors_since: float | None = None

    def failed(self, code: ReasonCode, message: str) -> None:
        """Note that an action failed with this reason."""
        if code not in _UNFORESEEN:
            return
        self._failures += 1
        if self._failures >= FAILURES_BOUND and not self.why:
            self.why = (
                f"{self._failures} actions in a row failed for reasons that nobody foresaw, "
                f"the last one with '{code}': {message.strip().rstrip('.') or 'no message'}"
            )

    def holds_back(self, code: ReasonCode) -> bool:
        """Return True if an action that would fail with this reason should rather wait."""
        return bool(self.why) and code in _UNFORESEEN

    def posted(self) -> None:
        """Note that an action was posted."""
        self._failures = 0

    def server_error(self, status: int, now: float) -> None:
        """Note that Xero answered with an error of its own. ``now`` is in seconds of any one clock."""
        if self._server_errors_since is None:
            self._server_errors_since = now
        lasted = (now - self._server_errors_since) * self.rate
        if lasted >= SERVER_ERRORS_SECONDS and not self.why:
            minutes = f"{lasted / 60:.0f} minutes"
            self.why = f"Xero has answered nothing but errors of its own (HTTP {status}) for {minutes}"

    def answered(self) -> None:
        """Note that Xero gave any other answer."""
        self._server_errors_since = None

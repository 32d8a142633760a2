"""Hold back a call after its time, and cut its line at the deadline: between client and transport."""

import threading
import time
from typing import Any

from contracts.reasons import ReasonCode

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def machine_seconds() -> float:
    """Return the seconds of a clock that goes on while the process is stopped and, if the system has one,
    while the machine sleeps.
    """
    return time.clock_gettime(_CLOCK)


class NotSent(Exception):
    """No byte of the request left for Xero, which cannot have applied it. ``why`` says who is in trouble."""

    def __init__(self, message: str, why: ReasonCode = "xero_unavailable") -> None:
        self.why: ReasonCode = why
        super().__init__(message)


class CallGuard:
    """Watches the socket of one call: refuses the first byte after ``send_by`` and cuts the line at the
    deadline.
    """

    def __init__(self, send_by: float) -> None:
        self.send_by = send_by
        self.sent = False
        self.cut = False
        self._sock: Any = None
        self._lock = threading.Lock()

    def before_first_byte(self, sock: Any) -> None:
        with self._lock:
            if self.cut or machine_seconds() >= self.send_by:
                raise NotSent("the time in which this call may be sent has passed")
            self._sock = sock
            self.sent = True

    def cut_line(self) -> None:
        with self._lock:
            self.cut = True
            if self._sock is not None:
                try:
                    self._sock.shutdown(2)
                except OSError:
                    return  # closed already: the call has ended


current = threading.local()
"""``guard`` is that of the call which this thread makes."""

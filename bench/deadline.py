"""An end for certain: a benchmark that hangs, or is told to end, still ends what it has started."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise SystemExit in the block, which must run in the main thread, once it has taken so long, and on
    SIGTERM. No other exception would get out of a loop of uvloop.
    """

    def late(*_: Any) -> None:
        sys.exit(f"not over after {seconds:.0f} s")

    def told(*_: Any) -> None:
        sys.exit(128 + signal.SIGTERM)

    before = {signal.SIGALRM: signal.signal(signal.SIGALRM, late)}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, told)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)

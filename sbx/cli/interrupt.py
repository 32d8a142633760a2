"""Let a signal end every command at any time: while it is being imported, while it connects, while it waits.
A command that has work to finish handles signals itself.

Python turns Ctrl-C into an exception in the line that is being run, and if that line is in a destructor or a
callback, the exception is printed and forgotten. So a request to end counts as heard only once the command
has ended.
"""

import os
import signal
import sys
import threading
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
PATIENCE_SECONDS = 10.0
"""How long a command may clean up once it was asked to end."""

_asked: list[int] = []


class Ended(KeyboardInterrupt):
    """A signal asked the command to end. Handled like Ctrl-C."""


def listened_to() -> list[signal.Signals]:
    """Return the signals that end us, except those that we were started to ignore (``nohup``)."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def arm() -> None:
    """Let signals end this process from now on, except those that it was started to ignore (``nohup``)."""
    for number in listened_to():
        signal.signal(number, _end)
    sys.unraisablehook = _unraisable


def exit_code() -> int:
    """Return the exit code of a command that a signal has ended, as shells have it."""
    return 128 + (_asked[0] if _asked else signal.SIGINT)


def asked() -> bool:
    """Return True once a signal has asked this process to end."""
    return bool(_asked)


def heard(number: int) -> None:
    """Note that a signal has asked this process to end, for a command that handles signals itself.

    Raises:
        Ended: always.
    """
    _asked.append(number)
    raise Ended


def look() -> None:
    """Raise again in a command's loops: the exception may have been lost where it was raised.

    Raises:
        Ended: a signal has asked this process to end.
    """
    if _asked:
        raise Ended


def _end(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    if len(_asked) > 1:
        _now()
    threading.Thread(target=_insist, name="interrupt", daemon=True).start()
    raise Ended


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Do not report an end that was raised where nobody can catch it: ``_insist`` takes care of it."""
    if unraisable.exc_type is not Ended:
        sys.__unraisablehook__(unraisable)


def _insist() -> None:
    """End the process if it has not ended: the exception was lost, or it waits for something unavailable."""
    threading.Event().wait(PATIENCE_SECONDS)
    if signal.getsignal(_asked[0]) is _end:
        _now()


def _now() -> None:
    """Exit without cleaning up: servers undo unfinished work themselves."""
    try:
        sys.stderr.flush()
    finally:
        os._exit(exit_code())

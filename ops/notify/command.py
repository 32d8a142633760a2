"""``sbx notify``: tell people by webhook and e-mail."""

import os
import signal
import threading
from types import FrameType

from connections.environment import Environment
from ops import environment
from ops.errors import OperationFailed
from ops.notify.settings import NotifySettings
from ops.notify.worker import run
from streams.logs import configure_logging


def notify() -> None:
    """Tell people of new issues, held accounts and work that waits too long, until SIGTERM or Ctrl-C.

    Where to is set by SBX_NOTIFY_WEBHOOK_URL and SBX_NOTIFY_SMTP_URL. Any number of processes may run.
    """
    settings = NotifySettings.read(os.environ)
    if not settings.channels:
        raise OperationFailed(
            "nobody is to be told",
            "set SBX_NOTIFY_WEBHOOK_URL or SBX_NOTIFY_SMTP_URL; see docs/notifications.md",
        )
    serve(environment.required(database=True), settings)


def serve(used: Environment, settings: NotifySettings) -> None:
    """Run in this process until it is told to end."""
    configure_logging(stage="notify")
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    run(used, settings, stop)

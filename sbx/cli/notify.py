"""``sbx notify``: notify people by webhook and e-mail."""

import os
import signal
import threading
from types import FrameType

import typer

from runtime.environment import Environment
from runtime.logs import configure_logging
from runtime.probes import Pulse
from sbx.cli import environment
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.terminal import print_json
from sbx.notify.channels import NotDelivered, deliver, trial_message
from sbx.notify.settings import NotifySettings
from sbx.notify.worker import run


def notify(test: bool, as_json: bool) -> None:
    """Run ``sbx notify``."""
    if as_json and not test:
        raise BadUsage("--json prints the results of test messages", "add --test")
    settings = NotifySettings.read(os.environ)
    if not settings.channels:
        raise OperationFailed(
            "no receiver is configured",
            "set SBX_NOTIFY_WEBHOOK_URL or SBX_NOTIFY_SMTP_URL; see docs/notifications.md",
        )
    if test:
        _test(settings, as_json)
        return
    serve(environment.required(database=True), settings)


def _test(settings: NotifySettings, as_json: bool) -> None:
    """Send a message to each channel, once; return exit code 1 if one did not accept it."""
    found: dict[str, str] = {}
    for channel in settings.channels:
        try:
            deliver(channel, trial_message(), settings)
            found[channel] = ""
        except NotDelivered as error:
            found[channel] = str(error)
    if as_json:
        print_json({name: {"delivered": not problem, "problem": problem} for name, problem in found.items()})
    else:
        for name, problem in found.items():
            print(f"{name}: {f'not delivered: {problem}' if problem else 'delivered'}")
    if any(found.values()):
        raise typer.Exit(1)


def serve(used: Environment, settings: NotifySettings) -> None:
    """Run in this process until it is asked to stop."""
    configure_logging(stage="notify")
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    pulse = Pulse("notify", used)
    if used.metrics_port is not None:
        pulse.serve()
    run(used, settings, stop, pulse.beat)

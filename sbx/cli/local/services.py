"""The embedded services of ``sbx up``: on their way before all the rest is imported, which takes as long."""

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime.environment import Environment
from sandbox import EmbeddedStack, Progress
from sbx.cli import interrupt

if TYPE_CHECKING:
    from sbx.cli.terminal import Steps


@contextmanager
def begun(environ: Mapping[str, str], progress: Progress) -> Iterator[EmbeddedStack]:
    """Let Kafka and PostgreSQL begin, unless others are configured; they have ended when the block has.

    Raises:
        SandboxError: an embedded service cannot be started.
        InvalidEnvironment: a variable has an invalid value.
    """
    configured = Environment.read(environ)
    stack = EmbeddedStack(
        configured.data_dir,
        kafka=configured.kafka_bootstrap_servers is None,
        postgres=configured.database_url is None,
    )
    stack.begin(progress)
    try:
        yield stack
    finally:
        stack.stop()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Treat SIGTERM and SIGHUP like Ctrl-C inside the block."""
    before = {number: signal.getsignal(number) for number in interrupt.ENDING}
    for number in interrupt.listened_to():
        signal.signal(number, lambda number, _frame: interrupt.heard(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class FirstSteps:
    """Shows the first steps. What shows them well is loaded for a terminal, or for a download."""

    def __init__(self) -> None:
        self._well: Steps | None = None

    def __call__(self, text: str, done: float | None) -> None:
        """Show progress, as a ``sandbox.Progress``."""
        if self._well is None and (sys.stderr.isatty() or done is not None):
            self.steps()
        if self._well is not None:
            self._well(text, done)
        else:
            print(text, file=sys.stderr, flush=True)

    def steps(self) -> "Steps":
        """Return what shows the steps that follow."""
        from sbx.cli.terminal import Steps, stderr_console

        if self._well is None:
            self._well = Steps(stderr_console())
        return self._well

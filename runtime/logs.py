"""Log lines of a worker: one JSON object per line on stderr, or readable text on a terminal."""

import logging
import sys
import threading
import time

import structlog

from runtime.secrets import mask_head

_NOISY = ("aiokafka", "kafka", "faust", "mode", "psycopg.pool")
"""Libraries that repeat a line for as long as a service is away: aiokafka wrote 15,000 in 10 s."""
_REPEAT_SECONDS = 10.0
_LONGEST_VALUE = 100_000
"""Characters of a value, such as a traceback, that a line holds."""


class RepeatFilter(logging.Filter):
    """Lets one record per logger and message template through every ``interval`` seconds, with the number
    left out.
    """

    def __init__(self, interval: float = _REPEAT_SECONDS) -> None:
        super().__init__()
        self._interval = interval
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record is to be written. Records of our own loggers always are."""
        if record.name.partition(".")[0] not in _NOISY_ROOTS:
            return True
        key = (record.name, str(record.msg)[:200])
        now = time.monotonic()
        with self._lock:
            shown_at, left_out = self._seen.get(key, (-self._interval, 0))
            if now - shown_at < self._interval:
                self._seen[key] = (shown_at, left_out + 1)
                return False
            self._seen[key] = (now, 0)
        record.repeats_left_out = left_out
        return True


_NOISY_ROOTS = frozenset(name.partition(".")[0] for name in _NOISY)


def configure_logging(**bound: str) -> None:
    """Send every log line of this process, libraries' too, to stderr in one form.

    Args:
        bound: values that every line of this process carries, such as ``stage``.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=["repeats_left_out"]),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _bind(bound),
        _masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RepeatFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _masked(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Mask credentials in each value, wherever the text comes from."""
    return {
        name: mask_head(value, _LONGEST_VALUE) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _bind(bound: dict[str, str]) -> structlog.typing.Processor:
    """Return a processor that adds values which hold for the whole process, in every thread."""

    def add(
        _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        return {**bound, **event}

    return add

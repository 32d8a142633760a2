"""``sbx publish``: publish change events from files to their topics."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from rich.table import Table

from contracts.events.envelope import STRUCTURED
from runtime.environment import Environment
from sbx.cli import environment
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.event_files import STDIN, checked
from sbx.cli.terminal import bar, new_table, plural, print_json, say, stdout_console
from streams.topics import MAX_MESSAGE_BYTES, SOURCES, missing_topics

_HEADERS = [("content-type", STRUCTURED.encode())]
_IN_FLIGHT = 2000
"""How many events may wait for the broker's acknowledgement at once; bounds memory."""

Record = tuple[str, bytes, bytes]


@dataclass
class Delivered:
    """The broker's confirmations: events per topic, and the first and last offset per partition."""

    events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    offsets: dict[str, dict[int, list[int]]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def total(self) -> int:
        """Return how many events there are."""
        return sum(self.events.values())

    def add(self, topic: str, partition: int, offset: int) -> None:
        """Count one more."""
        self.events[topic] += 1
        span = self.offsets[topic].setdefault(partition, [offset, offset])
        span[0], span[1] = min(span[0], offset), max(span[1], offset)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers of events per topic."""
        return {
            topic: {"events": count, "offsets": {str(p): span for p, span in self.offsets[topic].items()}}
            for topic, count in self.events.items()
        }


class Publisher:
    """Publishes events in structured mode, idempotently, acknowledged by all replicas. A context manager."""

    def __init__(self, used: Environment) -> None:
        """Connect.

        Raises:
            kafka.errors.KafkaError: the broker does not respond.
        """
        self._producer = KafkaProducer(
            **environment.kafka_client(used), acks="all", linger_ms=5, max_request_size=MAX_MESSAGE_BYTES
        )

    def publish(
        self, records: Iterable[Record], delivered: Delivered, progress: Callable[[int], None]
    ) -> None:
        """Publish, and return when the broker has everything; ``delivered`` grows as it confirms.

        Raises:
            kafka.errors.KafkaError: the broker did not accept one; those before it are in ``delivered``.
        """
        waiting: list[Any] = []
        for topic, key, value in records:
            waiting.append(self._producer.send(topic, value=value, key=key, headers=_HEADERS))
            if len(waiting) >= _IN_FLIGHT:
                _settle(waiting, delivered, progress)
        self._producer.flush()
        _settle(waiting, delivered, progress)

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close(timeout=5)


def _settle(waiting: list[Any], delivered: Delivered, progress: Callable[[int], None]) -> None:
    for future in waiting:
        stored = future.get(timeout=130)  # longer than the producer's own delivery timeout
        delivered.add(stored.topic, stored.partition, stored.offset)
    waiting.clear()
    progress(delivered.total)


def publish(files: list[str], skip_invalid: bool, check: bool, as_json: bool) -> None:
    """Run ``sbx publish``."""
    for file in files:
        if file != STDIN and not Path(file).is_file():
            raise BadUsage(f"{file}: there is no such file", "name files of JSON lines, or - for stdin")
    if len(files) != len(set(files)):
        raise BadUsage("a file is named twice", "name each file once")
    with checked(files) as events:
        for line in events.bad:
            say(str(line), "red")
        if events.bad and not skip_invalid:
            raise OperationFailed(
                f"{plural(len(events.bad), 'bad line')}; nothing was published",
                "correct them" if check else "correct them, or leave them out with --skip-invalid",
            )
        if check:
            _report_check(events.events, len(events.bad), as_json)
            return
        delivered = _deliver(events.records(), events.events)
    if as_json:
        print_json({"published": delivered.total, "skipped": len(events.bad), "topics": delivered.to_json()})
        return
    stdout_console().print(_table(delivered))
    say(
        f"{plural(delivered.total, 'event')} published" + (f", {len(events.bad)} left out" * bool(events.bad))
    )


def _report_check(good: int, bad: int, as_json: bool) -> None:
    if as_json:
        print_json({"valid": good, "invalid": bad, "published": 0})
    else:
        say(f"{plural(good, 'valid event')}, {bad:,} invalid; nothing was published")


def _deliver(records: Iterable[Record], count: int) -> Delivered:
    delivered = Delivered()
    if not count:
        return delivered
    used = environment.required(kafka=True)
    missing = missing_topics(environment.kafka_client(used), SOURCES)
    if missing:
        raise OperationFailed(f"topics are missing: {', '.join(missing)}", "run 'sbx topics create'")
    try:
        with Publisher(used) as publisher, bar("publishing", count) as shown:
            publisher.publish(records, delivered, shown.at)
    except BaseException:
        say(f"{plural(delivered.total, 'event')} of {count:,} confirmed; publishing the file again is safe")
        raise
    return delivered


def _table(delivered: Delivered) -> Table:
    table = new_table("topic", "events", "offsets by partition", right=("events",))
    for topic, count in sorted(delivered.events.items()):
        spans = sorted(delivered.offsets[topic].items())
        table.add_row(topic, f"{count:,}", "  ".join(f"{p}: {first}-{last}" for p, (first, last) in spans))
    return table

"""Ask the broker about our topics and consumer groups."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.admin._partitions import IsolationLevel
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)

from streams.standings import Standing, Standings
from streams.topic_ids import committed_offsets

_NO_COORDINATOR_YET = (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError)
_COORDINATOR_SECONDS = 30.0

Offsets = Mapping[TopicPartition, int]
T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """A consumer group. ``assigned`` holds the partitions its members work on; empty during a rebalance."""

    members: int
    assigned: frozenset[TopicPartition]


class Broker:
    """One connection for many questions; a context manager."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        """Connect with kafka-python's client arguments.

        Raises:
            kafka.errors.KafkaError: the broker does not respond.
        """
        self._admin = KafkaAdminClient(**arguments)

    def ends(self, topics: Sequence[str]) -> Offsets:
        """Return the offset after the last message of each partition, leaving out topics that do not exist.

        Messages that cannot be read yet, because their transaction is still open, count.
        """
        return self._offsets(topics, OffsetSpec.LATEST)

    def readable_ends(self, topics: Sequence[str]) -> Offsets:
        """Return the ends like ``ends``, but only up to the first open transaction: a stage can read up to
        there.
        """
        return self._offsets(topics, OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED)

    def starts(self, topics: Sequence[str]) -> Offsets:
        """Return the offset of the first message that is still kept."""
        return self._offsets(topics, OffsetSpec.EARLIEST)

    def _offsets(
        self,
        topics: Sequence[str],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
    ) -> Offsets:
        partitions = self.partitions(topics)
        if not partitions:
            return {}
        found = self._admin.list_partition_offsets(dict.fromkeys(partitions, spec), isolation_level=isolation)
        return {partition: answer.offset for partition, answer in found.items()}

    def partitions(self, topics: Sequence[str]) -> frozenset[TopicPartition]:
        """Return the partitions of the topics that exist."""
        present = self.topics().intersection(topics)
        described = self._admin.describe_topics(sorted(present)) if present else []
        return frozenset(
            TopicPartition(topic["name"], partition["partition_index"])
            for topic in described
            for partition in topic["partitions"]
        )

    def topics(self) -> frozenset[str]:
        """Return the names of all topics."""
        return frozenset(self._admin.list_topics())

    def committed(self, group: str) -> Offsets:
        """Return the group's committed offsets; partitions without a commit are left out."""
        return _once_it_knows(lambda: committed_offsets(self._admin, group))

    def standings(self, group: str, topics: Sequence[str]) -> Standings:
        """Return the group's progress in each partition of the topics that exist."""
        committed, starts = self.committed(group), self.starts(topics)
        ends = self.readable_ends(topics)
        return {tp: Standing(committed.get(tp), starts[tp], end) for tp, end in ends.items()}

    def group(self, name: str) -> Group:
        """Return the group's members; empty if there is no such group."""
        described = _once_it_knows(lambda: self._admin.describe_groups([name]))[name]
        assigned = (
            TopicPartition(part["topic"], number)
            for member in described["members"]
            for part in (member["member_assignment"] or {}).get("assigned_partitions", ())
            for number in part["partitions"]
        )
        stable = described["group_state"] == "Stable"
        return Group(len(described["members"]), frozenset(assigned) if stable else frozenset())

    def close(self) -> None:
        """Close the connection."""
        self._admin.close()

    def __enter__(self) -> "Broker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _once_it_knows(ask: Callable[[], T]) -> T:
    """Describe a group; a broker that has just started may not know its coordinator for a moment."""
    until = time.monotonic() + _COORDINATOR_SECONDS
    while True:
        try:
            return ask()
        except _NO_COORDINATOR_YET:
            if time.monotonic() >= until:
                raise
            time.sleep(0.2)


def behind(targets: Offsets, committed: Offsets, starts: Offsets) -> int:
    """Count the offsets before ``targets`` that are not committed; offsets removed by retention do not count.

    Stages commit past markers and aborted messages, so these do not count for long.
    """
    return sum(
        max(0, end - max(committed.get(partition, 0), starts.get(partition, 0)))
        for partition, end in targets.items()
    )

"""How far consumer groups have come, as the broker knows it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.admin._partitions import IsolationLevel

from log_projection.losses import Removed
from streams.topic_ids import admin_of, committed_offsets


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a group has come in a partition, and which part of it the topic still has."""

    committed: int | None
    """None before the first commit."""
    start: int
    end: int
    """The end of the part that can be read: nobody can work on messages of a transaction that is still
    open.
    """

    @property
    def reached(self) -> int:
        """The offset that is read next; offsets that retention removed are not read any more."""
        return max(self.committed or 0, self.start)

    @property
    def waiting(self) -> int:
        """Offsets that are still to be read."""
        return self.end - self.reached


Standings = Mapping[TopicPartition, Standing]


def standings(kafka: Mapping[str, Any], group: str, topics: Collection[str]) -> Standings:
    """Return a group's progress in each partition of these topics.

    Raises:
        kafka.errors.KafkaError, OSError: the broker does not answer.
    """
    with admin_of(kafka) as admin:
        return standings_of(admin, group, topics)


def standings_of(admin: KafkaAdminClient, group: str, topics: Collection[str]) -> Standings:
    """Return the same as ``standings``, through an existing connection."""
    partitions = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics(list(topics))
        for partition in topic["partitions"]
    ]
    if not partitions:
        return {}
    committed = committed_offsets(admin, group)
    ends = admin.list_partition_offsets(
        dict.fromkeys(partitions, OffsetSpec.LATEST), isolation_level=IsolationLevel.READ_COMMITTED
    )
    starts = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    return {tp: Standing(committed.get(tp), starts[tp].offset, ends[tp].offset) for tp in partitions}


def removed_unread(stands: Mapping[str, Standings]) -> list[Removed]:
    """Return the offsets that were removed before a group had read them; unknown if a group never
    committed.
    """
    return sorted(
        Removed(stage, tp.topic, tp.partition, one.committed, one.start - 1)
        for stage, found in stands.items()
        for tp, one in found.items()
        if one.committed is not None and one.committed < one.start
    )

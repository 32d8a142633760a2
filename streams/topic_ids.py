"""Kafka's own ids of topics: a topic that is created again under the same name has another one."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

_PATIENCE_SECONDS = 60.0
_WAIT_SECONDS = 1.0
_NO_ID = "00000000-0000-0000-0000-000000000000"

log = structlog.stdlib.get_logger(__name__)


def admin_of(kafka: Mapping[str, Any]) -> "closing[KafkaAdminClient]":
    """Connect for the length of a block, with kafka-python's client arguments.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    return closing(KafkaAdminClient(**kafka, reconnect_backoff_max_ms=1000))


def topic_ids(kafka: Mapping[str, Any], topics: Iterable[str]) -> dict[str, str]:
    """Return the ids of topics by name; one that is not there, or whose broker gives no ids, is left out.

    Raises:
        kafka.errors.KafkaError: the broker does not respond.
    """
    names = sorted(set(topics))
    if not names:
        return {}
    with closing(KafkaAdminClient(**kafka)) as admin:
        return _ids(admin, names)


@dataclass(frozen=True)
class TopicsThere:
    """The broker's topics, and the ids of those that were asked about, as ``topic_ids`` has them."""

    names: frozenset[str]
    ids: Mapping[str, str]


def topics_there(kafka: Mapping[str, Any], asked: Iterable[str]) -> TopicsThere:
    """Return all topics of the broker, and the ids of these.

    Raises:
        kafka.errors.KafkaError: the broker does not respond.
    """
    with admin_of(kafka) as admin:
        names = frozenset(admin.list_topics())
        return TopicsThere(names, _ids(admin, sorted(names.intersection(asked))))


def _ids(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, str]:
    described = admin.describe_topics(list(names)) if names else []
    found = {topic["name"]: str(topic.get("topic_id") or _NO_ID) for topic in described}
    return {name: topic_id for name, topic_id in found.items() if topic_id != _NO_ID}


def committed_offsets(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """Return how far a group has come in each partition; without those where it has committed nothing, or
    only of another topic of that name, which was deleted since.

    Raises:
        kafka.errors.KafkaError: the broker does not answer, or does not know the group's coordinator yet.
    """
    found = {tp: one for tp, one in admin.list_group_offsets({group: None})[group].items() if one.offset >= 0}
    topics = TopicsRead()
    topics.begin(_ids(admin, sorted({tp.topic for tp in found})))
    return {tp: one.offset for tp, one in found.items() if topics.is_ours(tp.topic, one.metadata or "")}


class TopicsRead:
    """The topics being read: their ids when the reading began.

    A topic that is made again counts from 0, and its partitions may be as long as the old ones by the time
    somebody looks: an offset alone does not tell which of the two it is of. So each commit says it, an offset
    of another topic is no place to go on from, and a worker whose topic was made again starts again.

    A broker that was put back to an older copy knows less than it has confirmed. The place at which the
    reading stands then means other records, or none, and the worker starts again, too.
    """

    _LABEL = "topic-id:"

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._confirmed: dict[tuple[str, int], int] = {}

    def begin(self, ids: Mapping[str, str]) -> None:
        """Take the ids, before any offset is read: with later ones, older offsets would pass for theirs."""
        self._ids = dict(ids)

    def label(self, topic: str) -> str:
        """Return the label of its topic for a commit; blank if the broker gives no ids."""
        return self._LABEL + self._ids[topic] if topic in self._ids else ""

    def is_ours(self, topic: str, label: str) -> bool:
        """Return False if a commit's label names another topic of this name. Other commits have no label."""
        own = self.label(topic)
        return not own or not label.startswith(self._LABEL) or label == own

    def made_again(self, kafka: Mapping[str, Any]) -> list[str]:
        """Return those that are others now; none before all of them are there again.

        Raises:
            kafka.errors.KafkaError: the broker does not respond.
        """
        now = topic_ids(kafka, self._ids)
        if len(now) < len(self._ids):
            return []
        return [name for name, own in self._ids.items() if now[name] != own]

    def confirm(self, topic: str, partition: int, offset: int) -> None:
        """Note which offset the broker has stored, or says that it has."""
        self._confirmed[topic, partition] = offset

    def gone_back(self, kafka: Mapping[str, Any], group: str, ours: Collection[tuple[str, int]]) -> list[str]:
        """Return those of our partitions for which the broker now has a lower offset of the group than it
        confirmed.

        Raises:
            kafka.errors.KafkaError: the broker does not respond.
        """
        # Before the broker is asked: commits that it confirms meanwhile can only make its answer higher.
        confirmed = {place: self._confirmed[place] for place in ours if place in self._confirmed}
        with closing(KafkaAdminClient(**kafka)) as admin:
            now = committed_offsets(admin, group)
        return [
            f"{topic}/{partition}"
            for (topic, partition), offset in confirmed.items()
            if now.get(TopicPartition(topic, partition), 0) < offset
        ]


class TopicIds:
    """Asks the broker of a stage. Only batches with dead letters ask, and each asks: while a worker runs, a
    topic may be deleted and made again.
    """

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        """Use ``kafka``, kafka-python's client arguments."""
        self._kafka = kafka

    async def of(self, topics: Iterable[str]) -> Mapping[str, str]:
        """Return the ids by name, waiting for a broker that is away.

        Raises:
            kafka.errors.KafkaError: it did not answer for a minute; the batch is read again after a restart.
        """
        names = sorted(set(topics))
        if not names:
            return {}
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await asyncio.to_thread(topic_ids, self._kafka, names)
            except KafkaError as error:
                if time.monotonic() >= give_up:
                    raise
                log.warning("the broker does not tell the ids of topics; asking again", error=str(error))
            await asyncio.sleep(_WAIT_SECONDS)

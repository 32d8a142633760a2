"""Kafka's own ids of topics: another one when a topic of the same name is made again."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

_PATIENCE_SECONDS = 60.0
_WAIT_SECONDS = 1.0
_NO_ID = "00000000-0000-0000-0000-000000000000"

log = structlog.stdlib.get_logger(__name__)


def topic_ids(kafka: Mapping[str, Any], topics: Iterable[str]) -> dict[str, str]:
    """The ids of topics by name; one that is not there, or whose broker gives no ids, is left out.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    names = sorted(set(topics))
    if not names:
        return {}
    admin = KafkaAdminClient(**kafka)
    try:
        described = admin.describe_topics(names)
    finally:
        admin.close()
    found = {topic["name"]: str(topic.get("topic_id") or _NO_ID) for topic in described}
    return {name: topic_id for name, topic_id in found.items() if topic_id != _NO_ID}


class TopicIds:
    """Asks the broker of a stage. Only batches with dead letters ask, and each asks: while a worker runs, a
    topic may be deleted and made again.
    """

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        """``kafka``: kafka-python's client arguments."""
        self._kafka = kafka

    async def of(self, topics: Iterable[str]) -> Mapping[str, str]:
        """The ids by name, waiting for a broker that is away.

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

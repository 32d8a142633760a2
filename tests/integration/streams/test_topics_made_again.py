"""Topics that are deleted and made again under running workers, with another number of partitions."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from ops import migrations
from sandbox import EmbeddedStack
from streams.liveness import places
from streams.topics import COMMANDS, RESULTS, SOURCES, create_topics, layout
from tests.integration.streams.conftest import StartStage, eventually
from tests.integration.streams.test_kafka_as_published import event


def again(servers: str, names: Sequence[str], partitions: int) -> None:
    """Delete the topics and make them again."""
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.delete_topics(list(names))
    eventually(lambda: not set(names) & set(admin.list_topics()), "they are gone")
    admin.close()

    def made() -> bool:
        try:
            create_topics({"bootstrap_servers": servers}, layout(partitions))
        except UnknownTopicOrPartitionError:
            return False
        return True

    eventually(made, "they are there again")


def settled(servers: str, stage: str, topics: Sequence[str], count: int) -> bool:
    """True when the stage has read at least so many messages, and nothing waits."""
    found = places({"bootstrap_servers": servers}, f"sbx-{stage}", topics)
    return sum(place.committed for place in found.values()) >= count and all(
        place.committed == place.end for place in found.values()
    )


class Workers:
    """The three stages under a supervisor that has the patience for one restart of each."""

    def __init__(self, start: StartStage, servers: str, database: str) -> None:
        self.restarts: Counter[str] = Counter()
        self._start = partial(start, database_url=database, SBX_KAFKA_BOOTSTRAP_SERVERS=servers)
        self._running = {
            name: self._start(name).wait_until_ready() for name in ("transform", "deliver", "project")
        }

    def have_read(self, servers: str, stage: str, topics: Sequence[str]) -> bool:
        """True when the stage is past what was published."""
        for name, process in self._running.items():
            if process.code() is not None:
                self.restarts[name] += 1
                assert (process.code(), self.restarts[name]) == (70, 1), process.log
                self._running[name] = self._start(name)
        return settled(servers, stage, topics, 60)

    def stop(self) -> None:
        """End all in good order."""
        for process in self._running.values():
            process.stop()


@pytest.mark.parametrize("partitions", [5, 20])
def test_workers_go_on(start_stage: StartStage, tmp_path: Path, partitions: int) -> None:
    with EmbeddedStack(tmp_path / "own") as stack:
        servers, database = stack.bootstrap_servers, stack.database_url
        create_topics({"bootstrap_servers": servers})
        migrations.migrate(database)
        workers = Workers(start_stage, servers, database)
        for round_ in range(2):
            producer = KafkaProducer(bootstrap_servers=servers)
            for number in range(60):
                topic, key, value, headers = event(f"again{round_}", number)
                producer.send(topic, key=key, value=value, headers=headers)
            producer.close()
            for stage, topics in (("transform", SOURCES), ("deliver", (COMMANDS,)), ("project", (RESULTS,))):
                eventually(
                    partial(workers.have_read, servers, stage, topics), f"{stage} has read them, {round_}"
                )
            if not round_:
                again(servers, [*SOURCES, COMMANDS, RESULTS], partitions)
        print(f"restarts: {dict(workers.restarts)}")
        workers.stop()

"""Topics that are deleted and made again under running workers, with another number of partitions."""

from collections.abc import Sequence
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


@pytest.mark.parametrize("partitions", [12, 5, 20])
def test_workers_go_on(start_stage: StartStage, tmp_path: Path, partitions: int) -> None:
    with EmbeddedStack(tmp_path / "own") as stack:
        servers, database = stack.bootstrap_servers, stack.database_url
        create_topics({"bootstrap_servers": servers})
        migrations.migrate(database)
        stages = {
            name: start_stage(name, database, SBX_KAFKA_BOOTSTRAP_SERVERS=servers).wait_until_ready()
            for name in ("transform", "deliver", "project")
        }
        for round_ in range(2):
            producer = KafkaProducer(bootstrap_servers=servers)
            for number in range(60):
                topic, key, value, headers = event(f"again{round_}", number)
                producer.send(topic, key=key, value=value, headers=headers)
            producer.close()
            eventually(lambda: settled(servers, "transform", SOURCES, 60), "transform has read them")
            eventually(lambda: settled(servers, "deliver", (COMMANDS,), 60), "deliver has read them")
            eventually(lambda: settled(servers, "project", (RESULTS,), 60), "project has read them")
            if not round_:
                again(servers, [*SOURCES, COMMANDS, RESULTS], partitions)
        assert {name: stage.code() for name, stage in stages.items()} == dict.fromkeys(stages)
        for stage in stages.values():
            stage.stop()

"""The second reader of a backlog on a real broker: what it sees, and what it must leave to the consumer."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiokafka.client
import aiokafka.consumer.consumer
import pytest
from aiokafka.consumer import fetcher
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from runtime.environment import Environment
from streams import reading_ahead
from streams.ahead import Place
from streams.faust_app import build_app
from streams.reading_ahead import AheadReader
from streams.topic_ids import TopicsRead, committed_offsets
from tests.integration.streams.conftest import eventually
from tests.integration.streams.test_kafka_as_published import transactional

COUNT = 40
Start = Callable[[int], AheadReader]


@pytest.fixture
def topic(kafka: str, unique: str) -> str:
    """A topic of two partitions, with so many messages of as many accounts in each."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics([NewTopic(f"second-{unique}", 2, 1)])
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        for number in range(COUNT):
            for partition in range(2):
                producer.send(f"second-{unique}", b"v", b"shop-%d/1" % number, partition=partition)
        producer.flush()
    return f"second-{unique}"


@pytest.fixture
def start(kafka: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the reader of the topic's first partitions."""
    for module, names in (
        (aiokafka.client, ["MetadataRequest"]),
        (aiokafka.consumer.consumer, ["GroupCoordinator"]),
        (fetcher, ["MemoryRecords", "PartitionRecords", "FetchResult"]),
    ):
        for name in names:  # restored after the test
            monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(reading_ahead, "_CLOSE_SECONDS", 600.0)
    environment = Environment.read({"SBX_KAFKA_BOOTSTRAP_SERVERS": kafka, "SBX_DATA_DIR": str(tmp_path)})
    group = f"group-of-{topic}"
    app = build_app(group, environment, TopicsRead())
    eventually(lambda: _knows(kafka, group), "the broker has a coordinator for the group, as for a stage's")
    started: list[AheadReader] = []

    def started_reader(partitions: int) -> AheadReader:
        places: list[Place] = [(topic, number) for number in range(partitions)]
        reader = AheadReader(app, environment.kafka_python(), places)
        started.append(reader)
        reader.start()
        return reader

    yield started_reader
    for reader in started:
        reader.end()
        reader.join(10)
        assert not reader.is_alive()


def _knows(kafka: str, group: str) -> bool:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        try:
            return committed_offsets(admin, group) == {}
        except KafkaError:
            return False


def offsets(reader: AheadReader, count: int) -> dict[int, list[int]]:
    """Offsets by partition that it hands out, so many at least, and some while later."""
    found: dict[int, list[int]] = {}

    def enough() -> bool:
        with reader.lock:
            records = reader.queue.turn(1000)
            reader.queue.handled(records)
        for record in records:
            found.setdefault(record.partition, []).append(record.offset)
        return sum(map(len, found.values())) >= count

    eventually(enough, f"{count} messages")
    time.sleep(1)
    enough()
    return {partition: sorted(numbers) for partition, numbers in found.items()}


def remove(kafka: str, topic: str, partition: int, before: int) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_records({TopicPartition(topic, partition): before})


def test_it_begins_where_the_stage_does(kafka: str, topic: str, start: Start) -> None:
    assert offsets(start(2), 2 * COUNT) == {0: list(range(COUNT)), 1: list(range(COUNT))}


def test_where_the_beginning_was_removed_everything_is_left_to_the_consumer(
    kafka: str, topic: str, start: Start
) -> None:
    """The consumer may have read it before, and not have handled it yet."""
    remove(kafka, topic, 1, 10)
    reader = start(2)
    assert offsets(reader, COUNT) == {0: list(range(COUNT))}
    assert reader.is_alive()
    assert not reader.failed


def test_what_was_aborted_and_what_is_undecided_does_not_go_ahead(
    kafka: str, topic: str, start: Start, unique: str
) -> None:
    aborted, undecided = (transactional(kafka, f"{name}-{unique}") for name in ("aborted", "undecided"))
    aborted.begin_transaction()
    aborted.produce(topic, key=b"aborted/1", value=b"v", partition=0)
    aborted.flush()
    aborted.abort_transaction()
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        producer.send(topic, b"v", b"behind/1", partition=0).get(10)
        undecided.begin_transaction()
        undecided.produce(topic, key=b"undecided/1", value=b"v", partition=0)
        undecided.flush()
        producer.send(topic, b"v", b"behind/1", partition=0).get(10)

    reader = start(1)
    behind = COUNT + 2  # the aborted message, and its marker
    assert offsets(reader, COUNT + 1) == {0: [*range(COUNT), behind]}
    undecided.commit_transaction()
    assert offsets(reader, 2) == {0: [behind + 1, behind + 2]}

"""Kafka as publishers use it: every codec, transactions, and records that no client of ours would write."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer, TopicPartition

from contracts.commands import decode_command
from contracts.events.reader import event_to_kafka
from contracts.results import EntryResult, decode_result
from streams.records import Record
from streams.standings import standings
from streams.topics import COMMANDS, DEAD_LETTERS, RESULTS, SOURCES
from tests.integration.streams.conftest import PATIENCE, Broker, StageProcess, StartStage, eventually
from tests.record_batches import Wire, batch, record, sized, varint

CUSTOMERS = "salesbinder.customers"


def event(account: str, number: int, size: int = 0) -> tuple[str, bytes, bytes, list[tuple[str, bytes]]]:
    """Topic, key, value and headers of a valid event."""
    subject = f"{account}-{number}"
    return event_to_kafka(
        {
            "specversion": "1.0",
            "id": subject,
            "source": f"/salesbinder/{account}",
            "type": "salesbinder.customer.created",
            "subject": subject,
            "time": "2026-03-02T09:00:00Z",
            "data": {"customer": {"id": subject, "name": f"Name {number}", "note": "n" * size}},
        }
    )


def plain(account: str, number: int) -> bytes:
    """A batch with a valid event."""
    _, key, value, headers = event(account, number)
    return batch(record(0, key, value, [(name.encode(), content) for name, content in headers]), 1)


def subjects(records: list[Record]) -> list[str]:
    return sorted(decode_command(one.value or b"").record_id for one in records)


def place(one: Record) -> tuple[str, int, int]:
    """Where a dead letter comes from."""
    headers = dict(one.headers)
    return (
        headers["source_topic"].decode(),
        int(headers["source_partition"]),
        int(headers["source_offset"]),
    )


def waiting(broker: str, group: str, topics: tuple[str, ...]) -> dict[TopicPartition, int]:
    """What the watchdog sees of messages that wait."""
    found = standings({"bootstrap_servers": broker}, group, topics)
    return {tp: one.waiting for tp, one in found.items() if one.waiting}


def peak_megabytes(stage: StageProcess) -> int:
    """The most memory that a process has had."""
    said = Path(f"/proc/{stage.pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in said.splitlines() if line.startswith("VmHWM"))) // 1024


@pytest.fixture
def wire(broker: str) -> Iterator[Wire]:
    connection = Wire(broker)
    yield connection
    connection.close()


@pytest.mark.parametrize("client", ["kafka-python", "librdkafka"])
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_codec_of_real_producers(
    broker: str, traffic: Broker, start_stage: StartStage, unique: str, client: str, codec: str
) -> None:
    traffic.watch(COMMANDS)
    account = f"c{unique}"
    events = [event(account, number, 700) for number in range(3000)]
    send: Callable[..., Any]
    if client == "kafka-python":
        producer: Any = KafkaProducer(
            bootstrap_servers=broker,
            compression_type=None if codec == "none" else codec,
            batch_size=900_000,
            linger_ms=200,
            max_request_size=3_900_000,
        )
        send = producer.send
    else:
        producer = Producer(
            {
                "bootstrap.servers": broker,
                "compression.type": codec,
                "linger.ms": 200,
                "batch.size": 3_000_000,
                "message.max.bytes": 3_500_000,
                "partitioner": "murmur2_random",
            }
        )
        send = producer.produce
    for topic, key, value, headers in events:
        send(topic, key=key, value=value, headers=headers)
    producer.flush()
    producer.close()
    stage = start_stage("transform").wait_until_ready()

    commands = traffic.wait_for(COMMANDS, 3000, account)
    assert len(set(subjects(commands))) == 3000
    assert stage.code() is None
    stage.stop()


def transactional(broker: str, name: str, **more: Any) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": broker,
            "transactional.id": name,
            "partitioner": "murmur2_random",
            "transaction.timeout.ms": 600_000,  # one that stays open must not be ended by the broker
            **more,
        }
    )
    producer.init_transactions(PATIENCE)
    return producer


def publish(producer: Producer, account: str, numbers: range) -> None:
    producer.begin_transaction()
    for number in numbers:
        topic, key, value, headers = event(account, number)
        producer.produce(topic, key=key, value=value, headers=list[Any](headers))
    producer.flush()


def test_transactions(broker: str, traffic: Broker, start_stage: StartStage, unique: str) -> None:
    account = f"t{unique}"
    traffic.watch(COMMANDS, DEAD_LETTERS)
    stage = start_stage("transform").wait_until_ready()
    first, second, third = (transactional(broker, f"{unique}-{n}") for n in range(3))

    # Interleaved in the same partitions: one that is aborted, one that is committed, one that stays open.
    publish(first, account, range(40))
    publish(second, account, range(100, 140))

    second.commit_transaction()
    publish(third, account, range(200, 240))
    first.abort_transaction()
    publish(first, account, range(300, 340))
    first.commit_transaction()
    traffic.wait_for(COMMANDS, 40, account)
    still_open = {f"{account}-{number}" for number in range(200, 240)}
    # It is neither read nor waits for the worker: nobody can read it yet.
    eventually(lambda: not waiting(broker, "sbx-transform", SOURCES), "nothing waits that can be read")
    assert still_open.isdisjoint(subjects(traffic.all_of(COMMANDS, account)))

    # Fenced: another producer of its name begins, so the broker aborts what was open.
    successor = transactional(broker, f"{unique}-2")
    publish(successor, account, range(400, 410))
    successor.commit_transaction()
    wanted = [*range(100, 140), *range(300, 340), *range(400, 410)]
    commands = traffic.wait_for(COMMANDS, len(wanted), account)
    assert subjects(commands) == sorted(f"{account}-{number}" for number in wanted)
    # Markers at the end of every partition are no messages that wait.
    eventually(lambda: not waiting(broker, "sbx-transform", SOURCES), "no marker waits")
    assert not traffic.all_of(DEAD_LETTERS, account)
    stage.stop()


def test_position_behind_markers_survives_the_restart(
    broker: str, traffic: Broker, start_stage: StartStage, unique: str
) -> None:
    traffic.watch(COMMANDS)
    stage = start_stage("transform").wait_until_ready()
    producer = transactional(broker, unique)
    for number in range(5):
        publish(producer, f"a{unique}", range(number, number + 1))
        producer.abort_transaction()
    eventually(lambda: not waiting(broker, "sbx-transform", SOURCES), "nothing waits")
    stage.stop()
    publish(producer, f"a{unique}", range(10, 20))
    producer.commit_transaction()

    stage = start_stage("transform").wait_until_ready()
    assert len(traffic.wait_for(COMMANDS, 10, f"a{unique}")) == 10
    eventually(lambda: not waiting(broker, "sbx-transform", SOURCES), "nothing waits")
    stage.stop()


def bomb(megabytes: int) -> bytes:
    """A batch that becomes so large; 1000 MB are 1 MB on the wire."""
    size, key = megabytes << 20, b"acme/z"
    head = b"\0" + varint(0) + varint(0) + sized(key) + varint(size)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = bytearray(packer.compress(varint(len(head) + size + 1) + head))
    for _ in range(megabytes):
        out += packer.compress(bytes(1 << 20))
    out += packer.compress(varint(0)) + packer.flush()
    return batch(bytes(out), 1, attributes=1)


HOSTILE: dict[str, tuple[bytes, bytes]] = {
    "neither key nor value": (batch(record(0, None, None), 1), b"event_empty"),
    "header name": (batch(record(0, b"{}/x", b"{}", [(b"\xff\xfe\x80", b"x")]), 1), b""),
    "key of 6 MB": (batch(record(0, b"{}/" + b"k" * 6_000_000, b"not json"), 1, codec="gzip"), b""),
    "value of 20 MB": (batch(record(0, b"{}/v", bytes(20_000_000)), 1, codec="gzip"), b"record_unreadable"),
    "header of 5 MB": (batch(record(0, b"{}/h", b"x", [(b"h", bytes(5_000_000))]), 1, codec="zstd"), b""),
    "time before 1970": (batch(record(0, b"{}/t", b"x", time=-(2**60)), 1), b""),
}


def test_no_record_stops_transform(
    broker: str, wire: Wire, traffic: Broker, start_stage: StartStage, unique: str
) -> None:
    account = f"h{unique}"
    traffic.watch(COMMANDS, RESULTS, DEAD_LETTERS)
    stage = start_stage("transform").wait_until_ready()
    pid, places_of = stage.pid, {}
    for number, (what, (data, reason)) in enumerate(HOSTILE.items()):
        code, offset = wire.produce(CUSTOMERS, number % 4, data)
        assert code == 0, (what, code)
        places_of[CUSTOMERS, number % 4, offset] = reason
        assert wire.produce(CUSTOMERS, number % 4, plain(account, number))[0] == 0
    code, offset = wire.produce(CUSTOMERS, 3, bomb(1000))
    assert code == 0
    places_of[CUSTOMERS, 3, offset] = b"record_unreadable"
    assert wire.produce(CUSTOMERS, 3, plain(account, 99))[0] == 0

    traffic.wait_for(COMMANDS, len(HOSTILE) + 1, account)
    eventually(
        lambda: {place(one) for one in traffic.seen(DEAD_LETTERS)} >= places_of.keys(), "their dead letters"
    )
    letters = [one for one in traffic.seen(DEAD_LETTERS) if place(one) in places_of]
    assert len(letters) == len(places_of)
    for one in letters:
        assert dict(one.headers)["reason_code"] == places_of[place(one)] or not places_of[place(one)]
    entries = [decode_result(one.value or b"") for one in traffic.all_of(RESULTS)]
    found = [
        (one.topic, one.partition, one.offset)
        for one in entries
        if isinstance(one, EntryResult) and one.state == "failed"
    ]
    assert sorted(one for one in found if one in places_of) == sorted(places_of)
    eventually(lambda: not waiting(broker, "sbx-transform", SOURCES), "nothing waits")
    assert (stage.code(), stage.pid) == (None, pid)
    peak = peak_megabytes(stage)
    print(f"memory at its highest: {peak} MB")
    assert peak < 300
    stage.stop()

    # Who comes back does not meet them again.
    again = start_stage("transform").wait_until_ready()
    wire.produce(CUSTOMERS, 3, plain(account, 100))
    traffic.wait_for(COMMANDS, len(HOSTILE) + 2, account)
    assert "set aside" not in again.log
    again.stop()


@pytest.mark.parametrize(("stage_name", "topic"), [("deliver", COMMANDS), ("project", RESULTS)])
def test_no_record_stops_the_inner_stages(
    broker: str, wire: Wire, traffic: Broker, start_stage: StartStage, database_url: str, stage_name: str,
    topic: str,
) -> None:  # fmt: skip
    traffic.watch(DEAD_LETTERS)
    stage = start_stage(stage_name, database_url).wait_until_ready()
    wanted = set()
    for data in (
        batch(record(0, None, None), 1),
        batch(record(0, b"acme/x", b"x", [(b"\xff\xfe", b"1")]), 1),
        batch(record(0, b"acme/x", b"x" * 9_000_000), 1, codec="lz4"),
        bomb(200),
    ):
        code, offset = wire.produce(topic, 2, data)
        assert code == 0
        wanted.add((topic, 2, offset))
    eventually(lambda: {place(one) for one in traffic.seen(DEAD_LETTERS)} >= wanted, "their dead letters")
    eventually(lambda: not waiting(broker, f"sbx-{stage_name}", (topic,)), "nothing waits")
    assert stage.code() is None
    assert peak_megabytes(stage) < 300
    stage.stop()

"""How a worker ends: a failed batch is never committed, a hanging worker does not stay."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from streams.records import Outgoing
from streams.topics import FOR_EVER, Topic, create_topics
from tests.integration.streams.conftest import PATIENCE, ROOT, Broker, StartStage, eventually

HERE = Path(__file__).parent


def test_failed_batch_is_read_again_after_the_restart(
    kafka: str, traffic: Broker, unique: str, tmp_path: Path
) -> None:
    create_topics({"bootstrap_servers": kafka}, [Topic(unique, 1, FOR_EVER)])
    notes, mended = tmp_path / "notes", tmp_path / "mended"
    values = [b"a", b"b", b"fail", b"c"]
    traffic.publish([Outgoing(unique, b"k", value) for value in values])
    command = [sys.executable, str(HERE / "failing_stage.py"), unique, unique, str(notes), str(mended)]
    environ = dict(os.environ) | {
        "SBX_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "SBX_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }

    failed = subprocess.run(command, env=environ, capture_output=True, timeout=PATIENCE, check=False)
    assert failed.returncode == 70
    assert b"as the test wants it" in failed.stderr
    assert notes.read_bytes().split() == [b"a", b"b"]

    mended.touch()
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: notes.read_bytes().split() == [b"a", b"b", *values], "the whole batch again")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("way", "code", "said"),
    [
        ("loop", 70, b"the event loop is stuck"),
        ("lag", 70, b"messages wait and nothing is done about them"),
        ("back", 70, b"the broker went back"),
        ("fine", 0, b""),
    ],
)
def test_watchdog_ends_what_hangs_and_nothing_else(
    kafka: str, traffic: Broker, unique: str, way: str, code: int, said: bytes
) -> None:
    create_topics({"bootstrap_servers": kafka}, [Topic(unique, 1, FOR_EVER)])
    traffic.publish([Outgoing(unique, b"k", b"waits")])

    ended = _watched(way, kafka, unique)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stdout + ended.stderr


def _watched(way: str, kafka: str, unique: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, str(HERE / "hanging.py"), way, kafka, unique, unique],
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


class _Nothing(RoundRobinPartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
    """Gives nobody anything, as a leader does that sees no topics."""

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> dict[str, ConsumerProtocolMemberAssignment]:
        return {member: ConsumerProtocolMemberAssignment(cls.version, [], b"") for member in members}


async def test_group_in_which_nobody_has_partitions_is_left(kafka: str, traffic: Broker, unique: str) -> None:
    create_topics({"bootstrap_servers": kafka}, [Topic(unique, 1, FOR_EVER)])
    traffic.publish([Outgoing(unique, b"k", b"waits")])
    options = {"group_id": unique, "group_instance_id": "one", "session_timeout_ms": 300_000}
    for assignors in ([_Nothing], [RoundRobinPartitionAssignor]):  # who comes back gets the same nothing
        consumer = AIOKafkaConsumer(
            unique, bootstrap_servers=kafka, partition_assignment_strategy=assignors, **options
        )
        await consumer.start()
        assert consumer.assignment() == set()
        await consumer.stop()

    ended = await asyncio.to_thread(_watched, "bare", kafka, unique)
    assert ended.returncode == 70, ended.stderr
    assert b"nobody in the group has partitions" in ended.stdout + ended.stderr

    async with AIOKafkaConsumer(unique, bootstrap_servers=kafka, **options) as consumer:
        assert {place.topic for place in consumer.assignment()} == {unique}


def test_missing_topics_are_named(start_stage: StartStage, kafka: str, tmp_path: Path) -> None:
    from sandbox import EmbeddedStack

    with EmbeddedStack(tmp_path / "empty", postgres=False) as stack:
        stage = start_stage("transform", SBX_KAFKA_BOOTSTRAP_SERVERS=stack.bootstrap_servers)
        assert stage.wait() == 1
    assert "salesbinder.customers" in stage.log
    assert "sbx topics create" in stage.log


def test_environment_without_a_broker_is_refused(start_stage: StartStage) -> None:
    stage = start_stage("transform", SBX_KAFKA_BOOTSTRAP_SERVERS="")

    assert stage.wait() == 1
    assert "SBX_KAFKA_BOOTSTRAP_SERVERS" in stage.log


def test_stopping_in_good_order_is_quick(start_stage: StartStage) -> None:
    stage = start_stage("transform").wait_until_ready()
    stage.stop()

    assert '"event": "stopped"' in stage.log

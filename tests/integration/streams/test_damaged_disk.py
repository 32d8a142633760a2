"""Bytes that changed on the broker's disk: no publisher and no broker sees it, the stage does."""

import struct
from pathlib import Path

from sandbox import EmbeddedStack
from streams.topics import COMMANDS, DEAD_LETTERS, SOURCES, create_topics
from tests.integration.streams.conftest import Broker, StartStage, eventually
from tests.integration.streams.test_kafka_as_published import CUSTOMERS, event, place, subjects, waiting
from tests.record_batches import Wire, batch, record


def damage(log: Path, number: int) -> None:
    """Change a byte in the value of the batch with this base offset."""
    data = bytearray(log.read_bytes())
    at = 0
    while True:
        base, length = struct.unpack_from(">qi", data, at)
        if base == number:
            break
        at += 12 + length
    data[at + 12 + length - 3] ^= 0x55
    log.write_bytes(data)


def test_wrong_checksums_are_set_aside_and_nothing_else(start_stage: StartStage, tmp_path: Path) -> None:
    directory = tmp_path / "own"
    with EmbeddedStack(directory, postgres=False) as stack:
        create_topics({"bootstrap_servers": stack.bootstrap_servers})
        wire = Wire(stack.bootstrap_servers)
        for number in range(8):  # two events in each batch
            rows = []
            for delta in range(2):
                _, key, value, headers = event("disk", 2 * number + delta)
                rows.append(record(delta, key, value, [(name.encode(), text) for name, text in headers]))
            assert wire.produce(CUSTOMERS, 4, batch(b"".join(rows), 2)) == (0, 2 * number)
        wire.close()
    [log] = (directory / "kafka").rglob(f"{CUSTOMERS}-4/00000000000000000000.log")
    for number in (0, 6, 8, 14):
        damage(log, number)

    with EmbeddedStack(directory, postgres=False) as stack:
        traffic = Broker(stack.bootstrap_servers)
        traffic.watch(COMMANDS, DEAD_LETTERS)
        stage = start_stage("transform", SBX_KAFKA_BOOTSTRAP_SERVERS=stack.bootstrap_servers)
        commands = traffic.wait_for(COMMANDS, 8, "disk")
        assert subjects(commands) == sorted(f"disk-{number}" for number in (2, 3, 4, 5, 10, 11, 12, 13))
        letters = traffic.wait_for(DEAD_LETTERS, 4)
        assert [place(one) for one in letters] == [(CUSTOMERS, 4, number) for number in (0, 6, 8, 14)]
        for one in letters:
            told = dict(one.headers)
            assert told["reason_code"] == b"record_unreadable"
            assert b"checksum" in told["reason"]
            assert int(told["source_last_offset"]) == int(told["source_offset"]) + 1
        eventually(
            lambda: not waiting(stack.bootstrap_servers, "sbx-transform", SOURCES), "the stage is behind them"
        )
        stage.stop()
        assert len(traffic.all_of(DEAD_LETTERS)) == 4
        traffic.close()

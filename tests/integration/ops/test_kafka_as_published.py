"""`sbx wait`, `status`, `replay` and `topics skip` with Kafka as publishers use it, on a whole pipeline."""

import os
import signal
import threading
import time
from typing import Any

import psutil
import pytest
from confluent_kafka import Producer
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from contracts.events.reader import event_to_kafka
from tests.integration.ops.accounts import Account, connected, here, services
from tests.integration.ops.sbx import Stack, wait_until
from tests.record_batches import Wire, batch, record
from tests.reliability.fuzz_records import bomb

INVOICES = "salesbinder.invoices"


@pytest.fixture
def account(stack: Stack, unique: str) -> Account:
    return connected(stack, unique)


def publisher(stack: Stack, **more: Any) -> Producer:
    return Producer(
        {
            "bootstrap.servers": services(stack)[0],
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            **more,
        }
    )


def produce(producer: Producer, *events: dict[str, Any]) -> None:
    for event in events:
        topic, key, value, headers = event_to_kafka(event)
        producer.produce(topic, key=key, value=value, headers=list[Any](headers))
    producer.flush()


def transaction(stack: Stack, name: str, *events: dict[str, Any]) -> Producer:
    """Events of a transaction that is still open; the broker gives it ten minutes, not one."""
    producer = publisher(stack, **{"transactional.id": name, "transaction.timeout.ms": 600_000})
    producer.init_transactions(240)
    producer.begin_transaction()
    produce(producer, *events)
    return producer


def transform(stack: Stack) -> Any:
    return here(stack, "status", "--json").json["stages"]["transform"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_events_are_posted_and_replayed(account: Account, codec: str) -> None:
    events = account.sale(1)
    produce(publisher(account.stack, **{"compression.type": codec}), *events)
    account.idle()

    assert [row["state"] for row in account.rows()] == ["completed"] * 3
    plan = account.replay()
    assert (plan["events"], plan["done"]) == (3, 3)


def test_transaction_that_is_aborted_never_happened(account: Account) -> None:
    transaction(account.stack, account.name, *account.sale(1)).abort_transaction(240)
    account.idle()

    assert account.rows() == []
    wait_until(lambda: transform(account.stack)["lag"] == 0)  # the broker writes its markers a little later
    assert account.replay()["events"] == 0


def test_nothing_waits_after_a_committed_transaction(account: Account) -> None:
    transaction(account.stack, account.name, *account.sale(1)).commit_transaction(240)
    account.idle()

    assert [row["state"] for row in account.rows()] == ["completed"] * 3
    found = transform(account.stack)
    assert (found["lag"], found["undecided"], found["working"]) == (0, 0, True)
    assert account.replay()["events"] == 3


def test_open_transaction_is_waited_for_and_is_no_lag(account: Account) -> None:
    producer = transaction(account.stack, account.name, *account.sale(1))
    wait_until(lambda: transform(account.stack)["lag"] == 0)
    assert transform(account.stack)["undecided"] >= 3
    early = here(account.stack, "wait", "--idle", "--timeout", "2")
    assert early.code == 1
    assert "transaction that is still open" in early.err
    assert account.rows() == []

    threading.Timer(3, producer.commit_transaction).start()
    account.idle()
    assert [row["state"] for row in account.rows()] == ["completed"] * 3


def test_what_cannot_be_read_is_counted_by_replay_and_stops_nothing(account: Account) -> None:
    wire = Wire(services(account.stack)[0])
    code, offset = wire.produce(INVOICES, 3, bomb(100))
    assert code == 0
    code, _ = wire.produce(INVOICES, 3, batch(record(0, None, None, [(b"\xff", b"")]), 1))
    assert code == 0
    wire.close()
    account.run(*account.sale(1))

    plan = account.sbx("replay", "--topic", INVOICES, "--json").json
    assert plan["unreadable"]["record_unreadable"] >= 1
    assert plan["unreadable"]["event_empty"] >= 1
    entries = account.sbx("log", "--state", "failed", "--json").out
    assert f'"offset":{offset}' in entries.replace(" ", "")
    assert "record_unreadable" in entries


def committed(stack: Stack, place: TopicPartition) -> tuple[int, int]:
    """Where transform stands, and where the partition ends."""
    admin = KafkaAdminClient(bootstrap_servers=services(stack)[0])
    try:
        found = admin.list_group_offsets({"sbx-transform": None})["sbx-transform"]
        end = admin.list_partition_offsets({place: OffsetSpec.LATEST})[place].offset
    finally:
        admin.close()
    return found[place].offset if place in found else 0, end


def test_skip_of_what_is_done_or_not_there_is_refused(account: Account) -> None:
    account.run(*account.sale(1))
    place = TopicPartition(INVOICES, 0)
    wait_until(lambda: len(set(committed(account.stack, place))) == 1)
    _, end = committed(account.stack, place)

    behind = here(account.stack, "topics", "skip", INVOICES, "0", str(end + 5))
    assert (behind.code, "ends before" in behind.err) == (1, True)
    if end:
        before = here(account.stack, "topics", "skip", INVOICES, "0", str(end - 1))
        assert (before.code, "is past offset" in before.err) == (1, True)
    assert here(account.stack, "topics", "skip", "no.topic", "0", "0").code == 2
    assert here(account.stack, "topics", "skip", INVOICES, "99", "0").code == 2


def transforms_for(stack: Stack, process: psutil.Process) -> bool:
    """True for the stack's transform worker. Those of other runs come and go meanwhile."""
    try:
        if "transform" not in process.cmdline():
            return False
        return process.environ().get("SBX_DATA_DIR") == stack.sbx.environ["SBX_DATA_DIR"]
    except psutil.Error:
        return False


def test_skip_steps_over_one_record_while_the_workers_run(account: Account) -> None:
    """The worker is frozen, as one that does not get past a record: then it goes on behind it."""
    place = TopicPartition(INVOICES, 5)
    wait_until(lambda: len(set(committed(account.stack, place))) == 1)
    frozen = [process for process in psutil.process_iter() if transforms_for(account.stack, process)]
    assert frozen
    for process in frozen:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        wire = Wire(services(account.stack)[0])
        code, offset = wire.produce(INVOICES, 5, batch(record(0, b"acme/stuck", b"stuck"), 1))
        assert code == 0
        wire.produce(INVOICES, 5, batch(record(0, b"acme/next", b"next"), 1))
        wire.close()
        later = here(account.stack, "topics", "skip", INVOICES, "5", str(offset + 1))
        assert (later.code, "would lose them" in later.err) == (1, True)
        plan = account.sbx("topics", "skip", INVOICES, "5", str(offset))
        assert "acme/stuck" in plan.out
        assert "--yes" in plan.err
        assert committed(account.stack, place)[0] == offset
        done = account.sbx("topics", "skip", INVOICES, "5", str(offset), "--yes", "--json").json
        assert (done["applied"], done["offset"], done["last_offset"]) == (True, offset, offset)
        assert committed(account.stack, place)[0] == offset + 1
        act = account.sbx("acts", "--act", "topics_skip", "--json").json
        assert (act["target"], act["result"]) == (
            {"topic": INVOICES, "partition": 5, "offset": offset},
            {"next": offset + 1},
        )
    finally:
        for process in frozen:
            os.kill(process.pid, signal.SIGCONT)
    account.run(*account.sale(1))
    assert [row["state"] for row in account.rows()] == ["completed"] * 3
    wait_until(lambda: len(set(committed(account.stack, place))) == 1)  # the sale may stand there as well
    entries = account.sbx("log", "--state", "failed", "--json").out.splitlines()
    [of_it] = [line for line in entries if f'"offset":{offset},' in line.replace(" ", "") and "stuck" in line]
    assert "skipped it with" in of_it
    assert "record_unreadable" in of_it
    time.sleep(1)
    assert committed(account.stack, place)[0] >= offset + 2

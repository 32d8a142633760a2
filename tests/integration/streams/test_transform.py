"""The transform stage on a real broker."""

import json
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaProducer

from contracts.commands import command_id, decode_command
from contracts.events.reader import event_to_kafka
from contracts.results import EntryResult, decode_result
from streams.records import Outgoing, Record
from streams.topics import COMMANDS, DEAD_LETTERS, RESULTS
from tests.integration.streams.conftest import PATIENCE, Broker, StartStage, eventually

INVOICES = "salesbinder.invoices"


@pytest.fixture
def account() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


def example_events(shared_dir: Path, account: str) -> list[dict[str, Any]]:
    """The shared examples as events of this account."""
    lines = (shared_dir / "examples" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) | {"source": f"/salesbinder/{account}"} for line in lines]


def customer_event(account: str, customer: str, number: int) -> Outgoing:
    event = {
        "specversion": "1.0",
        "id": f"{customer}-{number}",
        "source": f"/salesbinder/{account}",
        "type": "salesbinder.customer.edited",
        "subject": customer,
        "time": "2026-03-02T09:00:00Z",
        "data": {"customer": {"id": customer, "name": f"Name {number}"}},
    }
    return Outgoing(*_four(event_to_kafka(event)))


def _four(kafka: tuple[str, bytes, bytes, list[tuple[str, bytes]]]) -> Any:
    topic, key, value, headers = kafka
    return topic, key, value, tuple(headers)


def entry_of(record: Record) -> EntryResult:
    result = decode_result(record.value or b"")
    assert isinstance(result, EntryResult)
    return result


def headers_of(record: Record) -> dict[str, bytes]:
    assert len(dict(record.headers)) == len(record.headers), "no header twice"
    return dict(record.headers)


def test_every_example_becomes_a_command_and_a_queued_entry(
    start_stage: StartStage, traffic: Broker, shared_dir: Path, account: str
) -> None:
    events = example_events(shared_dir, account)
    traffic.watch(COMMANDS, RESULTS, DEAD_LETTERS)
    published = traffic.publish([Outgoing(*_four(event_to_kafka(event))) for event in events])
    stage = start_stage("transform").wait_until_ready()

    commands = traffic.wait_for(COMMANDS, len(events), account)
    results = traffic.wait_for(RESULTS, len(events), account)
    stage.stop()

    by_id = {command.command_id: command for command in (decode_command(r.value or b"") for r in commands)}
    entries = {entry.entry_id: entry for entry in map(entry_of, results)}
    assert len(by_id) == len(events)
    for event, record in zip(events, published, strict=True):
        identity = command_id(event["source"], event["id"])
        command, entry = by_id[identity], entries[identity]
        place = (record.topic, record.partition, record.offset)
        assert (command.event.topic, command.event.partition, command.event.offset) == place
        assert (entry.topic, entry.partition, entry.offset) == place
        assert (entry.version, entry.state, entry.event_type) == (0, "queued", event["type"])
        assert (entry.record_id, entry.amount) == (event["subject"], command.amount)
    assert {r.key for r in commands} == {r.key for r in results} == {r.key for r in published}
    assert traffic.all_of(DEAD_LETTERS, account) == []


def test_bad_messages_become_dead_letters_and_stop_nothing_else(
    start_stage: StartStage, traffic: Broker, account: str
) -> None:
    key = f"{account}/c1".encode()
    good = [customer_event(account, "c1", number) for number in range(6)]
    odd = (("trace", b"\x00\xff"), ("reason", b"an old one"))
    bad = [
        Outgoing(good[0].topic, key, b"{not json", odd),
        Outgoing(good[0].topic, key, None),
        Outgoing(INVOICES, key, (good[0].value or b"").replace(b"customer.edited", b"nonsense.edited")),
        Outgoing(good[0].topic, key, (good[0].value or b"")[:-1] + b" " * 3_900_000 + b"}", good[0].headers),
        Outgoing(good[0].topic, f"{account}/other".encode(), good[0].value, good[0].headers),
    ]
    traffic.watch(COMMANDS, RESULTS, DEAD_LETTERS)
    mixed = [message for pair in zip(good, bad, strict=False) for message in pair] + good[len(bad) :]
    published = {(r.value, r.key): r for r in traffic.publish(mixed)}
    stage = start_stage("transform").wait_until_ready()

    commands = traffic.wait_for(COMMANDS, len(good), account)
    letters = traffic.wait_for(DEAD_LETTERS, len(bad), account)
    results = traffic.wait_for(RESULTS, len(mixed), account)
    stage.stop()

    assert [decode_command(r.value or b"").event.id for r in commands] == [f"c1-{n}" for n in range(6)]
    failed = {(e.topic, e.partition, e.offset): e for e in map(entry_of, results) if e.state == "failed"}
    codes = []
    for message in bad:
        source = published[message.value, message.key]
        (letter,) = (r for r in letters if (r.value, r.key) == (message.value, message.key))
        headers = headers_of(letter)
        place = (source.topic, source.partition, source.offset)
        assert (
            headers["source_topic"].decode(),
            int(headers["source_partition"]),
            int(headers["source_offset"]),
        ) == place
        entry = failed.pop(place)
        assert (entry.reason_code, entry.reason) == (
            headers["reason_code"].decode(),
            headers["reason"].decode(),
        )
        assert entry.remedy
        assert entry.account == account
        assert entry.triggered_by == "dead_letter"
        kept = {name: content for name, content in message.headers if name != "reason"}
        assert kept.items() <= headers.items()
        codes.append(entry.reason_code)
    assert failed == {}
    assert codes == [
        "event_not_json", "event_empty", "event_unknown_type", "event_too_large", "event_key_mismatch",
    ]  # fmt: skip


def test_message_that_only_fitted_compressed_is_cut_and_says_so(
    start_stage: StartStage, traffic: Broker, broker: str, account: str
) -> None:
    traffic.watch(DEAD_LETTERS, COMMANDS)
    with KafkaProducer(bootstrap_servers=broker, compression_type="gzip", max_request_size=30_000_000) as big:
        big.send(INVOICES, key=f"{account}/d1".encode(), value=b"x" * 6_000_000).get(timeout=PATIENCE)
    traffic.publish([customer_event(account, "c1", 1)])
    stage = start_stage("transform").wait_until_ready()

    (letter,) = traffic.wait_for(DEAD_LETTERS, 1, account)
    traffic.wait_for(COMMANDS, 1, account)
    stage.stop()

    assert letter.value == b"x" * 4 * 1024 * 1024
    assert headers_of(letter)["source_bytes"] == b"6000000"


def test_sigkill_under_load_loses_nothing_and_keeps_the_order_per_key(
    start_stage: StartStage, traffic: Broker, account: str
) -> None:
    customers, rounds = 20, 150
    events = [
        customer_event(account, f"c{number % customers}", number // customers)
        for number in range(customers * rounds)
    ]
    traffic.watch(COMMANDS, RESULTS)
    first = start_stage("transform").wait_until_ready()
    traffic.publish(events[: len(events) // 2])
    traffic.wait_for(COMMANDS, 1, account)
    first.kill()
    second = start_stage("transform")
    traffic.publish(events[len(events) // 2 :])

    expected = {msgspec.json.decode(event.value or b"")["id"] for event in events}

    def ids() -> set[str]:
        return {decode_command(r.value or b"").event.id for r in traffic.seen(COMMANDS, account)}

    eventually(lambda: ids() == expected, "a command for every event")
    eventually(
        lambda: len({entry_of(r).entry_id for r in traffic.seen(RESULTS, account)}) == len(events), "entries"
    )
    second.wait_until_ready().stop()

    commands = traffic.seen(COMMANDS, account)
    first_seen: dict[bytes | None, list[int]] = defaultdict(list)
    for record in commands:
        number = int(decode_command(record.value or b"").event.id.partition("-")[2])
        if number not in first_seen[record.key]:
            first_seen[record.key].append(number)
    assert all(numbers == list(range(rounds)) for numbers in first_seen.values())
    assert len(first_seen) == customers

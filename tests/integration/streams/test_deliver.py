"""The deliver stage on a real broker and database: commands into the ledger, results out.

The accounts here have no connection, so every command ends as ``not_connected`` without a call to Xero.
"""

import uuid
from collections import defaultdict
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest

from contracts.commands import Command, EventRef, command_id, encode_command
from contracts.results import EntryResult, decode_result
from streams.records import Outgoing, Record
from streams.topics import COMMANDS, DEAD_LETTERS, RESULTS
from tests.integration.streams.conftest import Broker, StartStage, eventually
from tests.integration.streams.test_project import away, wait_for_retry

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def account() -> str:
    return f"d{uuid.uuid4().hex[:12]}"


def command(account: str, record: str, number: int) -> Command:
    source, event_id = f"/salesbinder/{account}", f"{record}-{number}"
    event = EventRef(
        id=event_id, type="salesbinder.customer.deleted", source=source, time=NOW, content_hash=event_id
    )
    return Command(
        command_id=command_id(source, event_id),
        account=account,
        entity="customer",
        record_id=record,
        action="deleted",
        event=event,
    )


def message(command: Command) -> Outgoing:
    return Outgoing(COMMANDS, command.key.encode(), encode_command(command))


def ledger(database_url: str, account: str) -> list[str]:
    """Command ids in the order in which the ledger has them."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT command_id::text FROM ledger.commands WHERE account = %s ORDER BY seq", [account]
        ).fetchall()
    return [row[0] for row in rows]


def ended(records: list[Record]) -> dict[str, EntryResult]:
    """The newest version of each entry that has ended."""
    newest: dict[str, EntryResult] = {}
    for record in records:
        result = decode_result(record.value or b"")
        if isinstance(result, EntryResult) and result.version >= newest.get(result.entry_id, result).version:
            newest[result.entry_id] = result
    return {
        entry_id: result for entry_id, result in newest.items() if result.state in ("completed", "failed")
    }


def test_sigkill_under_load_takes_each_command_in_once_and_in_order(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    records, rounds = 15, 80
    commands = [command(account, f"c{n % records}", n // records) for n in range(records * rounds)]
    traffic.watch(RESULTS, DEAD_LETTERS)
    first = start_stage("deliver", database_url).wait_until_ready()
    traffic.publish([message(c) for c in commands])
    eventually(lambda: bool(ledger(database_url, account)), "something is in the ledger")
    first.kill()
    second = start_stage("deliver", database_url)
    traffic.publish([message(c) for c in commands[:100]])  # doubled

    eventually(lambda: len(ledger(database_url, account)) == len(commands), "every command")
    taken = ledger(database_url, account)
    by_id = {c.command_id: c for c in commands}
    order: dict[str, list[str]] = defaultdict(list)
    for identity in taken:
        order[by_id[identity].record_id].append(identity)
    assert order == {
        f"c{r}": [c.command_id for c in commands if c.record_id == f"c{r}"] for r in range(records)
    }
    eventually(lambda: ended(traffic.seen(RESULTS, account)).keys() == by_id.keys(), "a result for each")
    second.wait_until_ready().stop()
    assert traffic.all_of(DEAD_LETTERS, account) == []


def test_bad_messages_stop_nothing_else(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    key = f"{account}/c1".encode()
    good = [command(account, "c1", number) for number in range(10)]
    impossible = message(msgspec.structs.replace(good[0], command_id="no uuid"))
    traffic.watch(RESULTS, DEAD_LETTERS)
    traffic.publish(
        [
            *[message(c) for c in good[:5]],
            Outgoing(COMMANDS, key, b"junk"),
            impossible,
            Outgoing(COMMANDS, key, None),
            *[message(c) for c in good[5:]],
        ]
    )
    stage = start_stage("deliver", database_url).wait_until_ready()

    letters = traffic.wait_for(DEAD_LETTERS, 3, account)
    eventually(lambda: len(ended(traffic.seen(RESULTS, account))) == 13, "ten ended and three dead letters")
    stage.stop()

    assert ledger(database_url, account) == [c.command_id for c in good]
    reasons = {letter.value: dict(letter.headers)["reason_code"] for letter in letters}
    assert reasons == {
        b"junk": b"command_unreadable",
        None: b"command_unreadable",
        impossible.value: b"command_unreadable",
    }
    dead = [r for r in ended(traffic.seen(RESULTS, account)).values() if r.triggered_by == "dead_letter"]
    assert [(r.account, r.record_id, r.topic) for r in dead] == [(account, "c1", COMMANDS)] * 3


def test_stage_waits_for_a_database_that_is_away_and_loses_nothing(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    commands = [command(account, f"c{number}", 0) for number in range(40)]
    traffic.watch(RESULTS)
    stage = start_stage("deliver", database_url).wait_until_ready()
    with away(database_url):
        traffic.publish([message(c) for c in commands])
        wait_for_retry(stage)
        assert stage.code() is None

    expected = {c.command_id for c in commands}
    eventually(lambda: ended(traffic.seen(RESULTS, account)).keys() == expected, "all ended")
    stage.stop()

"""One account floods the topics: what another account publishes behind it passes, in every stage."""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from connections import store
from contracts.commands import decode_command
from contracts.events.reader import event_to_kafka
from streams.records import Outgoing, Record
from streams.standings import standings_of
from streams.topics import COMMANDS, DEAD_LETTERS, SOURCES, TOPICS_OF, group_of
from tests.integration.sinks.shops import Maker
from tests.integration.streams.conftest import Broker, StartStage, eventually
from tests.integration.streams.installation import EVENTS_A_SALE, Installation
from tests.integration.streams.test_deliver import command, ledger, message
from tests.integration.streams.test_kafka_as_published import peak_megabytes, transactional, waiting
from tests.reliability.sales import sales

FLOOD = 20_000
"""Events; the benchmark ``flood`` has more."""
KEYS = 20


@pytest.fixture(autouse=True)
def nothing_left(broker: str) -> Iterator[None]:
    """The stages of the run's later tests have none of a flood to read."""
    yield
    with closing(KafkaAdminClient(bootstrap_servers=broker)) as admin:
        for stage, topics in TOPICS_OF.items():
            eventually(
                partial(_skipped, admin, group_of(stage), topics), f"{stage}'s killed workers are gone"
            )


def _skipped(admin: KafkaAdminClient, group: str, topics: Sequence[str]) -> bool:
    ends = {tp: OffsetAndMetadata(one.end, "", -1) for tp, one in standings_of(admin, group, topics).items()}
    return set(admin.alter_group_offsets(group, ends).values()) == {NoError}


def customer_event(account: str, number: int) -> Outgoing:
    """The account's event of this number, on one of ``KEYS`` customers."""
    customer = f"c{number % KEYS}"
    event = {
        "specversion": "1.0",
        "id": str(number),
        "source": f"/salesbinder/{account}",
        "type": "salesbinder.customer.edited",
        "subject": customer,
        "time": "2026-03-02T09:00:00Z",
        "data": {"customer": {"id": customer, "name": f"Name {number}"}},
    }
    topic, key, value, headers = event_to_kafka(event)
    return Outgoing(topic, key, value, tuple(headers))


def number_of(command: Record) -> int:
    return int(decode_command(command.value or b"").event.id)


def test_another_accounts_event_passes_a_flood(installation: Installation, traffic: Broker) -> None:
    stages = installation.start("transform", "deliver", "project")
    for stage in stages:
        stage.wait_until_ready()
    installation.sell(1)
    installation.finish()
    flooding, other = installation.shops[0].account, installation.shops[1].account
    asyncio.run(_pause(installation.url, flooding))  # its commands are taken in, and sent nowhere

    traffic.publish([customer_event(flooding, number) for number in range(FLOOD)])
    events = sales(Maker(other), 1, first=1000)
    traffic.publish([Outgoing(t, k, v, tuple(h)) for t, k, v, h in map(event_to_kafka, events)])
    began = time.monotonic()
    eventually(
        lambda: _count(installation, _COMPLETED, other) == 2 * EVENTS_A_SALE, "the other's sale in the log"
    )
    took, taken_in = time.monotonic() - began, _count(installation, _TAKEN_IN, flooding)

    assert taken_in < FLOOD / 2, f"it waited {took:.1f} s for the flood"
    for query, where in ((_TAKEN_IN, "ledger"), (_IN_LOG, "log")):
        eventually(
            lambda query=query: _count(installation, query, flooding) == FLOOD + EVENTS_A_SALE,  # type: ignore[misc]
            f"the flood in the {where}",
        )
    assert max(map(peak_megabytes, stages)) < 300
    for stage in stages:
        stage.stop()


async def _pause(url: str, account: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await store.pause(connection, account, actor="test", reason="a flood")


_TAKEN_IN = b"SELECT count(*) FROM ledger.commands WHERE account = %s"
_IN_LOG = b"SELECT count(*) FROM integrations_log.entries WHERE account = %s"
_COMPLETED = _IN_LOG + b" AND state = 'completed'"


def _count(installation: Installation, query: bytes, account: str) -> int:
    with psycopg.connect(installation.url, autocommit=True) as connection:
        [[count]] = connection.execute(query, [account]).fetchall()
    return int(count)


def test_killed_in_a_flood_nothing_is_lost_and_each_record_keeps_its_order(
    start_stage: StartStage, traffic: Broker
) -> None:
    """SIGKILL while messages behind the flood are handled and those in it are not: nothing remembers that."""
    flooding, other = (f"t{uuid.uuid4().hex[:12]}" for _ in range(2))
    few = 3 * KEYS
    traffic.watch(COMMANDS)
    traffic.publish([customer_event(flooding, number) for number in range(FLOOD)])
    traffic.publish([customer_event(other, number) for number in range(few)])

    first = start_stage("transform")
    traffic.wait_for(COMMANDS, 1, other)
    assert len(traffic.seen(COMMANDS, flooding)) < FLOOD, "the other's came behind the flood"
    first.kill()
    traffic.publish([customer_event(other, number) for number in range(few, 2 * few)])
    second = start_stage("transform")

    _assert_each_in_order(traffic, {other: 2 * few, flooding: FLOOD})
    second.stop()


def _assert_each_in_order(traffic: Broker, counts: dict[str, int]) -> None:
    """Wait for a command of each event, of no other ones, for the first time in the order of its record."""
    for account, count in counts.items():
        eventually(
            lambda account=account, count=count: (  # type: ignore[misc]
                len({number_of(record) for record in traffic.seen(COMMANDS, account)}) >= count
            ),
            f"a command for each event of {account}",
        )
        seen: dict[bytes | None, dict[int, None]] = defaultdict(dict)
        for record in traffic.seen(COMMANDS, account):
            seen[record.key].setdefault(number_of(record))
        assert sorted(map(list, seen.values())) == [list(range(key, count, KEYS)) for key in range(KEYS)]


def test_whatever_is_in_a_flood_each_event_ends_once_while_a_worker_joins(
    broker: str, start_stage: StartStage, traffic: Broker
) -> None:
    """Events that are no events, aborted ones, and a second worker, all amid a flood."""
    flooding, other = (f"t{uuid.uuid4().hex[:12]}" for _ in range(2))
    few = 6 * KEYS
    traffic.watch(COMMANDS, DEAD_LETTERS)
    bad = _places_of_bad(traffic, flooding, FLOOD)
    aborted = transactional(broker, flooding)
    aborted.begin_transaction()
    for account in (flooding, other):
        for number in range(FLOOD, FLOOD + 500):
            event = customer_event(account, number)
            aborted.produce(event.topic, key=event.key, value=event.value, headers=list[Any](event.headers))
    aborted.flush()
    aborted.abort_transaction()
    bad |= _places_of_bad(traffic, other, few)

    workers = [start_stage("transform")]
    traffic.wait_for(COMMANDS, 1, other)
    assert len(traffic.seen(COMMANDS, flooding)) < FLOOD, "the other's came behind the flood"
    workers.append(start_stage("transform").wait_until_ready())
    traffic.publish([customer_event(other, number) for number in range(few, 2 * few)])

    _assert_each_in_order(traffic, {other: 2 * few, flooding: FLOOD})
    eventually(lambda: _sources_of_letters(traffic, flooding, other) >= bad, "a letter for each bad one")
    assert _sources_of_letters(traffic, flooding, other) == bad
    eventually(lambda: not waiting(broker, "sbx-transform", SOURCES), "everything is committed")
    for worker in workers:
        worker.stop()


def _places_of_bad(traffic: Broker, account: str, count: int) -> set[tuple[str, int, int]]:
    """Publish the account's events, behind one on each customer that is none; return where these are."""
    events = [customer_event(account, number) for number in range(count)]
    bad = traffic.publish([Outgoing(one.topic, one.key, b"{", one.headers) for one in events[:KEYS]])
    traffic.publish(events)
    return {(record.topic, record.partition, record.offset) for record in bad}


def _sources_of_letters(traffic: Broker, *accounts: str) -> set[tuple[str, int, int]]:
    letters = [dict(one.headers) for account in accounts for one in traffic.seen(DEAD_LETTERS, account)]
    return {
        (one["source_topic"].decode(), int(one["source_partition"]), int(one["source_offset"]))
        for one in letters
    }


def test_the_ledger_has_each_command_once_and_in_order_when_killed_in_a_flood(
    start_stage: StartStage, traffic: Broker, database_url: str
) -> None:
    flooding, other = (f"t{uuid.uuid4().hex[:12]}" for _ in range(2))
    few = 3 * KEYS
    commands = {
        account: [command(account, f"c{number % KEYS}", number) for number in range(count)]
        for account, count in ((flooding, FLOOD // 2), (other, few))
    }
    for of_account in commands.values():
        traffic.publish([message(one) for one in of_account])

    first = start_stage("deliver", database_url)
    eventually(lambda: bool(ledger(database_url, other)), "something of the other's")
    assert len(ledger(database_url, flooding)) < FLOOD // 2, "the other's came behind the flood"
    first.kill()
    second = start_stage("deliver", database_url)

    for account, of_account in commands.items():
        records = {one.command_id: one.record_id for one in of_account}
        eventually(
            lambda account=account, records=records: (  # type: ignore[misc]
                len(ledger(database_url, account)) >= len(records)
            ),
            f"every command of {account}",
        )
        taken: dict[str, list[str]] = defaultdict(list)
        for command_id in ledger(database_url, account):
            taken[records[command_id]].append(command_id)
        assert taken == {f"c{key}": [one.command_id for one in of_account[key::KEYS]] for key in range(KEYS)}
    second.stop()

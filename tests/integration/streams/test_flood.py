"""One account floods the topics: what another account publishes behind it passes, in every stage."""

import asyncio
import time
import uuid
from collections import defaultdict

import psycopg

from connections import store
from contracts.commands import decode_command
from contracts.events.reader import event_to_kafka
from streams.records import Outgoing, Record
from streams.topics import COMMANDS
from tests.integration.sinks.shops import Maker
from tests.integration.streams.conftest import Broker, StartStage, eventually
from tests.integration.streams.installation import EVENTS_A_SALE, Installation
from tests.reliability.sales import sales

FLOOD = 20_000
"""Events; the benchmark ``flood`` has more."""
KEYS = 20


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

    for account, count in ((other, 2 * few), (flooding, FLOOD)):
        eventually(
            lambda account=account, count=count: (  # type: ignore[misc]
                len({number_of(record) for record in traffic.seen(COMMANDS, account)}) == count
            ),
            f"a command for each event of {account}",
        )
        seen: dict[bytes | None, list[int]] = defaultdict(list)
        for record in traffic.seen(COMMANDS, account):
            if (number := number_of(record)) not in seen[record.key]:
                seen[record.key].append(number)
        assert sorted(seen.values()) == [list(range(key, count, KEYS)) for key in range(KEYS)]
    second.stop()

"""A connection to no database, which notes what it is asked: how often a lane asks, and for what."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import msgspec
from psycopg.pq import TransactionStatus

from connections.addresses import Addresses
from contracts.commands import ContactSnapshot
from sinks.lanes.lane import Lane
from sinks.ledger import exchange_rates, situations
from sinks.ledger import store as ledger
from sinks.ledger.jobs import Job
from sinks.ledger.store import Lease
from sinks.xero.calls import Call, make_call
from sinks.xero.elements import Element, StepKey
from tests.unit.planner.pure import command, entry
from tests.unit.resolve.books import FACTS, NOW, SETTINGS

_NAMES = {
    statement: name
    for statements in (ledger.SQL, situations._SQL, exchange_rates._SQL)
    for name, statement in statements.items()
} | {ledger.SQL["update_commands"] + " RETURNING c.command_id": "update_commands"}

Answer = Callable[[Any], Sequence[Any]]


def _all_updated(parameters: Any) -> list[tuple[str]]:
    return [(row["command_id"],) for row in json.loads(parameters[0])]


@dataclass
class Recording:
    """Answers statements by their names: the fence holds, every update finds its rows, all else is empty."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    """The last parameters of each statement."""
    autocommit: bool = False
    info: Any = field(default_factory=lambda: SimpleNamespace(transaction_status=TransactionStatus.IDLE))

    async def set_autocommit(self, value: bool) -> None:
        self.autocommit = value

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Recording"]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.asked.append("BEGIN")
        yield
        self.asked.append("COMMIT")

    @asynccontextmanager
    async def cursor(self, **_: Any) -> AsyncIterator["_Cursor"]:
        yield _Cursor(self)

    async def execute(self, statement: str, parameters: Any = None, **_: Any) -> "_Cursor":
        cursor = _Cursor(self)
        await cursor.execute(statement, parameters)
        return cursor

    def rows(self, statement: str, parameters: Any) -> Sequence[Any]:
        name = _NAMES.get(statement, statement)
        self.asked.append(name)
        self.given[name] = parameters
        known: dict[str, Answer] = {
            "check_fence": lambda _: [("", 0, False, False)],
            "update_commands": _all_updated,
        }
        return (known | dict(self.answers)).get(name, lambda _: [])(parameters)


@dataclass
class _Cursor:
    recording: Recording
    found: Sequence[Any] = ()

    async def execute(self, statement: str, parameters: Any = None, **_: Any) -> None:
        self.found = self.recording.rows(statement, parameters)

    async def fetchall(self) -> Sequence[Any]:
        return self.found

    async def fetchone(self) -> Any:
        return self.found[0] if self.found else None


@dataclass
class _Session:
    """What a lane knows of its account, without a way to Xero."""

    account: str = "acme"
    connection: Any = None


def new_lane(asked: Recording) -> Lane:
    facts = replace(FACTS, item_codes=frozenset({"SB-ITEM"}))
    connection = SimpleNamespace(settings=SETTINGS, facts=facts, addresses=Addresses())
    session: Any = _Session(connection=connection)
    pool: Any = asked
    return Lane(Lease("acme", 1, 1), pool, session, 1.0)


def customer(number: int) -> Job:
    contact = ContactSnapshot(
        side="customer", record_id=f"c{number}", name=f"Customer {number}", version=NOW, event_time=NOW
    )
    named = command("created", entity="customer", record_id=contact.record_id)
    return Job(entry(msgspec.structs.replace(named, contact=contact), number))


def contacts_sent(lane: Lane, numbers: range, jobs_each: int = 1) -> tuple[Call, list[Job]]:
    """A call that creates these customers, for so many commands each."""
    jobs = []
    for number in numbers:
        body = {"ContactNumber": f"c{number}", "Name": f"Customer {number}"}
        element = Element("contacts.create", "contact", StepKey("contact", f"customer/c{number}"), body)
        for _ in range(jobs_each):
            job = customer(number)
            lane.queue.jobs[job.entry.command_id] = job
            lane.queue.offer(job, element)
            jobs.append(job)
    call = make_call(lane.queue.choose(0.0, lambda now: 0.0))
    lane.queue.take_off(call)
    return call, jobs

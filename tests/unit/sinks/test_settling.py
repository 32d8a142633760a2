"""What a call leaves behind once it has ended, and how often the database is asked for it."""

import asyncio
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from contracts.commands import ContactSnapshot
from contracts.results import Attempt
from sinks.lanes.lane import Lane
from sinks.lanes.settling import Settlement, settle
from sinks.ledger.jobs import Job
from sinks.ledger.store import Lease
from sinks.xero.calls import Call, make_call
from sinks.xero.client import Answer
from sinks.xero.elements import Element, StepKey, encode_body
from sinks.xero.responses import read_answer
from tests.unit.planner.pure import command, entry
from tests.unit.resolve.books import FACTS, NOW, SETTINGS
from tests.unit.sinks.recording import Recording


@dataclass
class _Session:
    """What a lane knows of its account, without a way to Xero."""

    account: str = "acme"
    connection: Any = None


@pytest.fixture
def asked() -> Recording:
    return Recording()


@pytest.fixture
def lane(asked: Recording) -> Lane:
    connection = SimpleNamespace(settings=SETTINGS, facts=replace(FACTS, item_codes=frozenset({"SB-ITEM"})))
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


def answered(call: Call) -> Settlement:
    """Xero has done all that the call asks."""
    done = [{"ContactID": f"x{n}", **(part.element.body or {})} for n, part in enumerate(call.parts)]
    answer = Answer(200, {}, encode_body({"Contacts": done}))
    return Settlement("answered", read_answer(call, answer), NOW, answer, 0.0)


def settled(lane: Lane, call: Call, settlement: Settlement) -> None:
    asyncio.run(settle(lane, call, settlement))


def test_fifty_contacts_ask_the_database_as_often_as_one(lane: Lane, asked: Recording) -> None:
    call, _ = contacts_sent(lane, range(1))
    settled(lane, call, answered(call))
    of_one = asked.asked.copy()
    asked.asked.clear()
    call, _ = contacts_sent(lane, range(1, 50))  # and the first one again, since nothing keeps its link
    assert len(call.parts) == 50
    settled(lane, call, answered(call))
    assert asked.asked == of_one
    assert asked.given["resolve_unknown"]["record_id"] == [f"customer/c{n}" for n in range(50)]


def test_a_call_that_links_no_contact_resolves_none(lane: Lane, asked: Recording) -> None:
    call, _ = contacts_sent(lane, range(2))
    away = Answer(503, {}, b"")
    settled(lane, call, Settlement("answered", read_answer(call, away), NOW, away, 0.0))
    assert "resolve_unknown" not in asked.asked
    assert "upsert_links" not in asked.asked


def test_each_entry_of_an_element_has_its_own_attempt(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Attempt]] = []
    attempted = Job.attempted

    def noted(job: Job, attempt: Attempt) -> None:
        made.append((job.entry.command_id, attempt))
        attempted(job, attempt)

    monkeypatch.setattr(Job, "attempted", noted)
    call, jobs = contacts_sent(lane, range(1), jobs_each=2)
    settled(lane, call, answered(call))
    assert [command_id for command_id, _ in made] == [job.entry.command_id for job in jobs]
    for command_id, attempt in made:
        assert (attempt.attempt_id, attempt.number) == (f"{call.intent_id}:{command_id}", 1)
        assert msgspec.json.decode(attempt.request) == {"ContactNumber": "c0", "Name": "Customer 0"}
        assert msgspec.json.decode(attempt.answer)["ContactID"] == "x0"
        assert (attempt.status, attempt.step) == (200, "contact")

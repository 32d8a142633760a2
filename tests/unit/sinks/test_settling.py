"""What a call leaves behind once it has ended, and how often the database is asked for it."""

import asyncio

import msgspec
import pytest

from contracts.results import Attempt
from sinks.lanes.lane import Lane
from sinks.lanes.settling import Settlement, settle
from sinks.ledger.jobs import Job
from sinks.xero.calls import Call
from sinks.xero.client import Answer
from sinks.xero.elements import encode_body
from sinks.xero.responses import read_answer
from tests.unit.resolve.books import NOW
from tests.unit.sinks.recording import Recording, contacts_sent, new_lane


@pytest.fixture
def asked() -> Recording:
    return Recording()


@pytest.fixture
def lane(asked: Recording) -> Lane:
    return new_lane(asked)


def answered(call: Call) -> Settlement:
    """Xero has done all that the call asks."""
    done = [{"ContactID": f"x{n}", **(part.element.body or {})} for n, part in enumerate(call.parts)]
    answer = Answer(200, {}, encode_body({"Contacts": done}))
    return Settlement("answered", read_answer(call, answer), NOW, answer, 0.0)


def settled(lane: Lane, call: Call, settlement: Settlement) -> None:
    asyncio.run(settle(lane, call, settlement))


def test_a_settled_call_asks_for_each_thing_once(lane: Lane, asked: Recording) -> None:
    call, _ = contacts_sent(lane, range(1))
    settled(lane, call, answered(call))
    keeps = ["conclude_intent", "settle_elements", "links", "resolve_unknown", "upsert_links", "save_account"]
    plans = ["snapshots", "links", "unknown"]
    tells = ["update_commands", "outbox_insert"]
    assert asked.asked == ["BEGIN", "check_fence", *keeps, *plans, *tells, "COMMIT"]


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

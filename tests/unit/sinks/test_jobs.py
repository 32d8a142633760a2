"""What a lane has learnt for a command: who tells the job what, and what it then holds."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from contracts.results import Attempt
from sinks.ledger.jobs import Job
from sinks.planner import Refusal, XeroReads
from sinks.xero.calls import FULL_BATCH
from tests.unit.planner.pure import command, entry
from tests.unit.resolve.books import NOW

READ = XeroReads(invoice={"InvoiceID": "i1"})
FRESH = XeroReads(contact={"ContactID": "c1"})
REFUSAL = Refusal("invoice", "period_locked", {})
OTHER = Refusal("invoice", "tax_type_unknown", {})
ATTEMPT = Attempt(
    attempt_id="a1", number=1, step="invoice", method="PUT", path="/Invoices", started_at=NOW, finished_at=NOW
)


def at_work() -> Job:
    """A job that has read something and was refused."""
    job = Job(entry(command("created"), 1))
    job.learnt(READ)
    job.refused(REFUSAL)
    return job


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (lambda job: job.learnt(FRESH), {"known": FRESH, "refusal": REFUSAL}),
        (lambda job: job.refused(OTHER), {"known": READ, "refusal": OTHER}),
        (lambda job: job.refused(OTHER, FRESH), {"known": FRESH, "refusal": OTHER}),
        (lambda job: job.changed_xero(FRESH), {"known": FRESH, "refusal": None}),
        (lambda job: job.not_done(halve=False), {"known": XeroReads(), "refusal": REFUSAL}),
        (lambda job: job.not_done(halve=True), {"known": XeroReads(), "batch_limit": FULL_BATCH // 2}),
        (lambda job: job.started_over(), {"known": XeroReads(), "refusal": None}),
        (lambda job: job.doubted_facts(), {"known": READ, "refusal": None, "facts_refreshed": True}),
        (lambda job: job.asked_facts(NOW), {"known": READ, "refusal": REFUSAL, "facts_asked_at": NOW}),
        (
            lambda job: job.asked_name_again(),
            {"known": XeroReads(), "refusal": None, "name_asked_again": True},
        ),
        (lambda job: job.queued_for("invoices.create"), {"route": "invoices.create", "known": READ}),
    ],
)
def test_what_a_job_holds_after_each_event(tell: Callable[[Job], None], expected: dict[str, object]) -> None:
    job = at_work()
    tell(job)
    assert {name: getattr(job, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("tell", "acted", "perhaps"),
    [
        (lambda job: job.changed_xero(XeroReads()), True, False),
        (lambda job: job.found_done(), True, False),
        (lambda job: job.perhaps_changed_xero(), False, True),
        (lambda job: job.learnt(FRESH), False, False),
        (lambda job: job.refused(OTHER), False, False),
        (lambda job: job.not_done(halve=True), False, False),
    ],
)
def test_what_counts_as_done_by_it(tell: Callable[[Job], None], acted: bool, perhaps: bool) -> None:
    job = at_work()
    tell(job)
    assert (job.entry.acted, job.entry.perhaps_acted) == (acted, perhaps)


def test_a_batch_is_halved_down_to_one() -> None:
    job = Job(entry(command("created"), 1), batch_limit=5)
    limits = []
    for _ in range(4):
        job.not_done(halve=True)
        limits.append(job.batch_limit)
    assert limits == [2, 1, 1, 1]


def test_what_starts_to_run_is_told_once_with_what_it_stands_for() -> None:
    queued = [replace(entry(command("edited"), seq), state="queued") for seq in (1, 2)]
    job = Job(queued[1])
    job.merged_with(queued[0])
    started = job.started(NOW)
    assert [(e.seq, e.state, e.version, e.started_at) for e in started] == [
        (2, "running", 2, NOW),
        (1, "running", 2, NOW),
    ]
    assert [job.entry, *job.merged] == started
    assert job.started(NOW) == []


def test_attempts_are_published_once_each() -> None:
    job = at_work()
    assert job.told() is None
    job.attempted(ATTEMPT)
    job.attempted(msgspec.structs.replace(ATTEMPT, number=2))
    told = job.told()
    assert told is not None
    assert (told.version, [attempt.number for attempt in told.made]) == (2, [1, 2])
    assert (job.entry.version, job.entry.attempts, job.entry.made) == (2, 2, ())
    assert job.told() is None


def test_a_job_ends_with_its_command() -> None:
    job = at_work()
    end = job.entry.failed(NOW, "period_locked", {})
    job.ended(end)
    assert job.entry is end


@pytest.mark.parametrize("name", ["entry", "merged", "known", "refusal", "route", "batch_limit"])
def test_nobody_else_sets_what_it_holds(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(at_work(), name, None)

"""What a lane has in hand: which elements share a call, which one goes first, and who waits for whom."""

from dataclasses import replace

import msgspec
import pytest

from sinks.lanes.queue import LaneQueue
from sinks.ledger.jobs import Job
from sinks.xero.calls import FULL_BATCH, make_call
from sinks.xero.elements import Element, StepKey
from tests.unit.planner.pure import command, entry


def job(number: int, triggered_by: str = "event") -> Job:
    named = msgspec.structs.replace(command("created"), command_id=f"c{number}")
    return Job(replace(entry(named, number), triggered_by=triggered_by))


def invoice(number: int, **more: object) -> Element:
    return Element("invoices.create", "invoice", StepKey("invoice", f"i{number}"), {}, **more)  # type: ignore[arg-type]


def contact(number: int, name: str, *, shared: bool = False) -> Element:
    claim = StepKey("contact", name)
    return Element(
        "contacts.create", "contact", StepKey("contact", f"k{number}"), {}, claim=claim, shared=shared
    )


def at_once(now: float) -> float:
    return 0.0


@pytest.fixture
def queue() -> LaneQueue:
    return LaneQueue()


def offer(queue: LaneQueue, one: Job, element: Element) -> Job:
    queue.jobs[one.entry.command_id] = one
    queue.offer(one, element)
    return one


def send(queue: LaneQueue) -> list[str]:
    """The records of the next call, which is under way then."""
    chosen = queue.choose(0.0, at_once)
    if chosen:
        queue.take_off(make_call(chosen))
    return [part.element.target.record_id for part in chosen]


def test_elements_of_one_route_share_a_call(queue: LaneQueue) -> None:
    for number in range(3):
        offer(queue, job(number), invoice(number))
    assert send(queue) == ["i0", "i1", "i2"]
    assert (queue.has_queued, queue.has_calls) == (False, True)


def test_jobs_with_the_same_step_are_served_by_one_element(queue: LaneQueue) -> None:
    offer(queue, job(1), invoice(1))
    offer(queue, job(2), invoice(1))
    [element] = queue.choose(0.0, at_once)
    assert element.command_ids == ["c1", "c2"]


def test_another_step_on_the_same_thing_waits_until_it_is_free(queue: LaneQueue) -> None:
    offer(queue, job(1), invoice(1))
    waits = offer(queue, job(2), replace(invoice(1), step="authorise", route="invoices.update"))
    call = make_call(queue.choose(0.0, at_once))
    queue.take_off(call)
    assert send(queue) == []
    assert queue.waiting_for(StepKey("invoice", "i1")) == [waits]
    queue.release(call.held)
    assert (queue.has_calls, queue.waiting_for(StepKey("invoice", "i1"))) == (False, ())


def test_a_name_is_given_by_one_call_at_a_time(queue: LaneQueue) -> None:
    offer(queue, job(1), contact(1, "bolt"))
    waits = offer(queue, job(2), contact(2, "bolt"))
    offer(queue, job(3), contact(3, "nut"))
    assert send(queue) == ["k1", "k3"]
    assert queue.waiting_for(StepKey("contact", "bolt")) == [waits]


def test_what_is_shared_is_asked_once_and_told_to_all(queue: LaneQueue) -> None:
    offer(queue, job(1), contact(1, "bolt", shared=True))
    waits = offer(queue, job(2), contact(1, "bolt", shared=True))
    assert send(queue) == ["k1"]
    assert queue.waiting_for(StepKey("contact", "k1")) == [waits]


def test_payments_go_before_invoices_and_live_work_before_replays(queue: LaneQueue) -> None:
    offer(queue, job(1, "replay"), Element("payments.create", "payment", StepKey("payment", "i1", "p1"), {}))
    offer(queue, job(2), invoice(2))
    offer(queue, job(3), Element("payments.create", "payment", StepKey("payment", "i3", "p3"), {}))
    assert send(queue) == ["i3", "i1"]
    assert send(queue) == ["i2"]


def test_a_full_batch_goes_before_a_partial_one(queue: LaneQueue) -> None:
    offer(queue, job(0), Element("payments.create", "payment", StepKey("payment", "i0", "p0"), {}))
    for number in range(1, FULL_BATCH + 1):
        offer(queue, job(number), invoice(number))
    assert len(send(queue)) == FULL_BATCH
    assert send(queue) == ["i0"]


def test_a_partial_batch_may_wait_to_fill_up(queue: LaneQueue) -> None:
    offer(queue, job(1), invoice(1))
    assert queue.waited(10.0) is None
    assert queue.choose(10.0, lambda now: 5.0) == []
    assert queue.waited(12.0) == 2.0
    assert len(queue.choose(15.0, at_once)) == 1


def test_after_a_refusal_a_batch_is_no_larger_than_its_limit(queue: LaneQueue) -> None:
    for number in range(4):
        offer(queue, Job(job(number).entry, batch_limit=2), invoice(number))
    assert (send(queue), send(queue)) == (["i0", "i1"], ["i2", "i3"])


def test_what_is_dropped_is_forgotten_and_what_is_under_way_stays(queue: LaneQueue) -> None:
    under_way = offer(queue, job(1), contact(1, "bolt"))
    send(queue)
    offer(queue, job(2), contact(2, "bolt"))
    offer(queue, job(3), contact(3, "nut"))
    waits = job(4)
    queue.jobs["c4"] = waits
    queue.wait_for_facts(waits)
    assert [one.entry.command_id for one in queue.idle()] == ["c2", "c3", "c4"]
    queue.drop()
    assert (list(queue.jobs.values()), queue.has_queued, queue.facts_came()) == ([under_way], False, [])
    waits_again = offer(queue, job(5), contact(5, "bolt"))
    assert queue.waiting_for(StepKey("contact", "bolt")) == [waits_again]


def test_a_call_of_an_earlier_lane_holds_what_it_is_about(queue: LaneQueue) -> None:
    other = LaneQueue()
    offer(other, job(1), invoice(1))
    call = make_call(other.choose(0.0, at_once))
    queue.jobs["c1"] = other.jobs["c1"]
    queue.hold(call)
    offer(queue, job(2), invoice(1))
    assert send(queue) == []
    assert queue.served_by([call, call]) == [other.jobs["c1"]]
    assert queue.command_ids == ["c1", "c2"]

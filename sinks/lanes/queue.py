"""The work in a lane's hands: its jobs, elements that wait for a call, calls in progress. Pure."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from sinks.ledger import store as ledger
from sinks.ledger.jobs import Job
from sinks.xero.calls import Call, QueuedElement, first_batch
from sinks.xero.elements import Element, StepKey
from sinks.xero.routes import RouteName

ORDER: tuple[RouteName, ...] = (
    "payments.read",
    "credit_notes.read",
    "invoices.read",
    "contacts.read",
    "contacts.find",
    "contacts.search",
    "contacts.list",
    "contacts.find_number",
    "contacts.find_numbers",
    "invoices.find",
    "credit_notes.find",
    "bills.find",
    "orders.read",
    "orders.find",
    "items.create",
    "payments.remove",
    "refunds.create",
    "payments.create",
    "credit_notes.update",
    "credit_notes.create",
    "orders.update",
    "bills.create",
    "invoices.update",
    "invoices.create",
    "orders.create",
    "contacts.update",
    "contacts.create",
)
"""The order of calls when they are scarce: steps that finish a document before those that begin one."""
_FACTS = StepKey("organisation", "")


class LaneQueue:
    """Jobs by command, and the state of each: queued, in a call, or waiting for something to be free.

    No two calls under way are about the same thing in Xero, and none gives a contact a name that another one
    is just giving.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        """By the id of the command that stands for the job."""
        self._queued: dict[RouteName, OrderedDict[StepKey, QueuedElement]] = {r: OrderedDict() for r in ORDER}
        self._in_flight: dict[StepKey, Call] = {}
        self._waiting: dict[StepKey, list[Job]] = {}
        self._claimed: dict[StepKey, StepKey] = {}
        """Names that a contact is being given, and the step that gives them."""
        self._partial_since: float | None = None
        self._partial_turn = ledger.LIVE

    @property
    def has_queued(self) -> bool:
        """True while an element waits for a call."""
        return any(self._queued.values())

    @property
    def has_calls(self) -> bool:
        """True while a call is in progress."""
        return bool(self._in_flight)

    @property
    def command_ids(self) -> list[str]:
        """All commands in hand, including merged ones."""
        return [command_id for job in self.jobs.values() for command_id in job.ids]

    def offer(self, job: Job, element: Element) -> None:
        """Queue the next step of a job: together with another one that takes the same step, or behind
        anything about the same target.
        """
        target, claim = element.target, element.claim
        job.queued_for(element.route)
        queue = self._queued[element.route]
        queued = queue.get(target)
        if claim is not None and self._claimed.get(claim, target) != target:
            self._waiting.setdefault(claim, []).append(job)
        elif queued is not None and queued.element.step == element.step and not element.shared:
            queued.command_ids.append(job.entry.command_id)
        elif target in self._in_flight or any(target in other for other in self._queued.values()):
            self._waiting.setdefault(target, []).append(job)
        else:
            queue[target] = QueuedElement(element, [job.entry.command_id], job.batch_limit)
            if claim is not None:
                self._claimed[claim] = target

    def choose(self, now: float, linger: Callable[[float], float]) -> list[QueuedElement]:
        """Choose the elements of the next call: live ones before those of retries and replays; a full batch
        of any route, else a partial one when it is not worth waiting for more.

        Args:
            linger: seconds for which a partial batch should still wait to fill up; asked at ``now``.
        """
        queued = {route: sorted(self._queued[route].values(), key=self._turn) for route in ORDER}
        first = {route: self._turn(elements[0]) for route, elements in queued.items() if elements}
        partial: list[QueuedElement] = []
        for route in sorted(first, key=first.__getitem__):
            if partial and first[route] > self._partial_turn:
                self._partial_since = self._partial_since or now
                if linger(now) <= 0:
                    break
            cut, more = first_batch(queued[route])
            if more or len(cut) >= cut[0].limit:
                return cut
            if not partial:
                partial, self._partial_turn = cut, first[route]
        if not partial:
            self._partial_since = None
            return []
        self._partial_since = self._partial_since or now
        return [] if linger(now) > 0 else partial

    def waited(self, now: float) -> float | None:
        """Return the seconds for which a partial batch has been waiting; None if there is none."""
        return None if self._partial_since is None else now - self._partial_since

    @property
    def partial_turn(self) -> int:
        """The turn of the partial batch that waits."""
        return self._partial_turn

    def take_off(self, call: Call) -> None:
        """Count the call as under way: its elements wait no longer."""
        for part in call.parts:
            del self._queued[part.element.route][part.element.target]
        self.hold(call)

    def hold(self, call: Call) -> None:
        """Count the call, which was queued by an earlier lane, as under way."""
        for target in call.targets:
            self._in_flight[target] = call

    def served_by(self, calls: Iterable[Call]) -> list[Job]:
        """Return the jobs of these calls, each once."""
        ids = dict.fromkeys(i for call in calls for part in call.parts for i in part.command_ids)
        return [self.jobs[i] for i in ids]

    def waiting_for(self, key: StepKey | None) -> Sequence[Job]:
        """Return the jobs that wait until this thing, or this name, is free."""
        return () if key is None else self._waiting.get(key, ())

    def release(self, keys: Iterable[StepKey]) -> None:
        """Let go of the targets of a call; the caller offers the jobs that waited for them again."""
        for key in keys:
            self._in_flight.pop(key, None)
            self._claimed.pop(key, None)
            self._waiting.pop(key, None)

    def wait_for_facts(self, job: Job) -> None:
        """Keep the job until the organisation was asked about."""
        self._waiting.setdefault(_FACTS, []).append(job)

    def facts_came(self) -> list[Job]:
        """Return the jobs that waited for it."""
        return self._waiting.pop(_FACTS, [])

    def idle(self) -> list[Job]:
        """Return the jobs that no call under way serves."""
        busy = {i for call in self._in_flight.values() for part in call.parts for i in part.command_ids}
        return [job for i, job in self.jobs.items() if i not in busy]

    def drop(self) -> None:
        """Forget everything that is not in a call."""
        for queue in self._queued.values():
            for queued in queue.values():
                self._forget(queued.command_ids)
            queue.clear()
        for jobs in self._waiting.values():
            self._forget(job.entry.command_id for job in jobs)
        self._waiting.clear()
        held = {key for call in self._in_flight.values() for key in call.held}
        self._claimed = {claim: target for claim, target in self._claimed.items() if claim in held}

    def _forget(self, command_ids: Iterable[str]) -> None:
        for command_id in command_ids:
            self.jobs.pop(command_id, None)

    def _turn(self, queued: QueuedElement) -> int:
        return min(ledger.turn(self.jobs[command_id].entry) for command_id in queued.command_ids)

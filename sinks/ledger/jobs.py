"""Jobs: commands in a lane's hands, with everything learnt for each of them so far. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from contracts.results import Attempt
from sinks.ledger.entries import Entry, now_utc
from sinks.planner import Refusal, XeroReads, effects
from sinks.xero.calls import FULL_BATCH
from sinks.xero.elements import Element, Link
from sinks.xero.responses import Result
from sinks.xero.routes import ROUTES, RouteName


class Job:
    """A command in a lane's hands.

    Nobody else changes its fields: planner, queue and settlement tell it what happened, each in one method.
    """

    __slots__ = (
        "_batch_limit",
        "_entry",
        "_facts_asked_at",
        "_facts_refreshed",
        "_known",
        "_merged",
        "_name_asked_again",
        "_refusal",
        "_route",
    )

    def __init__(self, entry: Entry, merged: Iterable[Entry] = (), batch_limit: int = FULL_BATCH) -> None:
        self._entry = entry
        self._merged = tuple(merged)
        self._batch_limit = batch_limit
        self._known = XeroReads()
        self._refusal: Refusal | None = None
        self._route: RouteName | None = None
        self._facts_refreshed = False
        self._facts_asked_at: datetime | None = None
        self._name_asked_again = False

    @property
    def entry(self) -> Entry:
        """The command and its state."""
        return self._entry

    @property
    def merged(self) -> tuple[Entry, ...]:
        """Snapshots of the record that were merged into this one: they end as it ends."""
        return self._merged

    @property
    def known(self) -> XeroReads:
        """The data read from Xero for it that is still fresh."""
        return self._known

    @property
    def refusal(self) -> Refusal | None:
        """Xero's last refusal; None once something was done since."""
        return self._refusal

    @property
    def route(self) -> RouteName | None:
        """The route of its next step; None before it has one."""
        return self._route

    @property
    def batch_limit(self) -> int:
        """Elements that a call with it may carry."""
        return self._batch_limit

    @property
    def facts_refreshed(self) -> bool:
        """True once the organisation was asked about because a failure might only mean old facts."""
        return self._facts_refreshed

    @property
    def facts_asked_at(self) -> datetime | None:
        """When the organisation was asked about because of a step that cannot be undone."""
        return self._facts_asked_at

    @property
    def name_asked_again(self) -> bool:
        """True once a taken name that no contact has was looked up a second time."""
        return self._name_asked_again

    @property
    def ids(self) -> list[str]:
        """The command ids in this job."""
        return [self._entry.command_id, *(entry.command_id for entry in self._merged)]

    # Taken up, queued, sent

    def merged_with(self, entry: Entry) -> None:
        """Take over one more snapshot of the record."""
        self._merged = (*self._merged, entry)

    def queued_for(self, route: RouteName) -> None:
        """Note that its next step waits for a call of this route."""
        self._route = route

    def started(self, now: datetime) -> list[Entry]:
        """Note that a call is about to be sent for it. Return the entries that run from here on; empty if it
        ran before.
        """
        if self._entry.state == "running":
            return []
        self._entry = self._entry.running(now)
        self._merged = tuple(entry.running(now) for entry in self._merged)
        return [self._entry, *self._merged]

    # Results of calls

    def attempted(self, attempt: Attempt) -> None:
        """Note that a call has ended: its attempt is published with the entry's next version."""
        made = (*self._entry.made, attempt)
        self._entry = replace(self._entry, attempts=self._entry.attempts + 1, made=made)

    def learnt(self, known: XeroReads) -> None:
        """Note that something was read. A look-up does not clear the refusal that it was made for."""
        self._known = known

    def changed_xero(self, known: XeroReads) -> None:
        """Note that Xero did what it was asked: earlier refusals no longer count."""
        self._entry = replace(self._entry, acted=True)
        self._known, self._refusal = known, None

    def perhaps_changed_xero(self) -> None:
        """Note that Xero may have done what it was asked, although no response said so: an object found later
        is ours.
        """
        self._entry = replace(self._entry, perhaps_acted=True)

    def refused(self, refusal: Refusal, known: XeroReads | None = None) -> None:
        """Note that Xero did not do what it was asked, for this job or for another one that asked the same.

        Args:
            known: the reads that are still fresh; None: all of them.
        """
        self._refusal = refusal
        if known is not None:
            self._known = known

    def not_done(self, *, halve: bool) -> None:
        """Note that the result is unknown: all is read again, in calls of half the size if ``halve``."""
        self._known = XeroReads()
        if halve:
            self._batch_limit = max(1, self._batch_limit // 2)

    # Decisions of the planner

    def found_done(self) -> None:
        """Note that another action's call did what this one set out to do."""
        self._entry = replace(self._entry, acted=True)

    def started_over(self) -> None:
        """Forget everything read and refused so far: it was about something else."""
        self._known, self._refusal = XeroReads(), None

    def asked_facts(self, now: datetime) -> None:
        """Note that the organisation is read again before a step that cannot be undone."""
        self._facts_asked_at = now

    def doubted_facts(self) -> None:
        """Note that the organisation is read again, once, since a failure may only mean old facts."""
        self._facts_refreshed = True
        self._refusal = None

    def asked_name_again(self) -> None:
        """Note that a taken name that no contact has is looked up once more."""
        self._name_asked_again = True
        self.started_over()

    def told(self) -> Entry | None:
        """Return the new version that publishes the attempts so far, since another step follows; None if
        there are none.
        """
        if not self._entry.made:
            return None
        told = replace(self._entry, version=self._entry.version + 1, at=None)
        self._entry = replace(told, made=())
        return told

    def ended(self, entry: Entry) -> None:
        """Note that the command completed, failed, or waits: ``entry`` is its new version."""
        self._entry = entry


def apply(element: Element, result: Result, jobs: Sequence[Job], link: Link | None) -> Link | None:
    """Tell ``jobs``, which the element served, the result.

    Args:
        link: the present link of the element's target.

    Returns:
        the target's link as it must be kept now; None if it does not change.
    """
    change = effects.Change(element, result, jobs[0].entry.seq, link)
    if result.verdict == "refused":
        if effects.is_taken_off_already(change):
            return effects.link_after(change)
        for job in jobs:
            known = effects.known_after_refusal(job.known, element)
            job.refused(effects.refusal_of(element, result), known)
        return effects.link_after_refusal(change, now_utc())
    if result.verdict != "ok":
        for job in jobs:
            job.not_done(halve=result.halve or result.verdict == "split")
        return None
    for job in jobs:
        known = effects.learn(job.known, element, result)
        if ROUTES[element.route].reads:
            job.learnt(known)
        else:
            job.changed_xero(known)
    return effects.link_after(change)

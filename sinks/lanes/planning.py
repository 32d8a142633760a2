"""Plan a set of commands and write down the result, in one transaction of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from connections.addresses import Addresses
from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.reasons import ReasonCode, render
from contracts.results import Outcome
from sinks.lanes.breaker import Breaker
from sinks.lanes.stumbles import Stumbles
from sinks.ledger import store as ledger
from sinks.ledger.entries import Entry, describe, now_utc, result_of
from sinks.ledger.jobs import Job
from sinks.ledger.namesakes import Namesakes
from sinks.ledger.situations import situations
from sinks.planner import (
    AskFacts,
    Done,
    Fail,
    Learn,
    Plan,
    Send,
    Situation,
    Wait,
    half_way,
    known_details,
    plan,
)
from sinks.planner.contradictions import contradictions
from sinks.xero.elements import Element, Link, StepKey
from sinks.xero.routes import ROUTES

log = structlog.stdlib.get_logger(__name__)

_FACT_CODES = frozenset(
    {
        "period_locked",
        "account_code_unknown",
        "account_code_archived",
        "payment_account_unknown",
        "payment_account_not_payable",
        "tax_type_unknown",
        "tax_type_unfit",
        "item_code_invalid",
        "item_code_taken",
        "item_tracked",
        "currency_not_enabled",
    }
)
"""Reasons that may only mean that the organisation was changed since we last asked about it."""
_SUPERSEDES = {
    "": (),
    "snapshots": ("created", "edited"),
    "money": ("payment_applied", "refund_applied"),
    "receipts": ("received",),
    "order": ("created", "edited", "received"),
    "transaction": ("payment_applied", "refund_applied"),
}
_MOST_PLANS = 20
_LAST_POSITION = 2**63 - 1
_DOUBT_AGAIN_AFTER = timedelta(minutes=10)


@dataclass(slots=True)
class PlanResult:
    """The result of planning."""

    sends: list[tuple[Job, Element]] = field(default_factory=list)
    ended: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    stale_facts: list[Job] = field(default_factory=list)
    """Jobs that failed because of what we believe about the organisation: ask Xero, then plan once more."""
    old_books: list[Job] = field(default_factory=list)
    """Jobs whose next step cannot be undone: ask Xero which periods are closed, then plan once more."""


@dataclass(frozen=True, slots=True)
class PlanningPass:
    """The account's settings and facts at the time of planning."""

    account: str
    settings: Settings
    facts: OrganisationFacts
    facts_may_be_stale: bool
    doubted: dict[str, datetime] = field(default_factory=dict)
    """By reason code for which Xero was asked although the facts were new: the time of those facts."""
    breaker: Breaker = field(default_factory=Breaker)
    stumbles: Stumbles = field(default_factory=Stumbles)
    names: Namesakes = field(default_factory=Namesakes)

    async def advance(self, connection: ledger.Connection, jobs: Sequence[Job]) -> PlanResult:
        """Plan every job until it has a next step, waits, or ends; write links, states and results.

        Runs in the caller's transaction, which holds the fence.
        """
        outcome = PlanResult()
        writer = _Writer(self)
        pending = list(jobs)
        for _ in range(_MOST_PLANS):
            if not pending:
                break
            pending = await self._plan_once(connection, pending, outcome, writer)
        for job in pending:
            writer.end(
                job,
                job.entry.failed(now_utc(), "our_error", {"message": "planning does not come to an end"}),
            )
            outcome.ended.append(job)
        await writer.write(connection)
        return outcome

    async def _plan_once(
        self, connection: ledger.Connection, jobs: list[Job], outcome: PlanResult, writer: "_Writer"
    ) -> list[Job]:
        """Act on one plan each; return those that learnt something and must be planned again."""
        found = await situations(connection, self.account, jobs, self.settings, self.facts, self.names)
        again: list[Job] = []
        learnt: dict[StepKey, Link] = {}
        for job, situation in zip(jobs, found, strict=True):
            if self.breaker.why and job.entry.state == "queued":
                outcome.waiting.append(job)  # stays in the queue unchanged
                continue
            step = self._unless_xero_stumbles(job, _plan(situation))
            if isinstance(step, Send):
                outcome.sends.append((job, step.element))
                writer.progress(job)
            elif isinstance(step, Learn):
                learnt |= {link.target: link for link in step.links}
                self._forget_what_is_gone(step.links)
                await ledger.resolve_unknown(connection, self.account, step.resolved)
                if step.acted:
                    job.found_done()
                if step.afresh:
                    job.started_over()
                again.append(job)
            elif isinstance(step, AskFacts):
                job.asked_facts(now_utc())
                outcome.old_books.append(job)
            elif isinstance(step, Wait):
                writer.end(job, job.entry.waiting(step.until, step.code, {"step": job.entry.command.action}))
                outcome.waiting.append(job)
            elif isinstance(step, Fail) and self._worth_asking(job, step):
                job.doubted_facts()
                outcome.stale_facts.append(job)
            elif isinstance(step, Fail) and _name_may_be_free(job, step):
                job.asked_name_again()
                again.append(job)
            elif isinstance(step, Fail) and self.breaker.holds_back(step.code):
                writer.end(job, job.entry.waiting(None, "account_paused", {"message": self.breaker.why}))
                outcome.waiting.append(job)
            else:
                writer.conclude(job, step, situation)
                outcome.ended.append(job)
        await ledger.write_links(connection, self.account, learnt.values())
        return again

    def _forget_what_is_gone(self, links: Sequence[Link]) -> None:
        """Forget a contact that Xero no longer has: it is nobody's namesake."""
        for link in links:
            if link.removed and link.target.kind == "contact":
                self.names.forget(link.xero_id)

    def _unless_xero_stumbles(self, job: Job, step: Plan) -> Plan:
        """Return the step, or the end of a command that would be sent once more although Xero stumbles over
        it alone.
        """
        status = self.stumbles.status(job.entry.command_id)
        if status is None or not isinstance(step, Send) or ROUTES[step.element.route].reads:
            return step
        return Fail("xero_stumbles", {"status": f"HTTP {status}"})

    def _worth_asking(self, job: Job, step: Fail) -> bool:
        """Return True if the failure may only mean that the organisation was changed since we asked about it.

        The person who retries may just have fixed it. If Xero itself refused something against the facts,
        they are wrong or insufficient: that is checked once in a while, not for every document.
        """
        if step.code not in _FACT_CODES or job.facts_refreshed:
            return False
        if self.facts_may_be_stale or job.entry.revision > 0:
            return True
        if job.refusal is None:
            return False
        asked = self.doubted.setdefault(step.code, self.facts.fetched_at)
        if self.facts.fetched_at - asked > _DOUBT_AGAIN_AFTER:
            self.doubted[step.code] = asked = self.facts.fetched_at
        return asked == self.facts.fetched_at


def _name_may_be_free(job: Job, step: Fail) -> bool:
    """Return True if Xero said that a contact's name is taken, and then showed none that has it: the contact
    was renamed or archived in between, perhaps by another of our commands. Xero is asked once more, not for
    ever.
    """
    looked_up = job.known.contact_by_name is not None
    return step.code == "contact_name_unseen" and looked_up and not job.name_asked_again


def _plan(situation: Situation) -> Plan:
    """Fail a command that a bug keeps from being planned, with ``our_error``: it must not stop the others."""
    try:
        return plan(situation)
    except Exception as error:
        log.exception("planning broke", command=situation.command.command_id)
        return Fail("our_error", {"message": f"{type(error).__name__}: {error}"})


def _reach(entry: Entry) -> Entry:
    """Return the entry at the position up to which it resolves failures. A retried snapshot action has sent
    the newest known snapshot, and thereby all earlier ones, too.
    """
    if entry.revision > 0 and entry.command.action in _SUPERSEDES["snapshots"]:
        return replace(entry, seq=_LAST_POSITION)
    return entry


_NOT_FOR_CONTENT = _FACT_CODES | {"needs_review", "our_error", "not_connected"}


def _can_stand_alone(situation: Situation, code: ReasonCode) -> bool:
    """Return True if the snapshots merged into a refused one are planned by themselves: it was refused for
    its content, and an older one that is sent can still be changed later.
    """
    if code in _NOT_FOR_CONTENT:
        return False
    in_xero = situation.invoice_link is not None or situation.order_link is not None
    if in_xero or situation.command.entity != "invoice":
        return True
    return situation.settings.invoice_status == "draft" or situation.settings.edit_authorised == "push"


def _failed_with(merged: Entry, now: datetime, entry: Entry) -> Entry:
    """Return the entries merged into one that failed: a create says that it was not its own content."""
    code = entry.reason_code or "our_error"
    if merged.command.action != "created" or code in _NOT_FOR_CONTENT:
        return merged.failed(now, code, entry.reason_args)
    newer = render(code, {"document": describe(entry.command), **entry.reason_args})[0]
    return merged.failed(now, "newer_version_refused", {"newer": newer})


class _Writer:
    """Collects entries at their new versions and writes them with their results."""

    def __init__(self, planning_pass: PlanningPass) -> None:
        self._pass = planning_pass
        self._entries: list[Entry] = []
        self._superseding: list[tuple[Entry, Sequence[str]]] = []
        self._all_money: list[Entry] = []
        """Entries that resolve all failed payments and refunds before them."""
        self._told: list[Entry] = []
        """Payments and refunds, each of which resolves the earlier failures of its own transaction."""

    def end(self, job: Job, entry: Entry, alone: bool = False) -> None:
        """Keep ``entry``, the new version of the job's; the entries merged into it go along, or are planned
        by themselves if they can stand ``alone``.
        """
        job.ended(entry)
        self._entries.append(entry)
        now = now_utc()
        speaks_for: Outcome = "before_cutoff" if entry.outcome == "before_cutoff" else "superseded"
        for merged in job.merged:
            if entry.state == "completed":
                self._entries.append(merged.completed(now, speaks_for))
            elif entry.state == "failed":
                self._entries.append(merged.back_in_queue() if alone else _failed_with(merged, now, entry))
            else:
                self._entries.append(
                    merged.waiting(
                        entry.next_attempt_at, entry.reason_code or "xero_unavailable", entry.reason_args
                    )
                )

    def progress(self, job: Job) -> None:
        """Record an attempt that another step follows."""
        told = job.told()
        if told is not None:
            self._entries.append(told)

    def conclude(self, job: Job, step: Plan, situation: Situation) -> None:
        """Finish the job."""
        entry = job.entry
        now = now_utc()
        if isinstance(step, Done):
            outcome = step.outcome or ("posted" if entry.acted else "already_there")
            if outcome == "already_there" and entry.perhaps_acted:
                outcome = "posted"  # the object that it found was made by an earlier call of its own
            if outcome == "posted":
                self._pass.breaker.posted()
            told = contradictions(entry.command, now) if outcome in ("posted", "already_there") else ()
            warnings = tuple(dict.fromkeys((*step.warnings, *told)))
            self.end(job, entry.completed(now, outcome, step.link, warnings))
            for word in step.supersedes.split():
                self._superseding.append((_reach(job.entry), _SUPERSEDES[word]))
                if word == "money":
                    self._all_money.append(job.entry)
                elif word == "transaction":
                    self._told.append(job.entry)
        elif isinstance(step, Fail):
            details = known_details(situation) | {k: v for k, v in step.details.items() if v.strip()}
            details |= half_way(situation)
            self.end(job, entry.failed(now, step.code, details), _can_stand_alone(situation, step.code))
            self._pass.breaker.failed(step.code, details.get("message", ""))

    async def write(self, connection: ledger.Connection) -> None:
        """Write everything collected, in the caller's transaction."""
        earlier = [
            entry
            for entry in await ledger.earlier_failed(connection, self._pass.account, self._superseding)
            if self._ends(entry)
        ]
        known = {entry.command_id for entry in self._entries}
        now = now_utc()
        unique = {e.command_id: e for e in earlier if e.command_id not in known}
        self._entries += [entry.completed(now, "superseded") for entry in unique.values()]
        addresses = Addresses.of(self._pass.settings, self._pass.facts.short_code)
        await write_and_publish(connection, self._entries, addresses)

    def _ends(self, failed: Entry) -> bool:
        """Return True if something resolves ``failed``: for a payment or refund, a later entry that resolves
        all money of its record, or a later event of its transaction.
        """
        if failed.command.action not in _SUPERSEDES["money"]:
            return True
        if any(done.record == failed.record and done.seq > failed.seq for done in self._all_money):
            return True
        return any(_tells_again(done, failed) for done in self._told)


def _tells_again(done: Entry, failed: Entry) -> bool:
    """Return True if ``done`` is a later event of the same transaction as ``failed``."""
    own, other = done.command, failed.command
    return (
        done.record == failed.record
        and done.seq > failed.seq
        and own.action == other.action
        and own.transaction is not None
        and other.transaction is not None
        and own.transaction.transaction_id == other.transaction.transaction_id
        and own.event.time >= other.event.time
    )


async def write_and_publish(
    connection: ledger.Connection, entries: Sequence[Entry], addresses: Addresses
) -> set[str]:
    """Write entries at their new versions into the ledger, and the results for the log into the outbox.

    Returns the ids of those that were written: an entry that an operator changed in between is not written.
    """
    written = await ledger.write_entries(connection, entries)
    kept = [entry for entry in entries if entry.command_id in written]
    results = [result_of(entry, addresses) for entry in kept]
    await ledger.publish_later(connection, results, [entry.command.key for entry in kept])
    return written

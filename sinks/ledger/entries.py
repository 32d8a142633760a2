"""A ledger row in memory: one command, its state, and the result that reports it to the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from connections.addresses import Addresses
from contracts.commands import Command, EventRef, decode_command, transaction_of
from contracts.reasons import ReasonCode, cause_of, render
from contracts.results import Attempt, EntryResult, Outcome, State, Step, Warning
from runtime.database import Row
from sinks.ledger.packing import unpack
from sinks.xero.elements import Link
from sinks.xero.links import xero_page

_XERO_AMOUNT = "xero_amount"
"""Among the details of an entry that was already there: its amount in Xero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command and its state. Every change makes a new version, which is published."""

    seq: int
    command: Command
    state: State
    outcome: Outcome | None
    reason_code: ReasonCode | None
    reason_args: Mapping[str, str]
    warnings: tuple[Warning, ...]
    acted: bool
    """True if a call of the command has changed something in Xero."""
    attempts: int
    revision: int
    version: int
    next_attempt_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    xero_type: str
    xero_id: str
    xero_number: str
    triggered_by: str
    actor: str
    perhaps_acted: bool = False
    """True if one of its calls may have changed something: it got no response, or an error of Xero's own."""
    first_triggered_by: str | None = None
    """What set it off first, and who, once something else has set it off again."""
    first_actor: str | None = None
    made: tuple[Attempt, ...] = field(default=())
    """Attempts that are not published yet."""
    at: datetime | None = field(default=None, compare=False)
    """When it came to this state, where neither start nor end says so."""

    @property
    def command_id(self) -> str:
        """The command's and the log entry's id."""
        return self.command.command_id

    @property
    def record(self) -> tuple[str, str]:
        """Entity and record id: the unit of order."""
        return self.command.entity, self.command.record_id

    def running(self, now: datetime) -> "Entry":
        """Return the entry as running: a lane is working on it."""
        return replace(
            self,
            state="running",
            version=self.version + 1,
            started_at=self.started_at or now,
            next_attempt_at=None,
            reason_code=None,
            reason_args={},
            at=now if self.started_at else None,
        )

    def waiting(self, until: datetime | None, code: ReasonCode, details: Mapping[str, str]) -> "Entry":
        """Return the entry as queued again, with the reason for the wait."""
        return replace(
            self,
            state="queued",
            version=self.version + 1,
            next_attempt_at=until,
            reason_code=code,
            reason_args=dict(details),
            at=now_utc(),
        )

    def back_in_queue(self) -> "Entry":
        """Return the entry as queued again: no lane is working on it, and nothing holds it."""
        return replace(
            self, state="queued", version=self.version + 1, reason_code=None, reason_args={}, at=now_utc()
        )

    def completed(
        self, now: datetime, outcome: Outcome, link: Link | None = None, warnings: Sequence[Warning] = ()
    ) -> "Entry":
        """Return the entry as completed: Xero has the desired state, or does not need it. An object that was
        already there is shown with its amount there, if the event has an amount at all.
        """
        told = outcome == "already_there" and self.command.amount is not None
        there = link.xero_amount if link is not None and told else None
        return replace(
            self,
            state="completed",
            outcome=outcome,
            version=self.version + 1,
            started_at=self.started_at or now,
            finished_at=now,
            next_attempt_at=None,
            at=None,
            reason_code=None,
            reason_args={} if there is None else {_XERO_AMOUNT: str(there)},
            warnings=tuple(warnings),
            xero_type=link.target.kind if link else self.xero_type,
            xero_id=link.xero_id if link else self.xero_id,
            xero_number=link.xero_number if link else self.xero_number,
        )

    def failed(self, now: datetime, code: ReasonCode, details: Mapping[str, str]) -> "Entry":
        """Return the entry as failed: it cannot be done until somebody acts."""
        return replace(
            self,
            state="failed",
            outcome=None,
            version=self.version + 1,
            started_at=self.started_at or now,
            finished_at=now,
            next_attempt_at=None,
            at=None,
            reason_code=code,
            reason_args=dict(details),
        )


def entry_of_row(row: Row) -> Entry:
    """Return a row of ``ledger.commands`` as selected by the ledger's statements."""
    return _entry(row, decode_command(unpack(bytes(row["body"]))))


def entry_of_archived(row: Row) -> Entry:
    """Return a whole row of ``ledger.commands`` whose action is in the archive: with its place in the record
    and its transaction, without snapshots, number, party and amount.
    """
    event = EventRef(id="", type="", source="", time=row["event_time"], content_hash=row["content_hash"])
    command = Command(
        command_id=str(row["command_id"]),
        account=row["account"],
        entity=row["entity"],
        record_id=row["record_id"],
        action=row["action"],
        event=event,
        transaction=transaction_of(unpack(bytes(row["body"]))),
    )
    return _entry(row, command)


def _entry(row: Row, command: Command) -> Entry:
    return Entry(
        **{name: row[name] for name in COLUMNS},
        command=command,
        reason_args=row["reason_args"],
        warnings=tuple(msgspec.convert(row["warnings"], list[Warning])),
    )


COLUMNS = (
    "seq",
    "state",
    "outcome",
    "reason_code",
    "acted",
    "perhaps_acted",
    "attempts",
    "revision",
    "version",
    "next_attempt_at",
    "queued_at",
    "started_at",
    "finished_at",
    "xero_type",
    "xero_id",
    "xero_number",
    "triggered_by",
    "actor",
    "first_triggered_by",
    "first_actor",
)
"""Columns of ``ledger.commands`` that an entry has unchanged."""


def result_of(entry: Entry, addresses: Addresses, history: Sequence[Step] = ()) -> EntryResult:
    """Return the entry as ``integration.results`` carries it, with the addresses of its account's
    connection.
    """
    command = entry.command
    reason, remedy, cause = _explained(entry)
    return EntryResult(
        entry_id=entry.command_id,
        version=entry.version,
        account=command.account,
        entity=command.entity,
        record_id=command.record_id,
        record_number=command.record_number,
        action=command.action,
        state=entry.state,
        outcome=entry.outcome,
        reason_code=entry.reason_code,
        reason=reason,
        remedy=remedy,
        warnings=entry.warnings,
        party_name=command.party_name,
        amount=_amount(entry),
        currency=command.currency,
        reference=command.reference,
        salesbinder_url=addresses.shown(command.account, command.entity, command.record_id),
        attempts=entry.attempts,
        next_attempt_at=entry.next_attempt_at,
        queued_at=entry.queued_at,
        started_at=entry.started_at,
        finished_at=entry.finished_at,
        xero_type=entry.xero_type,
        xero_id=entry.xero_id,
        xero_number=entry.xero_number,
        xero_url=xero_page(entry.xero_type, entry.xero_id, addresses.short_code),
        event_id=command.event.id,
        event_type=command.event.type,
        event_time=command.event.time,
        topic=command.event.topic,
        partition=command.event.partition,
        offset=command.event.offset,
        triggered_by=entry.triggered_by,
        actor=entry.actor,
        cause=cause,
        made=entry.made,
        at=entry.at,
        first_triggered_by=entry.first_triggered_by,
        first_actor=entry.first_actor,
        history=tuple(history),
    )


def step_of_row(entry: Entry, row: Row) -> Step:
    """Return a row of ``ledger.steps``, a step of the entry, in words."""
    then = replace(entry, reason_code=row["reason_code"], reason_args=row["reason_args"])
    reason, remedy, _ = _explained(then)
    notes = [warning["text"] for warning in row["warnings"] if warning["code"] == "skipped"]
    said = " ".join(notes) if row["step"] == "skipped" else reason
    return Step(
        version=row["version"],
        at=row["at"],
        step=row["step"],
        outcome=row["outcome"],
        reason_code=row["reason_code"],
        reason=said[:_MOST_TOLD],
        remedy=remedy[:_MOST_TOLD],
        triggered_by=row["triggered_by"],
        actor=row["actor"],
    )


_MOST_TOLD = 2000
"""Characters of a step's texts: up to a hundred steps go in one message, which Kafka must take."""


def describe(command: Command) -> str:
    """Return the record in a bookkeeper's words: ``invoice 1042``, ``customer Bolt & Co``."""
    name = command.record_number or command.party_name or command.record_id
    if command.entity in ("customer", "supplier"):
        name = command.party_name or command.record_number or command.record_id
    return f"{command.entity.replace('_', ' ')} {name}"


def _amount(entry: Entry) -> Decimal | None:
    there = entry.reason_args.get(_XERO_AMOUNT) if entry.outcome == "already_there" else None
    return entry.command.amount if there is None else Decimal(there)


def _explained(entry: Entry) -> tuple[str, str, str]:
    """Return sentence, remedy and cause."""
    if entry.reason_code is None:
        return "", "", ""
    command = entry.command
    known = {
        "account": command.account,
        "document": describe(command),
        "number": command.record_number,
        "action": command.action.replace("_", " "),
        "entity": command.entity.replace("_", " "),
        "event_id": command.event.id,
        "entry": entry.command_id,
        "name": command.party_name,
        "amount": "" if command.amount is None else str(command.amount),
    }
    details = {k: v for k, v in known.items() if v} | dict(entry.reason_args)
    reason, remedy = render(entry.reason_code, details)
    if off := details.get("taken_off"):
        reason = f"{reason} Taken off already: {off}; still there: {details.get('standing', '')}."
    return reason, remedy, cause_of(entry.reason_code, details)


def now_utc() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(UTC)

"""The known history of a record: its actions in order, and their results. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts.commands import Command
from contracts.json import JsonObject
from sinks.drift.compare import Sent
from sinks.planner.documents import GONE
from sinks.xero.elements import StepKey

IN_XERO = ("posted", "already_there")
"""Outcomes after which Xero has the state that the action asked for."""
TAKES_OUT = ("cancelled", "deleted")
_PURCHASES = ("purchase_order", "bill")


@dataclass(frozen=True, slots=True)
class Said:
    """One action of a record, and how it ended."""

    seq: int
    """Its position."""
    command_id: str
    state: str
    outcome: str
    reason_code: str
    command: Command
    share: Decimal | None = None
    """The amount of a payment or refund in Xero, if it has been fixed."""
    xero_type: str = ""
    """The type of its object in Xero, according to the log."""
    warned: tuple[str, ...] = ()
    """Codes of the warnings on its entry."""

    @property
    def action(self) -> str:
        """As of the command."""
        return self.command.action

    @property
    def time(self) -> datetime:
        """When it happened in SalesBinder."""
        return self.command.event.time

    @property
    def is_in_xero(self) -> bool:
        """True if Xero has it according to the log."""
        return self.state == "completed" and self.outcome in IN_XERO

    @property
    def is_skipped(self) -> bool:
        """True if an operator has ended it."""
        return self.outcome == "skipped_by_operator"

    @property
    def is_pending(self) -> bool:
        """True if it failed or has not ended, so that the log does not say that Xero has it."""
        return self.state != "completed"

    @property
    def words(self) -> str:
        """The entry and its state, in words."""
        how = f"failed ({self.reason_code})" if self.state == "failed" else f"is {self.state}"
        how = "was skipped by an operator" if self.is_skipped else how
        return f"'{self.action.replace('_', ' ')}' of {self.time:%Y-%m-%d %H:%M} {how}"


@dataclass(frozen=True, slots=True)
class Record:
    """A document with its whole known history."""

    entity: str
    record_id: str
    said: Sequence[Said]
    """In order; without those whose event id was reused."""
    puts: Mapping[StepKey, Sent]
    """Its linked objects."""

    def target(self, kind: Any, transaction_id: str = "") -> StepKey:
        """Return a step key of this record."""
        return StepKey(kind, self.record_id, transaction_id)

    def of(self, *actions: str) -> Iterator[Said]:
        """Yield its actions of these kinds, in order."""
        return (one for one in self.said if one.action in actions)

    @property
    def removal(self) -> Said | None:
        """The action that took it out of Xero, according to the log."""
        return next((one for one in self.of(*TAKES_OUT) if one.is_in_xero), None)

    @property
    def may_be_gone(self) -> bool:
        """True if SalesBinder took it back, and found it removed by hand."""
        return any(one.reason_code == "document_removed" for one in self.of(*TAKES_OUT))

    def undone_by(self, seq: int) -> Said | None:
        """Return an action after this position that takes something off and has not ended."""
        actions = ("reset", "refund_applied", "payment_applied", *TAKES_OUT)
        return next((one for one in self.of(*actions) if one.is_pending and one.seq > seq), None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object in Xero as the record's history asks for it."""

    put: Sent
    """The object as it should be, by the actions that Xero has according to the log."""
    named: str
    """The kind and amount of the object, in words."""
    said: Said | None = None
    """The action that asks for this state."""
    behind: bool = False
    """True if the ledger itself has another state."""
    mends: bool = False
    """True if queueing the action again fixes the difference: it is planned from what the ledger has."""
    later: "Later | None" = None

    @property
    def is_missing(self) -> bool:
        """True if it should be there, and nothing is linked."""
        return self.put.stands and not self.put.link.xero_id


@dataclass(frozen=True, slots=True)
class Later:
    """The state that a failed, waiting or skipped action asks for."""

    said: Said
    put: Sent | None = None
    """The object as it would be then; None if it is not compared."""


def made_of(put: Sent, body: JsonObject, **facts: object) -> Sent:
    """Return ``put`` as it should be."""
    link = replace(put.link, removed=False, facts={**put.link.facts, **facts})
    kept = {name: value for name, value in put.body.items() if name != "Status" or value not in GONE}
    return replace(put, link=link, body={**kept, **body}, ended=False)


def gone(put: Sent) -> Sent:
    """Return ``put`` as something that should not be there."""
    body = {**put.body, "Status": "VOIDED"} if put.body else {}
    return replace(put, link=replace(put.link, removed=True), body=body, ended=False)


def record_of(target: StepKey) -> tuple[str, str]:
    """Return entity and record id of the document that an object belongs to, or of the document itself."""
    return ("purchase_order" if target.kind in _PURCHASES else "invoice"), target.record_id

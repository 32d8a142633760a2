"""The planner's input, and its possible answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import Command, ContactSnapshot, DocumentSnapshot
from contracts.json import JsonObject
from contracts.reasons import ReasonCode
from contracts.results import Outcome, Warning
from sinks.planner.namesakes import Group, Namesake
from sinks.planner.shares import MoneyEvent
from sinks.xero.elements import Element, Link, Step, StepKey
from sinks.xero.facts import Facts, MoneyFacts, of_money


@dataclass(frozen=True, slots=True)
class XeroReads:
    """The data read from Xero for this command that is still fresh. None: not read."""

    contact_by_name: tuple[JsonObject, ...] | None = None
    names_asked: int = 0
    """How far the name was looked for: 0 not at all, then step by step as in ``planner.contact_lookups``;
    below 0, to the end.
    """
    contact_by_number: tuple[JsonObject, ...] | None = None
    contact: JsonObject | None = None
    invoice_by_number: tuple[JsonObject, ...] | None = None
    invoice: JsonObject | None = None
    """``{}`` if Xero has no such invoice."""
    order_by_number: tuple[JsonObject, ...] | None = None
    order: JsonObject | None = None
    """``{}`` if Xero has no such purchase order."""
    payments: Mapping[str, JsonObject] = field(default_factory=dict)
    """By PaymentID, each read by itself."""
    credit_note_by_number: tuple[JsonObject, ...] | None = None
    credit_notes: Mapping[str, JsonObject] = field(default_factory=dict)
    """By CreditNoteID; ``{}`` if Xero has no such credit note."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Xero's last refusal for this command, in our words and in its own."""

    step: Step
    code: ReasonCode
    details: Mapping[str, str]
    look_up: bool = False
    """True if a look-up was refused: nothing can be learnt by asking again."""
    create: bool = False
    """True if something was to be created: once another action has done that, the refusal no longer
    counts.
    """


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that was made for a target and got no response."""

    body: JsonObject
    link_facts: Facts
    """The facts that its link would have kept."""

    @property
    def money(self) -> MoneyFacts:
        """The facts of a payment, a credit note or a refund."""
        return of_money(self.link_facts)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the planner may look at for one command."""

    command: Command
    seq: int
    retried: bool
    settings: Settings
    facts: OrganisationFacts
    now: datetime
    document: DocumentSnapshot | None
    """The command's own snapshot, or for a retry the newest known one."""
    contact: ContactSnapshot | None
    """The newest known snapshot of the command's contact, from any event."""
    newest: DocumentSnapshot | None = None
    """For a receipt of goods: the newest known snapshot of the order."""
    invoice_link: Link | None = None
    order_link: Link | None = None
    bill_link: Link | None = None
    contact_link: Link | None = None
    contact_shared: bool = False
    """True if another SalesBinder record is linked to the same Xero contact, or is about to be."""
    group: Group | None = None
    """For a contact that is not linked: the records of its name that are planned together, including
    itself.
    """
    namesake: Namesake | None = None
    """A contact of its name that was made or found just now for another record."""
    payment_links: Mapping[str, Link] = field(default_factory=dict)
    """Our payments on the invoice, by transaction id."""
    credit_note_links: Mapping[str, Link] = field(default_factory=dict)
    """Credit notes for refunds on the invoice, by transaction id."""
    refund_links: Mapping[str, Link] = field(default_factory=dict)
    """The payments that pay out those credit notes, by transaction id."""
    linked_elsewhere: frozenset[str] = frozenset()
    """Among the Xero ids that were read: those that other records are linked to."""
    unknown: Mapping[StepKey, datetime] = field(default_factory=dict)
    """Steps that got no response, and the time from which a look-up can be trusted."""
    sent: Mapping[StepKey, Sent] = field(default_factory=dict)
    """For the steps of unknown result: the content that was sent."""
    money: tuple[MoneyEvent, ...] = ()
    """The record's events about payments and refunds, in order."""
    gone: frozenset[str] = frozenset()
    """Xero ids of the record's payments and credit notes that a comparison saw deleted or voided."""
    facts_are_fresh: bool = True
    """True if the known facts of the organisation are at most a minute old, or were asked for by this
    command.
    """
    marks: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Marks of payments that were sent and have no link: transaction id and position. Only for steps that
    take payments off: removals and refunds.
    """
    refund_marks: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """For a removal: refunds that were sent and have no credit note linked, by transaction id: mark and
    position.
    """
    overtaken: bool = False
    """True if a later action of the record has completed."""
    known: XeroReads = field(default_factory=XeroReads)
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """The next step."""

    element: Element


@dataclass(frozen=True, slots=True)
class Learn:
    """Something was learnt about Xero that must be kept; then plan again."""

    links: tuple[Link, ...]
    resolved: tuple[StepKey, ...] = ()
    """Steps of unknown result that are now cleared up."""
    afresh: bool = False
    """True if everything read and refused so far was about something else: forget it."""
    acted: bool = False
    """True if the action is done by what was learnt: another action's call has done it for both."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before ``until``."""

    until: datetime
    code: ReasonCode


@dataclass(frozen=True, slots=True)
class AskFacts:
    """A step that cannot be undone comes next, and the known facts of the organisation are too old for it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The command is completed. An ``outcome`` of None means ``posted`` if it changed something in Xero, else
    ``already_there``.
    """

    outcome: Outcome | None = None
    link: Link | None = None
    warnings: tuple[Warning, ...] = ()
    supersedes: str = ""
    """The failed actions before it that it resolves, too: ``snapshots`` (created and edited), ``money``,
    ``receipts``, ``order`` (snapshots and receipts), ``transaction`` (earlier events of the same one);
    several are separated by blanks.
    """


@dataclass(frozen=True, slots=True)
class Fail:
    """The command has failed, until somebody acts."""

    code: ReasonCode
    details: Mapping[str, str] = field(default_factory=dict)


Plan = Send | Learn | Wait | AskFacts | Done | Fail

"""What the planner is given, and what it may answer."""

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
    """What was read from Xero for this command, and is still fresh. None: not read."""

    contact_by_name: tuple[JsonObject, ...] | None = None
    names_asked: int = 0
    """How far the name was looked for: 0 not at all, then step by step as ``planner.contact_lookups`` has it;
    below 0 to the end."""
    contact_by_number: tuple[JsonObject, ...] | None = None
    contact: JsonObject | None = None
    invoice_by_number: tuple[JsonObject, ...] | None = None
    invoice: JsonObject | None = None
    """``{}`` when Xero has no such invoice."""
    order_by_number: tuple[JsonObject, ...] | None = None
    order: JsonObject | None = None
    """``{}`` when Xero has no such purchase order."""
    payments: Mapping[str, JsonObject] = field(default_factory=dict)
    """By PaymentID, each read on its own."""
    credit_note_by_number: tuple[JsonObject, ...] | None = None
    credit_notes: Mapping[str, JsonObject] = field(default_factory=dict)
    """By CreditNoteID; ``{}`` when Xero has no such credit note."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Xero refused last for this command, in our words and in its own."""

    step: Step
    code: ReasonCode
    details: Mapping[str, str]
    look_up: bool = False
    """It was a look-up that was refused: nothing can be learnt by asking again."""
    create: bool = False
    """Something was to be made: once another action has done that, the refusal says nothing any more."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that was made for a target and whose answer was not seen."""

    body: JsonObject
    link_facts: Facts
    """What its link would have kept."""

    @property
    def money(self) -> MoneyFacts:
        """That of a payment, a credit note or a refund."""
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
    """The command's own snapshot, or on a retry the newest known."""
    contact: ContactSnapshot | None
    """The newest known of the command's contact, whichever event carried it."""
    newest: DocumentSnapshot | None = None
    """Of a receipt of goods: the newest known snapshot of the order."""
    invoice_link: Link | None = None
    order_link: Link | None = None
    bill_link: Link | None = None
    contact_link: Link | None = None
    contact_shared: bool = False
    """Another SalesBinder record is linked to the same Xero contact, or is about to be."""
    group: Group | None = None
    """Of a contact that is not linked: the records of its name that are planned along, itself included."""
    namesake: Namesake | None = None
    """A contact of its name that was made or found just now for another record."""
    payment_links: Mapping[str, Link] = field(default_factory=dict)
    """The invoice's payments of ours, by transaction id."""
    credit_note_links: Mapping[str, Link] = field(default_factory=dict)
    """Credit notes that stand for refunds on the invoice, by transaction id."""
    refund_links: Mapping[str, Link] = field(default_factory=dict)
    """The payments that pay out those credit notes, by transaction id."""
    linked_elsewhere: frozenset[str] = frozenset()
    """Of the Xero ids that were read: those that other records are linked to."""
    unknown: Mapping[StepKey, datetime] = field(default_factory=dict)
    """Steps whose answer was not seen, and from when a look-up can be trusted."""
    sent: Mapping[StepKey, Sent] = field(default_factory=dict)
    """Of the steps of unknown fate: what was asked for."""
    money: tuple[MoneyEvent, ...] = ()
    """Of payments and refunds: all that the record's events said of money, in order."""
    gone: frozenset[str] = frozenset()
    """Xero ids of the record's payments and credit notes that a comparison saw deleted or voided."""
    facts_are_fresh: bool = True
    """What is known of the organisation is at most a minute old, or was asked for by this command."""
    marks: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Marks of payments that were asked for and have no link: transaction id and position. Known to what
    takes payments off: removals and refunds."""
    refund_marks: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Of a removal: refunds that were asked for and have no credit note linked, by transaction id: mark and
    position."""
    overtaken: bool = False
    """A later action of the record has completed."""
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
    """Steps of unknown fate that are now cleared up."""
    afresh: bool = False
    """What was read and refused so far was about something else: forget it."""
    acted: bool = False
    """What was learnt is what the action set out to do: another action's call has done it for both."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before ``until``."""

    until: datetime
    code: ReasonCode


@dataclass(frozen=True, slots=True)
class AskFacts:
    """A step that cannot be undone comes next, and what is known of the organisation is too old for it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The command is completed. ``outcome`` none: ``posted`` when it changed something in Xero, else
    ``already_there``."""

    outcome: Outcome | None = None
    link: Link | None = None
    warnings: tuple[Warning, ...] = ()
    supersedes: str = ""
    """Which failed actions before it end, too: ``snapshots`` (created and edited), ``money``, ``receipts``,
    ``order`` (snapshots and receipts), ``transaction`` (the same one, told before); several parted by
    blanks."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The command has failed for good, until somebody acts."""

    code: ReasonCode
    details: Mapping[str, str] = field(default_factory=dict)


Plan = Send | Learn | Wait | AskFacts | Done | Fail

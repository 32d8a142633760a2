"""What a shop's books in Xero and its log must show after a history of events.

Written from the contract alone, events in, books out: it shares no code with the product. Where the contract
leaves room (neighbouring snapshots *may* be merged), the log is asked what was done, and that is held to the
rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any

Event = dict[str, Any]
Version = tuple[datetime, datetime]

DONE = frozenset({"posted", "already_there"})
COMPLETED = DONE | {"not_needed", "before_cutoff", "superseded"}
_SNAPSHOTS = ("created", "edited")
_ACCOUNTS = {"Credit Card 9008": "091"}
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_NOTHING = Decimal(0)
_DUE_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Money:
    """A payment that stands in Xero, or one that a credit note paid out."""

    amount: Decimal
    day: str
    reference: str
    account: str
    mark: str

    @property
    def shown(self) -> tuple[Decimal, str, str, str]:
        return self.amount, self.day, f"{self.reference} {self.mark}", self.account


@dataclass
class Paper:
    """An invoice or a purchase order."""

    number: str = ""
    party: str = ""
    status: str = ""
    """As in Xero; blank while it is not there."""
    old: bool = False
    """From before the cut-off."""
    dated: bool = False
    """Known from created or edited: others are not kept, and a deletion brings no date."""
    removed: bool = False
    content: tuple[Any, ...] = ()
    total: Decimal = _NOTHING
    sent: Version = (_EARLIEST, _EARLIEST)
    payments: dict[str, Money] = field(default_factory=dict)
    notes: dict[str, Money] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    """Transactions that have had their effect."""
    received: Version | None = None
    bill: tuple[str, str, Decimal, str] | None = None
    failed_snapshots: list[str] = field(default_factory=list)
    failed_money: list[str] = field(default_factory=list)

    @property
    def paid(self) -> Decimal:
        return sum((p.amount for p in self.payments.values()), _NOTHING)

    @property
    def refunded(self) -> Decimal:
        return sum((n.amount for n in self.notes.values()), _NOTHING)

    @property
    def shown_status(self) -> str:
        if self.status == "AUTHORISED" and self.paid == self.total:
            return "PAID"
        return self.status


@dataclass
class Party:
    """A customer or supplier: every version known, and the oldest one that Xero may still show."""

    versions: dict[Version, Event] = field(default_factory=dict)
    floor: Version | None = None
    old: bool = True
    """Only documents from before the cut-off have named it: they bring no contact along."""


class Model:
    """Feed it the events in the ledger's order; then read ``papers``, ``parties`` and ``ends``."""

    def __init__(self, settings: Mapping[str, str], enabled_at: datetime) -> None:
        self.settings = settings
        self.enabled_at = enabled_at
        self.papers: dict[tuple[str, str], Paper] = {}
        self.parties: dict[str, Party] = {}
        self.numbers: dict[str, str] = {}
        self.ends: dict[str, set[str]] = {}
        """Event id: how its entry may have ended."""

    def feed(self, events: Sequence[Event], ended: Mapping[str, str]) -> None:
        """Events that came at once, and how the log says that each ended (by event id)."""
        fresh = [e for e in events if e["id"] not in self.ends]
        fresh = list({e["id"]: e for e in fresh}.values())
        for event in fresh:
            self._know_parties(event)
        for event in fresh:
            entity, action = event["type"].split(".")[1:]
            if entity in ("customer", "supplier"):
                self.ends[event["id"]] = self._contact(event, action)
            elif action in _SNAPSHOTS and (end := self._merged(event, fresh, ended)):
                self.ends[event["id"]] = {end}
                if end != "superseded":
                    self._paper(event).failed_snapshots.append(event["id"])
            else:
                self.ends[event["id"]] = self._document(event, entity, action)

    # Contacts

    def _know_parties(self, event: Event) -> None:
        data = event["data"]
        record = data.get("customer") or data.get("supplier") or data.get("document", {}).get("customer")
        if record and "name" in record:
            party = self.parties.setdefault(record["id"], Party())
            party.versions[_version(record, event)] = record
            party.old &= self._is_old(data.get("document", {}))

    def _contact(self, event: Event, action: str) -> set[str]:
        if action == "deleted":
            return {"not_needed"}
        party, version = self.parties[event["subject"]], _version(next(iter(event["data"].values())), event)
        newer = any(other > version for other in party.versions)
        if party.floor is not None and party.floor > version:
            return {"superseded", "already_there"}
        party.floor = version
        return set(DONE | {"superseded"}) if newer else set(DONE)

    def _pushed(self, event: Event) -> None:
        record = event["data"]["document"]["customer"]
        party, version = self.parties[record["id"]], _version(record, event)
        party.floor = max(party.floor or version, version)

    # Documents

    def _merged(self, event: Event, among: Sequence[Event], ended: Mapping[str, str]) -> str:
        """How it ended with a newer neighbour that came at the same time, where it did; else blank."""
        mine = [e for e in among if e["subject"] == event["subject"] and _entity(e) == _entity(event)]
        version, place = _version(event["data"]["document"], event), mine.index(event)
        for side in (reversed(mine[:place]), mine[place + 1 :]):
            for other in takewhile(lambda e: e["type"].split(".")[2] in _SNAPSHOTS, side):
                if _version(other["data"]["document"], other) < version:
                    continue
                if ended[event["id"]] == "superseded" and ended[other["id"]] in DONE | {"before_cutoff"}:
                    return "superseded"
                if (
                    ended[event["id"]] == ended[other["id"]] == "superseded"
                    and version > self._paper(event).sent
                ):
                    return "failed with its neighbour"
                if ended[event["id"]] == ended[other["id"]] not in COMPLETED:
                    return ended[event["id"]]
        return ""

    def _document(self, event: Event, entity: str, action: str) -> set[str]:
        paper, document = self._paper(event), event["data"]["document"]
        paper.old |= self._is_old(document)
        paper.dated |= action in _SNAPSHOTS
        if not paper.status and not paper.removed and paper.old:
            ends = {"before_cutoff"}
            if action == "deleted" and not paper.dated:
                ends.add("not_needed")
        else:
            step = getattr(self, f"_{action}" if entity == "invoice" else f"_order_{action}")
            ends = step(paper, event)
        if not ends & COMPLETED:
            if action in _SNAPSHOTS:
                paper.failed_snapshots.append(event["id"])
            elif "applied" in action:
                paper.failed_money.append(event["id"])
        elif action in _SNAPSHOTS and ends & DONE:
            self._supersede(paper.failed_snapshots)
        elif action in _SNAPSHOTS:
            for i in paper.failed_snapshots:
                self.ends[i].add("superseded")
        elif action in ("reset", "cancelled", "deleted"):
            self._supersede(paper.failed_money)
        return ends

    def _supersede(self, failed: list[str]) -> None:
        for event_id in failed:
            self.ends[event_id] = {"superseded"}
        failed.clear()

    def _paper(self, event: Event) -> Paper:
        return self.papers.setdefault((_entity(event), event["subject"]), Paper())

    def _is_old(self, document: Event) -> bool:
        return "created" in document and datetime.fromisoformat(document["created"]) < self.enabled_at

    def _bring(self, paper: Paper, event: Event, status: str) -> set[str]:
        """Put the event's document into Xero, or tell why not."""
        document = event["data"]["document"]
        if wrong := _wrong(document):
            return {wrong}
        number = f"{_entity(event)} {document['document_number']}"
        if self.numbers.setdefault(number, event["subject"]) != event["subject"]:
            return {"number_taken"}
        paper.status = status
        self._take_over(paper, event)
        return {"posted"}

    def _take_over(self, paper: Paper, event: Event) -> None:
        document = event["data"]["document"]
        paper.number, paper.party = str(document["document_number"]), document["customer_id"]
        paper.content, paper.total = _content(document), _total(document)
        paper.sent = _version(document, event)
        self._pushed(event)

    def _created(self, paper: Paper, event: Event) -> set[str]:
        document = event["data"]["document"]
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            return self._bring(paper, event, self.settings["invoice_status"].upper())
        if _version(document, event) <= paper.sent:
            return {"superseded"}
        same = _content(document) == paper.content
        if not same and paper.status != "DRAFT" and self.settings["edit_authorised"] == "refuse":
            if not _wrong(document):
                self._pushed(event)
            return {"authorised_not_editable", _wrong(document) or "authorised_not_editable"}
        if wrong := _wrong(document):
            return {wrong}
        if not same and paper.payments and _amounts(document) != paper.content[-1]:
            return {"paid_not_editable"}
        self._take_over(paper, event)
        return {"already_there"} if same else {"posted"}

    _edited = _created

    def _payment_applied(self, paper: Paper, event: Event) -> set[str]:
        money, transaction = _money(event), event["data"]["transaction"]["id"]
        if transaction in paper.settled:
            return {"already_there"}
        if money.amount == 0:
            return {"not_needed"}
        if money.amount < 0:
            return {"amount_not_positive"}
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            failed = self._bring(paper, event, self.settings["invoice_status"].upper()) - DONE
            if failed:
                return failed
            self._supersede(paper.failed_snapshots)
        if money.amount > paper.total - paper.paid:
            return {"exceeds_amount_due"}
        paper.status = "AUTHORISED"
        paper.payments[transaction] = money
        paper.settled.add(transaction)
        return {"posted"}

    def _refund_applied(self, paper: Paper, event: Event) -> set[str]:
        money, transaction = _money(event), event["data"]["transaction"]["id"]
        if transaction in paper.settled:
            return {"already_there"}
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            return {"document_not_in_xero"}
        if self.settings["refund_as"] == "reverse_payment":
            equal = [
                t
                for t, p in paper.payments.items()
                if (p.amount, p.reference) == (money.amount, money.reference)
            ]
            if not equal:
                return {
                    "no_matching_payment",
                    "refund_exceeds_paid" if money.amount > paper.paid > 0 else "",
                } - {""}
            del paper.payments[equal[-1]]
        elif money.amount > paper.paid - paper.refunded:
            return {"refund_exceeds_paid"}
        else:
            paper.notes[transaction] = money
        paper.settled.add(transaction)
        return {"posted"}

    def _reset(self, paper: Paper, event: Event) -> set[str]:
        if paper.removed:
            return {"document_removed"} if paper.status else {"not_needed"}
        touched = bool(paper.payments or paper.notes)
        paper.payments.clear()
        paper.notes.clear()
        return {"posted"} if touched else set(DONE | {"not_needed"}) if paper.status else {"not_needed"}

    def _cancelled(self, paper: Paper, event: Event) -> set[str]:
        if paper.removed and paper.status:
            return (
                {"already_there", "not_needed"} if event["type"].endswith("deleted") else {"document_removed"}
            )
        paper.removed = True
        if not paper.status:
            return {"not_needed"}
        paper.status = "DELETED" if paper.status == "DRAFT" else "VOIDED"
        paper.payments.clear()
        paper.notes.clear()
        return {"posted"}

    _deleted = _cancelled

    # Purchase orders

    def _order_created(self, paper: Paper, event: Event) -> set[str]:
        document = event["data"]["document"]
        version = _version(document, event)
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            return self._bring(paper, event, self.settings["purchase_order_status"].upper())
        if paper.received is not None:
            return {"order_billed"} if version > max(paper.received, paper.sent) else {"superseded"}
        if version <= paper.sent:
            return {"superseded"}
        if wrong := _wrong(document):
            return {wrong}
        same = _content(document) == paper.content
        self._take_over(paper, event)
        return {"already_there"} if same else {"posted"}

    _order_edited = _order_created

    def _order_received(self, paper: Paper, event: Event) -> set[str]:
        document = event["data"]["document"]
        if paper.removed:
            return {"document_removed"}
        if paper.status == "BILLED":
            return {"already_there"}
        billed = self.settings["received_as"] == "bill"
        if not paper.status:
            if failed := self._bring(paper, event, "AUTHORISED") - DONE:
                return failed
            self._supersede(paper.failed_snapshots)
        elif billed and (wrong := _wrong(document)):
            return {wrong}
        paper.status, paper.received = "BILLED", _version(document, event)
        if billed:
            status = "AUTHORISED" if self.settings["purchase_order_status"] == "authorised" else "DRAFT"
            day = datetime.fromisoformat(event["time"]).date()
            paper.bill = status, day.isoformat(), _total(document), (day + timedelta(days=30)).isoformat()
        return {"posted"}

    def _order_deleted(self, paper: Paper, event: Event) -> set[str]:
        if paper.status == "BILLED":
            return {"order_billed"}
        if paper.removed:
            return {"already_there", "not_needed"}
        paper.removed = True
        if not paper.status:
            return {"not_needed"}
        paper.status = "DELETED"
        return {"posted"}


def _entity(event: Event) -> str:
    return str(event["type"].split(".")[1])


def _version(record: Event, event: Event) -> Version:
    time = datetime.fromisoformat(event["time"])
    return (datetime.fromisoformat(record["modified"]) if record.get("modified") else time), time


def _wrong(document: Event) -> str:
    """Why Xero's totals cannot be SalesBinder's; blank when they can."""
    lines = document["document_items"]
    if any(line["tax"] not in (0, 8) for line in lines):
        return "tax_rate_unmapped"
    nets = [Decimal(str(line["quantity"])) * Decimal(line["price"]) for line in lines]
    tax = sum((n * line["tax"] / 100 for n, line in zip(nets, lines, strict=True)), _NOTHING)
    return "total_mismatch" if abs(sum(nets) + tax - _total(document)) > 1 else ""


def _total(document: Event) -> Decimal:
    return Decimal(document["total_price"]) + Decimal(document["total_tax"])


def _amounts(document: Event) -> tuple[Any, ...]:
    return _total(document), *(
        (line["quantity"], line["price"], line["tax"]) for line in document["document_items"]
    )


def _content(document: Event) -> tuple[Any, ...]:
    texts = tuple(line["name"] for line in document["document_items"])
    due = document.get("due_date") or str(date.fromisoformat(document["issue_date"]) + _DUE_AFTER)
    return document.get("name"), document["issue_date"], due, texts, _amounts(document)


def _money(event: Event) -> Money:
    transaction = event["data"]["transaction"]
    amount = Decimal(transaction["amount"])
    reference = transaction["reference"]
    return Money(
        abs(amount) if event["type"].endswith("refund_applied") else amount,
        transaction["transaction_date"],
        reference,
        _ACCOUNTS.get(reference, "090"),
        f"#{transaction['id'][:8]}",
    )

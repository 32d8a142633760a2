"""The model itself: events in the ledger's order in, books and ends out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from tests.reliability.model.money import Money, Till, transaction_id
from tests.reliability.model.numbers import read_lines
from tests.reliability.model.order import Event, Stamp, action_of, entity_of, record_of, stamp_of, time_of
from tests.reliability.model.papers import Content, Paper, content_of, in_part
from tests.reliability.model.parties import Party

DONE = frozenset({"posted", "already_there"})
COMPLETED = DONE | {"not_needed", "before_cutoff", "superseded"}
_SNAPSHOTS = ("created", "edited")
_REMOVALS = ("reset", "cancelled", "deleted")


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
        self._positions: dict[str, int] = {}

    def feed(self, events: Sequence[Event], ended: Mapping[str, str]) -> None:
        """Events that came at once, and how the log says that each ended (by event id)."""
        fresh = list({e["id"]: e for e in events if e["id"] not in self.ends}.values())
        for event in fresh:
            self._positions[event["id"]] = len(self._positions)
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

    def _stamp(self, record: Event, event: Event) -> Stamp:
        return stamp_of(record, event, self._positions[event["id"]])

    # Contacts

    def _know_parties(self, event: Event) -> None:
        data = event["data"]
        document = data.get("document", {})
        record = data.get("customer") or data.get("supplier") or document.get("customer")
        if record and "name" in record:
            party = self.parties.setdefault(record["id"], Party())
            party.old &= self._is_old(document)
            party.named.add(record["name"])
            if document and not record.get("modified"):
                party.undated = True
                return  # it may find or make a contact, and changes none
            party.versions[self._stamp(record, event)] = record

    def _contact(self, event: Event, action: str) -> set[str]:
        if action == "deleted":
            return {"not_needed"}
        party, stamp = self.parties[event["subject"]], self._stamp(record_of(event), event)
        newer = any(other > stamp for other in party.versions)
        if party.floor is not None and party.floor > stamp:
            return {"superseded", "already_there"}
        party.floor = stamp
        return set(DONE | {"superseded"}) if newer else set(DONE)

    def _pushed(self, event: Event) -> None:
        record = event["data"]["document"]["customer"]
        if record.get("modified"):
            party, stamp = self.parties[record["id"]], self._stamp(record, event)
            party.floor = max(party.floor or stamp, stamp)

    # Documents

    def _merged(self, event: Event, among: Sequence[Event], ended: Mapping[str, str]) -> str:
        """How it ended with a newer neighbour that came at the same time, where it did; else blank."""
        mine = [e for e in among if e["subject"] == event["subject"] and entity_of(e) == entity_of(event)]
        paper, end = self._paper(event), ended[event["id"]]
        stamp, place = self._stamp(record_of(event), event), mine.index(event)
        for side in (reversed(mine[:place]), mine[place + 1 :]):
            for other in takewhile(lambda e: action_of(e) in _SNAPSHOTS, side):
                if self._stamp(record_of(other), other) < stamp:
                    continue
                others = ended[other["id"]]
                if end == "superseded" and others in DONE | {"before_cutoff"}:
                    return "superseded"
                if not self._falls_with(paper, event):
                    continue
                if end == others == "superseded" and stamp > paper.sent:
                    return "failed with its neighbour"
                if others not in COMPLETED and end in (others, "newer_version_refused"):
                    return end
        return ""

    def _falls_with(self, paper: Paper, event: Event) -> bool:
        """True where an older snapshot fails with the newest one, since posting it alone could freeze it."""
        if paper.status:
            return False
        if entity_of(event) == "purchase_order":
            return self.settings["purchase_order_status"] == "authorised"
        return (
            self.settings["invoice_status"] == "authorised" and self.settings["edit_authorised"] == "refuse"
        )

    def _document(self, event: Event, entity: str, action: str) -> set[str]:
        paper, document = self._paper(event), record_of(event)
        paper.old |= self._is_old(document)
        paper.dated |= action in _SNAPSHOTS
        if not paper.status and paper.old:
            ends = {"before_cutoff"}
            if action == "deleted" and not paper.dated:
                ends.add("not_needed")
        else:
            step = getattr(self, f"_{action}" if entity == "invoice" else f"_order_{action}")
            ends = step(paper, event)
        self._note_failures(paper, event, action, ends)
        return ends

    def _note_failures(self, paper: Paper, event: Event, action: str, ends: set[str]) -> None:
        if not ends & COMPLETED:
            if action in _SNAPSHOTS:
                paper.failed_snapshots.append(event["id"])
            elif "applied" in action:
                paper.failed_money.append((event["id"], transaction_id(event)))
            elif action == "received":
                paper.failed_receipts.append(event["id"])
        elif action in _SNAPSHOTS and ends & DONE:
            self._supersede(paper.failed_snapshots)
        elif action in _SNAPSHOTS:
            for i in paper.failed_snapshots:
                self.ends[i].add("superseded")
        elif "applied" in action and ends <= DONE | {"not_needed"}:
            own = [pair for pair in paper.failed_money if pair[1] == transaction_id(event)]
            self._supersede([event_id for event_id, _ in own])
            paper.failed_money = [pair for pair in paper.failed_money if pair not in own]
        elif action == "received" and ends & DONE:
            for event_id in paper.failed_receipts:
                self.ends[event_id].add("superseded")
        elif action in _REMOVALS:
            self._supersede([event_id for event_id, _ in paper.failed_money])
            paper.failed_money.clear()

    def _supersede(self, failed: list[str]) -> None:
        for event_id in failed:
            self.ends[event_id] = {"superseded"}
        failed.clear()

    def _paper(self, event: Event) -> Paper:
        fresh = Paper(refunds=Till(credited=self.settings["refund_as"] == "credit_note"))
        return self.papers.setdefault((entity_of(event), event["subject"]), fresh)

    def _is_old(self, document: Event) -> bool:
        return "created" in document and datetime.fromisoformat(document["created"]) < self.enabled_at

    def _bring(self, paper: Paper, event: Event, status: str) -> set[str]:
        """Put the event's document into Xero, or tell why not."""
        document = record_of(event)
        if wrong := _wrong(event):
            return {wrong}
        number = f"{entity_of(event)} {document['document_number']}"
        if self.numbers.setdefault(number, event["subject"]) != event["subject"]:
            return {"number_taken"}
        paper.status = status
        self._take_over(paper, event)
        return {"posted"}

    def _take_over(self, paper: Paper, event: Event) -> None:
        document = record_of(event)
        paper.number, paper.party = str(document["document_number"]), document["customer_id"]
        paper.content = _content(event)
        paper.total = paper.content.total
        paper.sent = self._stamp(document, event)
        self._pushed(event)

    def _created(self, paper: Paper, event: Event) -> set[str]:
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            return self._bring(paper, event, self.settings["invoice_status"].upper())
        if self._stamp(record_of(event), event) <= paper.sent:
            self._pushed(event)
            return {"superseded"}
        same = _content(event) == paper.content
        if not same and paper.status != "DRAFT" and self.settings["edit_authorised"] == "refuse":
            if not _wrong(event):
                self._pushed(event)
            return {"authorised_not_editable", _wrong(event) or "authorised_not_editable"}
        if wrong := _wrong(event):
            return {wrong}
        assert paper.content is not None
        if not same and paper.payments.standing and _content(event).amounts != paper.content.amounts:
            return {"paid_not_editable"}
        self._take_over(paper, event)
        return {"already_there"} if same else {"posted"}

    _edited = _created

    # Money

    def _payment_applied(self, paper: Paper, event: Event) -> set[str]:
        money, transaction = paper.payments.tell(event, self._positions[event["id"]]), transaction_id(event)
        if paper.removed:
            return {"document_removed"}
        if (before := paper.payments.applied.get(transaction)) is not None:
            if money.told < before.told:
                return {"superseded"}
            if transaction in paper.reversed:
                return {"superseded", "not_needed"}
            if transaction in paper.payments.standing:
                return self._correct_payment(paper, transaction, before, money)
        if money.amount == 0:
            return {"not_needed"}
        if money.amount < 0:
            return {"amount_not_positive"}
        if not paper.status:
            failed = self._bring(paper, event, self.settings["invoice_status"].upper()) - DONE
            if failed:
                return failed
            self._supersede(paper.failed_snapshots)
        if money.amount > paper.total - paper.payments.total:
            return {"exceeds_amount_due"}
        paper.status = "AUTHORISED"
        paper.payments.apply(transaction, money)
        return {"posted"}

    def _correct_payment(self, paper: Paper, transaction: str, before: Money, money: Money) -> set[str]:
        """The same transaction again: the same, or a correction."""
        if money.content == before.content:
            return {"already_there"}
        if money.said < 0:
            return {"amount_not_positive"}
        standing = paper.payments.total - before.amount
        if standing + money.said < paper.refunds.total:
            return {"refund_exceeds_paid"}
        if money.said > paper.total - standing:
            return {"exceeds_amount_due"}
        if money.said == 0:
            paper.payments.take_off(transaction, money)
        else:
            paper.payments.apply(transaction, money)
        return {"posted"}

    def _refund_applied(self, paper: Paper, event: Event) -> set[str]:
        money, transaction = paper.refunds.tell(event, self._positions[event["id"]]), transaction_id(event)
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            return {"document_not_in_xero"} if money.amount else {"not_needed"}
        before = paper.refunds.applied.get(transaction)
        if before is not None and money.told < before.told:
            return {"superseded"}
        if before is not None and transaction in paper.refunds.standing:
            return self._correct_refund(paper, transaction, before, money)
        if money.amount == 0:
            return {"not_needed"}
        if not paper.refunds.credited:
            return self._take_back(paper, transaction, money)
        if money.amount > paper.payments.total - paper.refunds.total:
            return {"refund_exceeds_paid"}
        paper.refunds.apply(transaction, money)
        return {"posted"}

    def _take_back(self, paper: Paper, transaction: str, money: Money) -> set[str]:
        """Take the newest payment of that amount and reference off."""
        standing = paper.payments.standing
        equal = [t for t, p in standing.items() if (p.said, p.reference) == (money.said, money.reference)]
        if not equal:
            too_much = money.amount > paper.payments.total > 0
            return {"no_matching_payment"} | ({"refund_exceeds_paid"} if too_much else set())
        del standing[equal[-1]]
        paper.reversed.add(equal[-1])
        paper.refunds.apply(transaction, money)
        return {"posted"}

    def _correct_refund(self, paper: Paper, transaction: str, before: Money, money: Money) -> set[str]:
        if money.content == before.content:
            return {"already_there"}
        if not paper.refunds.credited:
            return {"refund_changed"}
        if money.said > paper.payments.total - (paper.refunds.total - before.amount):
            return {"refund_exceeds_paid"}
        if money.said == 0:
            paper.refunds.take_off(transaction, money)
        else:
            paper.refunds.apply(transaction, money)
        return {"posted"}

    def _reset(self, paper: Paper, event: Event) -> set[str]:
        if paper.removed:
            self._nothing_stands(paper)
            return {"document_removed"} if paper.status else {"not_needed"}
        touched = bool(paper.payments.standing or (paper.refunds.credited and paper.refunds.standing))
        self._nothing_stands(paper)
        return {"posted"} if touched else set(DONE | {"not_needed"}) if paper.status else {"not_needed"}

    def _nothing_stands(self, paper: Paper) -> None:
        paper.payments.reset()
        paper.refunds.reset()
        paper.reversed.clear()

    def _cancelled(self, paper: Paper, event: Event) -> set[str]:
        if paper.removed and paper.status:
            return {"already_there", "not_needed"} if action_of(event) == "deleted" else {"document_removed"}
        paper.removed = True
        if not paper.status:
            return {"not_needed"}
        paper.status = "DELETED" if paper.status == "DRAFT" else "VOIDED"
        self._nothing_stands(paper)
        return {"posted"}

    _deleted = _cancelled

    # Purchase orders

    def _order_created(self, paper: Paper, event: Event) -> set[str]:
        stamp = self._stamp(record_of(event), event)
        if paper.removed:
            return {"document_removed"}
        if not paper.status:
            return self._bring(paper, event, self.settings["purchase_order_status"].upper())
        if paper.received is not None:
            return {"order_billed"} if stamp > max(paper.received, paper.sent) else {"superseded"}
        if stamp <= paper.sent:
            self._pushed(event)
            return {"superseded"}
        if wrong := _wrong(event):
            return {wrong}
        same = _content(event) == paper.content
        self._take_over(paper, event)
        return {"already_there"} if same else {"posted"}

    _order_edited = _order_created

    def _order_received(self, paper: Paper, event: Event) -> set[str]:
        if in_part(record_of(event)):
            return {"received_in_part", "document_removed"} if paper.removed else {"received_in_part"}
        if paper.removed:
            return {"document_removed"}
        if paper.status == "BILLED":
            return self._received_again(paper, event)
        billed = self.settings["received_as"] == "bill"
        if not paper.status:
            if failed := self._bring(paper, event, "AUTHORISED") - DONE:
                return failed
            self._supersede(paper.failed_snapshots)
        elif billed and (wrong := _wrong(event)):
            return {wrong}
        paper.status, paper.received = "BILLED", self._stamp(record_of(event), event)
        paper.billed = None if _wrong(event) else _content(event)
        if billed:
            status = "AUTHORISED" if self.settings["purchase_order_status"] == "authorised" else "DRAFT"
            day = time_of(event).date()
            due = (day + timedelta(days=30)).isoformat()
            paper.bill = status, day.isoformat(), _content(event).total, due
        return {"posted"}

    def _received_again(self, paper: Paper, event: Event) -> set[str]:
        """The same lines say nothing new, others contradict what was billed."""
        if self.settings["received_as"] == "billed":
            return {"already_there", "order_billed"}
        if _wrong(event):
            return {"order_billed", _wrong(event)}
        assert paper.billed is not None
        return {"already_there"} if _content(event).billed == paper.billed.billed else {"order_billed"}

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


def _wrong(event: Event) -> str:
    """Why Xero's totals cannot be SalesBinder's; blank when they can."""
    return read_lines(record_of(event), entity_of(event) == "purchase_order")[1]


def _content(event: Event) -> Content:
    return content_of(record_of(event), entity_of(event) == "purchase_order")

"""A ledger and a Xero in memory, just enough to drive the planner: what it sends is accepted and kept."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from connections.settings import Settings
from contracts.commands import Action, Command, DocumentSnapshot, Entity, EventRef, TransactionSnapshot
from contracts.reasons import ReasonCode
from sinks.ledger.entries import Entry
from sinks.ledger.jobs import Job, apply
from sinks.planner import AskFacts, Done, Fail, Learn, Plan, Refusal, Send, Situation, Wait, plan
from sinks.planner.contacts import contact_target
from sinks.planner.invoices import invoice_target
from sinks.xero.elements import Element, Link, Step, StepKey
from sinks.xero.responses import Result
from tests.unit.resolve.books import FACTS, NOW, SETTINGS

KNOWING = replace(FACTS, item_codes=frozenset({"SB-ITEM"}))


def command(
    action: Action,
    document: DocumentSnapshot | None = None,
    transaction: TransactionSnapshot | None = None,
    entity: Entity = "invoice",
    record_id: str = "d1",
) -> Command:
    event = EventRef(id=str(uuid.uuid4()), type="t", source="/salesbinder/acme", time=NOW, content_hash="")
    return Command(
        command_id=str(uuid.uuid4()),
        account="acme",
        entity=entity,
        record_id=record_id,
        action=action,
        event=event,
        document=document,
        transaction=transaction,
    )


def entry(of: Command, seq: int, revision: int = 0) -> Entry:
    return Entry(
        seq=seq,
        command=of,
        state="running",
        outcome=None,
        reason_code=None,
        reason_args={},
        warnings=(),
        acted=False,
        attempts=0,
        revision=revision,
        version=1,
        next_attempt_at=None,
        queued_at=NOW,
        started_at=NOW,
        finished_at=None,
        xero_type="",
        xero_id="",
        xero_number="",
        triggered_by="event",
        actor="",
    )


@dataclass
class PureXero:
    """Takes whatever it is sent, as long as it makes sense."""

    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    credit_notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: dict[str, tuple[ReasonCode, Mapping[str, str]]] = field(default_factory=dict)
    """Steps to refuse once, with code and details."""

    def answer(self, element: Element) -> Result:
        if element.step in self.refuse:
            code, details = self.refuse.pop(element.step)
            return Result("refused", code=code, details=details)
        body = dict(element.body or {})
        match element.route:
            case "contacts.create" | "contacts.update":
                return Result("ok", ({"ContactID": body.get("ContactID", str(uuid.uuid4())), **body},))
            case "contacts.read":
                return Result("ok", ({"ContactID": element.xero_id, "ContactStatus": "ACTIVE"},))
            case "invoices.create" | "invoices.update":
                return Result("ok", (self._write(body),))
            case "invoices.read":
                return Result("ok", (self.shown(element.xero_id),))
            case "credit_notes.create":
                note = {"CreditNoteID": str(uuid.uuid4()), **body}
                note["Total"] = sum(line["UnitAmount"] + line["TaxAmount"] for line in body["LineItems"])
                self.credit_notes[note["CreditNoteID"]] = note
                return Result("ok", (note,))
            case "credit_notes.update":
                assert not self.on("CreditNote", element.xero_id), "money stands on it"
                self.credit_notes[element.xero_id] |= body
                return Result("ok", (self.credit_notes[element.xero_id],))
            case "credit_notes.read":
                payments = self.on("CreditNote", element.xero_id)
                return Result("ok", ({**self.credit_notes[element.xero_id], "Payments": payments},))
            case "payments.create" | "refunds.create":
                payment = {"PaymentID": str(uuid.uuid4()), "Status": "AUTHORISED", **body}
                self.payments[payment["PaymentID"]] = payment
                return Result("ok", (payment,))
            case "payments.read":
                payment = self.payments[element.xero_id]
                return Result("ok", ({**payment, "Date": f"{payment['Date']}T00:00:00"},))
            case "payments.remove":
                self.payments[element.xero_id]["Status"] = "DELETED"
                return Result("ok", (self.payments[element.xero_id],))
        raise AssertionError(element.route)

    def _write(self, body: dict[str, Any]) -> dict[str, Any]:
        invoice_id = body.setdefault("InvoiceID", str(uuid.uuid4()))
        invoice = self.invoices.setdefault(invoice_id, {"Status": "DRAFT"})
        invoice |= body
        invoice["LineItems"] = [
            {"LineItemID": f"x{place}", "LineAmount": line["Quantity"] * line["UnitAmount"], **line}
            for place, line in enumerate(invoice["LineItems"])
        ]
        net = sum((line["Quantity"] * line["UnitAmount"] for line in invoice["LineItems"]), Decimal(0))
        invoice["Total"] = net
        return invoice

    def shown(self, invoice_id: str) -> dict[str, Any]:
        payments = self.on("Invoice", invoice_id)
        invoice = self.invoices[invoice_id]
        paid = sum((p["Amount"] for p in payments), Decimal(0))
        return {**invoice, "Payments": payments, "AmountPaid": paid, "AmountDue": invoice["Total"] - paid}

    def on(self, kind: str, document_id: str) -> list[dict[str, Any]]:
        """Payments that stand on an ``Invoice`` or a ``CreditNote``."""
        return [p for p in self.live() if p.get(kind, {}).get(f"{kind}ID") == document_id]

    def live(self) -> list[dict[str, Any]]:
        return [p for p in self.payments.values() if p["Status"] != "DELETED"]


@dataclass
class Books:
    """Runs commands one after the other, as a lane does, without a database."""

    settings: Settings = SETTINGS
    facts: Any = KNOWING
    xero: PureXero = field(default_factory=PureXero)
    links: dict[StepKey, Link] = field(default_factory=dict)
    unknown: dict[StepKey, Any] = field(default_factory=dict)
    sent: list[Element] = field(default_factory=list)

    def situation(self, work: Job) -> Situation:
        own = work.entry.command
        contact = own.document.contact if own.document else own.contact
        return Situation(
            command=own,
            seq=work.entry.seq,
            retried=work.entry.revision > 0,
            settings=self.settings,
            facts=self.facts,
            now=NOW + timedelta(hours=1),
            document=placed(own.document, work.entry.seq),
            contact=contact,
            invoice_link=self.links.get(invoice_target(own.record_id)),
            contact_link=self.links.get(contact_target(contact)) if contact else None,
            payment_links=self.of_kind("payment"),
            credit_note_links=self.of_kind("credit_note"),
            refund_links=self.of_kind("refund"),
            unknown=self.unknown,
            known=work.known,
            refusal=work.refusal,
        )

    def of_kind(self, kind: str) -> dict[str, Link]:
        """Links of one kind by transaction id."""
        return {t.transaction_id: link for t, link in self.links.items() if t.kind == kind}

    def run(self, own: Command, seq: int, revision: int = 0) -> Done | Fail | Wait:
        """Until the command ends."""
        work = Job(entry(own, seq, revision))
        for _ in range(40):
            step: Plan = plan(self.situation(work))
            if isinstance(step, Send):
                self._accept(work, step.element)
            elif isinstance(step, Learn):
                self._remember(work, step)
            else:
                assert not isinstance(step, AskFacts)
                return step
        raise AssertionError("planning does not come to an end")

    def _accept(self, work: Job, element: Element) -> None:
        self.sent.append(element)
        result = self.xero.answer(element)
        link = apply(element, result, [work], self.links.get(element.target))
        if link is not None:
            self.links[link.target] = link

    def _remember(self, work: Job, step: Learn) -> None:
        self.links |= {link.target: link for link in step.links}
        for target in step.resolved:
            self.unknown.pop(target, None)
        if step.afresh:
            work.started_over()


def placed(document: DocumentSnapshot | None, seq: int) -> DocumentSnapshot | None:
    """The snapshot with the position of the action that brought it."""
    return None if document is None else msgspec.structs.replace(document, position=seq)


def refused(step: Step, code: ReasonCode, /, **details: str) -> Refusal:
    return Refusal(step, code, details)

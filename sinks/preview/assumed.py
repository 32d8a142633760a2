"""A Xero for previews that accepts everything sensible: what it would answer, judging by our own knowledge.
Pure.

It holds the objects that the ledger has linked, as they were last sent, and those that the preview has sent
so far. It knows nothing else of the books: neither objects nor changes that somebody made in Xero by hand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from contracts.json import Body, JsonObject
from contracts.money import to_cents
from contracts.reasons import ReasonCode
from sinks.drift.compare import NUMBERS
from sinks.drift.scan import LISTS
from sinks.planner.documents import GONE
from sinks.xero.elements import Element, Kind, Link, StepKey
from sinks.xero.names import same_name
from sinks.xero.responses import Result
from sinks.xero.routes import ROUTES

_NUMBERS: Mapping[str, str] = {"contact": "Name", "item": "Code", **NUMBERS}
_IDS = {kind: listing.id_field for listing in LISTS for kind in listing.kinds}
_TAKEN: Mapping[str, ReasonCode] = {
    "contact": "contact_name_taken",
    "invoice": "number_taken",
    "purchase_order": "number_taken",
    "credit_note": "number_taken",
}
"""The fields that are unique in Xero, and the reason of its refusal. Numbers of bills may repeat."""


@dataclass(slots=True)
class _Object:
    kind: Kind
    xero_id: str
    body: Body

    @property
    def gone(self) -> bool:
        return self.body.get("Status") in GONE


class AssumedXero:
    """Answers the calls of a preview."""

    def __init__(self, links: Iterable[Link], bodies: Mapping[str, JsonObject], today: date) -> None:
        """Hold the linked objects.

        Args:
            links: the ledger's links of the records at hand.
            bodies: by record id, the bodies of invoices as they were last sent, without Xero's ids.
            today: the day of linked objects that have none.
        """
        self._objects: dict[str, _Object] = {}
        self._names: Counter[str] = Counter()
        by_target = {link.target: link for link in links if link.xero_id}
        for link in by_target.values():
            if not link.removed:
                body = {"Date": today.isoformat(), **bodies.get(link.target.record_id, {})}
                body |= _as_sent(link, by_target, body)
                self._objects[link.xero_id] = _Object(link.target.kind, link.xero_id, body)

    def answer(self, element: Element) -> Result:
        """Return Xero's assumed answer to this element of a call."""
        action = element.route.partition(".")[2]
        if action == "read":
            return self._read(element)
        if action in ("find", "find_number"):
            return Result("ok", tuple(self._found(element, by_number=action == "find_number")))
        if action in ("search", "list", "find_numbers"):
            kind = element.target.kind
            return Result("ok", tuple(self._shown(one) for one in self._objects.values() if one.kind == kind))
        if action == "create":
            return self._create(element)
        if action == "remove":
            return self._change(element, {"Status": "DELETED"})
        return self._change(element, element.body or {})

    def _read(self, element: Element) -> Result:
        known = self._objects.get(element.xero_id)
        if known is not None:
            return Result("ok", (self._shown(known),))
        if element.target.kind == "contact":
            return Result("ok", ({"ContactID": element.xero_id, "ContactStatus": "ACTIVE"},))
        return Result("ok")

    def _found(self, element: Element, *, by_number: bool) -> list[Body]:
        name = "ContactNumber" if by_number else _NUMBERS[element.target.kind]
        return [
            self._shown(one)
            for one in self._objects.values()
            if one.kind == element.target.kind and same_name(str(one.body.get(name) or ""), element.wanted)
        ]

    def _create(self, element: Element) -> Result:
        body, kind = dict(element.body or {}), element.target.kind
        refused = self._taken(kind, body) or self._too_much(body)
        if refused is not None:
            return refused
        name = self._new_name(kind, body, element.target)
        body[ROUTES[element.route].id_field] = name
        if kind in ("payment", "refund"):
            body["Status"] = "AUTHORISED"
        made = self._objects[name] = _Object(kind, name, {})
        self._write(made, body, element)
        return Result("ok", (self._shown(made),))

    def _change(self, element: Element, body: JsonObject) -> Result:
        kind, xero_id = element.target.kind, element.xero_id
        known = self._objects.setdefault(xero_id, _Object(kind, xero_id, {_IDS[kind]: xero_id}))
        if kind == "contact" and (refused := self._taken(kind, body, xero_id)) is not None:
            return refused
        self._write(known, body, element)
        return Result("ok", (self._shown(known),))

    def _write(self, changed: _Object, body: JsonObject, element: Element) -> None:
        changed.body |= body
        if "expected_total" in element.link_facts:
            changed.body["Total"] = element.link_facts["expected_total"]
        lines = [
            _line(line, place, changed.xero_id) for place, line in enumerate(body.get("LineItems", ()), 1)
        ]
        if lines:
            changed.body["LineItems"] = lines
        if lines and "Total" not in changed.body:
            changed.body["Total"] = sum(
                (line["LineAmount"] + line.get("TaxAmount", 0) for line in lines), Decimal(0)
            )

    def _taken(self, kind: Kind, body: JsonObject, own_id: str = "") -> Result | None:
        name = str(body.get(_NUMBERS.get(kind, "")) or "")
        if not name or kind not in _TAKEN:
            return None
        field = _NUMBERS[kind]
        for one in self._objects.values():
            if one.kind == kind and one.xero_id != own_id and same_name(str(one.body.get(field) or ""), name):
                return Result("refused", code=_TAKEN[kind], details={"name": name, "number": name})
        return None

    def _too_much(self, body: JsonObject) -> Result | None:
        """Return the refusal of a payment above the amount due, or None."""
        document = body.get("Invoice") or {}
        invoice = self._objects.get(str(document.get("InvoiceID") or ""))
        if invoice is None or Decimal(str(body.get("Amount", 0))) <= self._shown(invoice)["AmountDue"]:
            return None
        return Result("refused", code="exceeds_amount_due")

    def _shown(self, one: _Object) -> Body:
        """Return the object as Xero would show it, with its payments."""
        if one.kind not in ("invoice", "credit_note"):
            return dict(one.body)
        payments = self._payments(one)
        total = Decimal(str(one.body.get("Total") or 0))
        paid = sum((Decimal(str(p["Amount"])) for p in payments), Decimal(0))
        status = "PAID" if one.body.get("Status") == "AUTHORISED" and total and paid >= total else ""
        money = {"AmountPaid": paid, "AmountDue": total - paid, "RemainingCredit": total - paid}
        return {**one.body, **money, "Payments": payments} | ({"Status": status} if status else {})

    def _payments(self, document: _Object) -> list[Body]:
        holder, field = (
            ("Invoice", "InvoiceID") if document.kind == "invoice" else ("CreditNote", "CreditNoteID")
        )
        return [
            dict(one.body)
            for one in self._objects.values()
            if not one.gone and (one.body.get(holder) or {}).get(field) == document.xero_id
        ]

    def _new_name(self, kind: Kind, body: JsonObject, target: StepKey) -> str:
        """Return a description that stands for the id that Xero will assign: ``(new invoice 5001)``."""
        called = (
            str(body.get(_NUMBERS.get(kind, "")) or "") or str(body.get("Reference") or "").split(" ")[-1]
        )
        name = f"new {kind.replace('_', ' ')} {called or target.record_id}"
        self._names[name] += 1
        return f"({name})" if self._names[name] == 1 else f"({name}, {self._names[name]})"


def _line(line: JsonObject, place: int, owner: str) -> Body:
    """Return a line with the id and the amount that Xero would give it."""
    discount = Decimal(str(line.get("DiscountRate") or 0))
    gross = Decimal(str(line.get("Quantity", 1))) * Decimal(str(line.get("UnitAmount", 0)))
    amount = to_cents(gross * (100 - discount) / 100)
    return {"LineItemID": f"(line {place} of {owner.strip('()')})", "LineAmount": amount, **line}


def _as_sent(link: Link, links: Mapping[StepKey, Link], body: JsonObject) -> Body:
    """Return the object as last sent, as far as the link knows it; ``body`` has the lines, if they are
    known.
    """
    kind, record, transaction = link.target
    shown: Body = {_IDS[kind]: link.xero_id}
    if kind in _NUMBERS:
        shown[_NUMBERS[kind]] = link.xero_number
    if kind == "contact":
        return shown | {"ContactNumber": record.partition("/")[2], "ContactStatus": "ACTIVE"}
    refund = links.get(StepKey("refund", record, transaction)) if kind == "credit_note" else None
    day = link.text("date") or (refund.text("date") if refund else "")
    if day:
        shown["Date"] = day
    if kind in ("payment", "refund"):
        return shown | {
            "Amount": link.amount("amount"),
            "Reference": link.text("reference"),
            "Status": "AUTHORISED",
            **_stands_on(link.target, links),
        }
    ids = [pair[1] for pair in link.document.get("lines") or ()]
    sent = body.get("LineItems", ())
    lines = [_line(line, place, link.xero_id) for place, line in enumerate(sent, 1)]
    if len(ids) == len(lines):
        lines = [{**line, "LineItemID": xero_id} for line, xero_id in zip(lines, ids, strict=True)]
    contact = links.get(StepKey("contact", link.text("party")))
    return shown | {
        "Total": link.amount("total") or link.amount("amount"),
        "Status": link.text("status"),
        "Contact": {"ContactID": contact.xero_id if contact else ""},
        "LineItems": lines,
    }


def _stands_on(target: StepKey, links: Mapping[StepKey, Link]) -> Body:
    """Return the document of a payment or refund, as Xero names it in the payment."""
    if target.kind == "payment":
        invoice = links.get(StepKey("invoice", target.record_id))
        return {"Invoice": {"InvoiceID": invoice.xero_id if invoice else ""}}
    note = links.get(target._replace(kind="credit_note"))
    return {"CreditNote": {"CreditNoteID": note.xero_id if note else ""}}

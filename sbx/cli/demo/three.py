"""Compare the shop's truth, what ``sbx reconcile`` says, and the fake Xero's books. Pure.

The truth is what the shopkeeper did, noted apart from everything that SalesBinder's API shows; the books are
the fake Xero's own. So a comparison that calls a wrong document right is found here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

Held = Mapping[str, Any]

_GONE: Final = ("VOIDED", "DELETED")
_KINDS: Final = {"invoice": "invoices", "purchase_order": "purchase_orders"}
_NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True)
class Document:
    """A document of the shop on all sides."""

    kind: str
    number: str
    true_total: Decimal
    true_paid: Decimal
    """Net of refunds."""
    state: str
    """In the shop: ``open``, ``cancelled``, ``deleted``, ``received``."""
    xero_total: Decimal | None
    xero_paid: Decimal | None
    """Net of refunds; None if it is not in Xero."""
    wrong: tuple[str, ...]
    """Where Xero is not as the truth asks for."""
    reason: str
    """What ``sbx reconcile`` says of it; blank: that it agrees."""
    text: str

    @property
    def surprise(self) -> str:
        """Return what must not be: an untold difference, one that is none, or one without a known reason."""
        if self.reason == "unknown":
            return f"differs for no known reason: {self.text}"
        if self.wrong and not self.reason:
            return f"is said to agree, and does not: {', '.join(self.wrong)}"
        if self.reason and not self.wrong and self.reason != "before_cutoff":
            return f"is said to differ ({self.reason}), and does not"
        return ""


@dataclass(frozen=True)
class Three:
    """All documents of the shop, and what is in Xero without one."""

    documents: Sequence[Document]
    strangers: Sequence[str]

    @property
    def surprises(self) -> list[str]:
        """Return everything that is not as it should be."""
        found = [f"{one.kind} {one.number}: {one.surprise}" for one in self.documents if one.surprise]
        return found + [f"Xero has {name} that the shop does not have" for name in self.strangers]

    @property
    def agreed(self) -> bool:
        """Return True if Xero has the truth, or the comparison gives a known reason why not."""
        return not self.surprises

    @property
    def reasons(self) -> Counter[str]:
        """Return how many documents differ for each reason."""
        return Counter(one.reason for one in self.documents if one.reason)


def three_sides(truth: Iterable[Held], rows: Iterable[Held], books: Held) -> Three:
    """Return all documents side by side.

    Args:
        truth: the fake SalesBinder's ``documents``.
        rows: what ``sbx reconcile`` found, one document a row.
        books: the fake Xero's state of the organisation.
    """
    said = {(row["kind"], row["record_id"]): row for row in rows}
    true = [one for one in truth if one["kind"] in _KINDS]
    xero = {
        kind: {one["number"]: one for one in books[name] if _is(kind, one)} for kind, name in _KINDS.items()
    }
    paid_out = _paid_out(books)
    found = [_document(one, xero[one["kind"]], paid_out, said.get((one["kind"], one["id"]))) for one in true]
    numbers = {(one["kind"], str(one["number"])) for one in true}
    strangers = [
        f"the {kind.replace('_', ' ')} {number}"
        for kind, held in xero.items()
        for number, one in held.items()
        if one["status"] not in _GONE and (kind, number) not in numbers
    ]
    return Three(sorted(found, key=lambda one: (one.kind, int(one.number))), strangers)


def _is(kind: str, held: Held) -> bool:
    return kind != "invoice" or held["type"] == "ACCREC"


def _paid_out(books: Held) -> dict[str, Decimal]:
    """Return the money of standing credit notes by the number of their invoice."""
    found: dict[str, Decimal] = {}
    for note in books["credit_notes"]:
        if note["status"] not in _GONE:
            number = note["number"].partition("-")[0]
            found[number] = found.get(number, _NOTHING) + sum(
                Decimal(one["amount"]) for one in note["payments"]
            )
    return found


def _document(
    one: Held, xero: Mapping[str, Held], paid_out: Mapping[str, Decimal], row: Held | None
) -> Document:
    number = str(one["number"])
    held = xero.get(number)
    stands = held is not None and held["status"] not in _GONE
    total, paid = Decimal(one["total"]), Decimal(one["net_paid"])
    xero_paid = None
    if held is not None and stands:
        xero_paid = Decimal(held["amount_paid"] or 0) - paid_out.get(number, _NOTHING)
    is_gone = one["cancelled"] or one["deleted"]
    wrong: list[str] = []
    if is_gone or held is None or not stands:
        wrong += ["stands in Xero"] if is_gone and stands else []
        wrong += ["is not in Xero"] if not is_gone and not stands else []
    else:
        wrong += (
            [f"total {held['total']} instead of {total}"] if Decimal(held["total"]) != _cents(total) else []
        )
        if one["kind"] == "invoice" and xero_paid != _cents(paid):
            wrong.append(f"paid {xero_paid} instead of {paid}")
        if one["kind"] == "purchase_order" and one["received"] != (held["status"] == "BILLED"):
            wrong.append(f"is {held['status']}")
    states = [name for name in ("deleted", "cancelled", "received") if one[name]]
    return Document(
        kind=one["kind"],
        number=number,
        true_total=_cents(total),
        true_paid=_cents(paid),
        state=states[0] if states else "open",
        xero_total=Decimal(held["total"]) if held is not None and stands else None,
        xero_paid=xero_paid,
        wrong=tuple(wrong),
        reason=row["reason"] if row is not None else "",
        text=row["text"] if row is not None else "",
    )


def _cents(amount: Decimal) -> Decimal:
    return round(amount, 2)

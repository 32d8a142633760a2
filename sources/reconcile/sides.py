"""One document on its three sides: SalesBinder, what should be in Xero by the settings, and Xero. Pure.

Xero's paid and refunded may both be larger by the same amount: a payment that SalesBinder returned without a
trace stands in Xero as a payment and a refund.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from connections.settings import Settings
from sinks.drift.books import BookDocument, Linked
from sinks.xero.names import same_name
from sources.reconcile.shop import ShopDocument
from sources.salesbinder.statuses import CANCELLED

Kind = Literal["invoice", "purchase_order", "bill"]
Field = Literal["document", "number", "party", "net", "tax", "total", "paid", "refunded", "status"]

GONE: Final = ("DELETED", "VOIDED")
_OPEN: Final = ("DRAFT", "SUBMITTED")
_APPROVED: Final = ("AUTHORISED", "PAID")
_NOTHING: Final = Decimal("0.00")
NOT_THERE: Final = ""
"""The status of a document that is not there."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A document as one side has it. An amount that is not known, or not compared, is none."""

    number: str
    party: str
    status: str
    net: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    paid: Decimal | None = None
    refunded: Decimal | None = None

    @property
    def balance(self) -> Decimal | None:
        """Return what was paid, refunds deducted."""
        return None if self.paid is None else self.paid - (self.refunded or _NOTHING)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A document on its three sides, and the fields in which Xero is not as it should be."""

    kind: Kind
    record_id: str
    day: date | None
    currency: str
    shop: Side | None
    """None if SalesBinder does not show it."""
    expected: Side | None
    """None if it should not be in Xero."""
    xero: Side | None
    """None if it is not there. One that was voided or deleted is not."""
    fields: tuple[Field, ...] = ()
    is_before_cutoff: bool = False
    xero_id: str = ""
    others: tuple[str, ...] = ()
    """Numbers of further documents in Xero that point at this one."""

    @property
    def agrees(self) -> bool:
        """Return True if Xero is as it should be by the settings."""
        return not self.fields


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What decides, besides SalesBinder, what should be in Xero."""

    settings: Settings
    currency: str
    """The organisation's own."""


def compared(
    kind: Kind,
    record_id: str,
    document: ShopDocument | None,
    links: Sequence[Linked],
    pointing: Sequence[BookDocument],
    contact_id: str,
    rules: Rules,
) -> Compared:
    """Return the document's three sides.

    Args:
        document: as SalesBinder shows it; None if it does not.
        links: of its record.
        pointing: documents in Xero whose ``Url`` is this document's.
        contact_id: the contact that its customer or supplier is linked to; blank if none.
    """
    standing = _standing(kind, links, pointing)
    own = standing[0] if standing else None
    is_linked = any(one.kind == kind and one.xero_id for one in links)
    early = document is not None and not is_linked and _is_early(document.created, rules.settings)
    expected = None if document is None or early else _expected(kind, document, rules.settings)
    xero = None if own is None else _xero_side(kind, own, links)
    fields = _fields(expected, xero, own is not None and own.contact_id == contact_id != "")
    if len(standing) > 1:
        fields = ("document", *(name for name in fields if name != "document"))
    if early and own is None:
        fields = ("document",)
    day = document.day if document is not None else own.day if own is not None else None
    currency = (document.currency if document is not None else "") or rules.settings.currency
    return Compared(
        kind=kind,
        record_id=record_id,
        day=day,
        currency=currency or (own.currency if own is not None and document is None else "") or rules.currency,
        shop=None if document is None else _shop_side(document),
        expected=expected,
        xero=xero,
        fields=fields,
        is_before_cutoff=early,
        xero_id=own.xero_id if own is not None else "",
        others=tuple(one.number or one.xero_id for one in standing[1:]),
    )


def has_bill(document: ShopDocument | None, links: Sequence[Linked], settings: Settings) -> bool:
    """Return True if a bill of a purchase order is to be compared: it is there, or should be."""
    if any(one.kind == "bill" and one.xero_id for one in links):
        return True
    return (
        document is not None
        and document.received
        and settings.received_as == "bill"
        and not (not links and _is_early(document.created, settings))
    )


def _is_early(created: datetime | None, settings: Settings) -> bool:
    return created is not None and created < settings.enabled_at


def _standing(kind: Kind, links: Sequence[Linked], pointing: Sequence[BookDocument]) -> list[BookDocument]:
    """Return the documents of this kind that stand in Xero, the linked one first."""
    linked = [one.shown for one in links if one.kind == kind and one.shown is not None]
    known = {one.xero_id for one in linked}
    every = [*linked, *(one for one in pointing if one.kind == kind and one.xero_id not in known)]
    return [one for one in every if one.status not in GONE]


def _shop_side(document: ShopDocument) -> Side:
    return Side(
        number=document.number,
        party=document.party,
        status=document.status,
        net=document.net,
        tax=document.tax,
        total=document.total,
        paid=document.paid if document.paid is not None else document.balance,
        refunded=document.refunded,
    )


def _expected(kind: Kind, document: ShopDocument, settings: Settings) -> Side | None:
    """Return what the settings make of the document; None if nothing of it should be in Xero."""
    if document.entity == "invoice" and document.status in CANCELLED:
        return None
    if kind == "bill" and not (document.received and settings.received_as == "bill"):
        return None
    paid, refunded = _expected_money(document, settings)
    if kind == "invoice":
        number = settings.invoice_number_format
        status = _invoice_status(document, paid, settings)
    else:
        number = settings.purchase_order_number_format
        status = "AUTHORISED" if settings.purchase_order_status == "authorised" else "DRAFT"
        status = "BILLED" if kind == "purchase_order" and document.received else status
    return Side(
        number=number.replace("{number}", document.number),
        party=document.party,
        status=status,
        net=document.net,
        tax=document.tax,
        total=document.total,
        paid=paid,
        refunded=refunded,
    )


def _expected_money(document: ShopDocument, settings: Settings) -> tuple[Decimal | None, Decimal | None]:
    if document.entity != "invoice":
        return None, None  # people pay bills in Xero, and SalesBinder does not know of it
    if document.paid is None or document.refunded is None:
        return document.balance, None
    if settings.refund_as == "reverse_payment":
        return document.paid - document.refunded, _NOTHING
    return document.paid, document.refunded


def _invoice_status(document: ShopDocument, paid: Decimal | None, settings: Settings) -> str:
    if paid and document.total is not None and paid >= document.total:
        return "PAID"
    return "DRAFT" if settings.invoice_status == "draft" and not paid else "AUTHORISED"


def _xero_side(kind: Kind, own: BookDocument, links: Sequence[Linked]) -> Side:
    notes = [one.shown for one in links if one.kind == "credit_note" and one.shown is not None]
    refunded = sum((note.paid for note in notes if note.status not in GONE), _NOTHING)
    is_invoice = kind == "invoice"
    return Side(
        number=own.number,
        party=own.party,
        status=own.status,
        net=own.net,
        tax=own.tax,
        total=own.total,
        paid=own.paid if is_invoice else None,
        refunded=refunded if is_invoice else None,
    )


def _fields(expected: Side | None, xero: Side | None, is_same_contact: bool) -> tuple[Field, ...]:
    if expected is None or xero is None:
        return () if expected is xero else ("document",)
    found: list[Field] = []
    if " ".join(expected.number.split()) != " ".join(xero.number.split()):
        found.append("number")
    if not is_same_contact and not same_name(expected.party, xero.party):
        found.append("party")
    amounts: tuple[Field, ...] = ("net", "tax", "total")
    found += [name for name in amounts if getattr(expected, name) != getattr(xero, name)]
    found += _money(expected, xero)
    if _other_status(expected, xero):
        found.append("status")
    return tuple(found)


def _money(expected: Side, xero: Side) -> list[Field]:
    """Compare what was paid and refunded; as a sum where they are not known apart."""
    if expected.paid is None or xero.paid is None:
        return ["paid"] if expected.paid is not xero.paid else []
    if expected.refunded is None:
        return [] if expected.paid == xero.balance else ["paid"]
    more = xero.paid - expected.paid
    if expected.balance == xero.balance and more >= 0:
        return []
    apart: tuple[Field, ...] = ("paid", "refunded")
    return [name for name in apart if getattr(expected, name) != getattr(xero, name)]


def _other_status(expected: Side, xero: Side) -> bool:
    """Return True if the statuses differ in earnest: a draft is there to be approved, and PAID follows from
    what was paid in Xero.
    """
    if expected.status == xero.status or (expected.status in _OPEN and xero.status != "BILLED"):
        return False
    if expected.status in _APPROVED and xero.status in _APPROVED:
        if xero.paid is None or not xero.total:
            return False
        return (xero.status == "PAID") != (xero.paid >= xero.total)
    return True

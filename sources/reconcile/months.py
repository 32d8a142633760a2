"""Sums by month, kind and currency, on all three sides. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from sources.reconcile.sides import Compared, Kind, Side

AMOUNTS: Final = ("net", "tax", "total", "paid", "refunded")
_NOTHING: Final = Decimal("0.00")
_NAMES: Final[Mapping[Kind, tuple[str, str]]] = {
    "invoice": ("invoice", "invoices"),
    "purchase_order": ("purchase order", "purchase orders"),
    "bill": ("bill", "bills"),
}
_ORDER: Final = tuple(_NAMES)


class Sums(msgspec.Struct, kw_only=True):
    """Sums of one side's documents."""

    documents: int = 0
    net: Decimal = _NOTHING
    tax: Decimal = _NOTHING
    total: Decimal = _NOTHING
    paid: Decimal = _NOTHING
    refunded: Decimal = _NOTHING

    def add(self, side: Side | None) -> None:
        """Count a document; what is not known counts as nothing."""
        if side is None:
            return
        self.documents += 1
        for name in AMOUNTS:
            setattr(self, name, getattr(self, name) + (getattr(side, name) or _NOTHING))


class Month(msgspec.Struct, kw_only=True):
    """One month's documents of a kind and currency, by date of issue."""

    month: str
    """``2026-03``; blank for documents without a date."""
    kind: Kind
    currency: str
    agreeing: int = 0
    differing: int = 0
    """Without those from before the cut-off."""
    before_cutoff: int = 0
    shop: Sums = msgspec.field(default_factory=Sums)
    """Of SalesBinder, those from before the cut-off and cancelled ones left out."""
    expected: Sums = msgspec.field(default_factory=Sums)
    xero: Sums = msgspec.field(default_factory=Sums)

    @property
    def agrees(self) -> bool:
        """Return True if no document differs, those from before the cut-off aside."""
        return not self.differing

    def add(self, one: Compared) -> None:
        """Count a document."""
        if one.is_before_cutoff and one.xero is None:
            self.before_cutoff += 1
            return
        if one.agrees:
            self.agreeing += 1
        else:
            self.differing += 1
        self.shop.add(one.shop if one.expected is not None else None)
        self.expected.add(one.expected)
        self.xero.add(one.xero)


class Months:
    """Sums that grow document by document."""

    def __init__(self, found: Iterable[Month] = ()) -> None:
        self._by_key = {(each.month, each.kind, each.currency): each for each in found}

    def add(self, one: Compared) -> None:
        """Count a document where it belongs."""
        month = f"{one.day:%Y-%m}" if one.day is not None else ""
        key = (month, one.kind, one.currency)
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = Month(month=month, kind=one.kind, currency=one.currency)
        found.add(one)

    def all(self) -> list[Month]:
        """Return them, the earliest first."""
        keys = sorted(self._by_key, key=lambda key: (key[0], _ORDER.index(key[1]), key[2]))
        return [self._by_key[key] for key in keys]


def in_a_line(month: str, found: Iterable[Month]) -> str:
    """Return one month in a line: that it agrees, with its sums, or how many documents differ."""
    parts = [each for each in found if each.month == month]
    differing = sum(each.differing for each in parts)
    documents = differing + sum(each.agreeing for each in parts)
    early = sum(each.before_cutoff for each in parts)
    name = month or "without a date"
    aside = f"; {early:,} from before the cut-off, not meant to be in Xero" if early else ""
    if not documents:
        return f"{name}: nothing to compare{aside}"
    if differing:
        verb = "differs" if differing == 1 else "differ"
        return f"{name}: {differing:,} of {documents:,} {_documents(documents)} {verb}{aside}"
    sums = ", ".join(_sums(each) for each in parts if each.agreeing)
    return f"{name}: agrees, {sums}{aside}"


def _documents(count: int) -> str:
    return "document" if count == 1 else "documents"


def _sums(found: Month) -> str:
    one, many = _NAMES[found.kind]
    sums = found.xero
    said = f"{found.agreeing:,} {one if found.agreeing == 1 else many} {sums.total:,} {found.currency}"
    amounts = (("paid", sums.paid), ("refunded", sums.refunded))
    money = [f"{what} {amount:,}" for what, amount in amounts if amount]
    return f"{said} ({', '.join(money)})" if money else said

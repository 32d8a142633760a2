"""A shop that changes: a shopkeeper does, one after the other, what SalesBinder lets people do."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from . import acts, seeding
from .acts import LineInput, Refused, as_input
from .records import CUSTOMER, ESTIMATE, INVOICE, ORDER, PROSPECT, SUPPLIER, Document, Party
from .shop import Shop
from .totals import amount_due, cents
from .truth import Change

WEIGHTS = {
    "new_customer": 6,
    "new_supplier": 2,
    "new_prospect": 1,
    "edit_party": 5,
    "edit_party_unnamed": 2,
    "convert_prospect": 1,
    "delete_party": 1,
    "archive_party": 1,
    "new_invoice": 14,
    "edit_invoice": 6,
    "save_unchanged": 2,
    "send_invoice": 2,
    "pay": 16,
    "correct_payment": 2,
    "refund": 5,
    "reset": 2,
    "cancel": 3,
    "delete_invoice": 2,
    "archive_invoice": 2,
    "unarchive": 2,
    "new_estimate": 2,
    "close_estimate": 1,
    "convert_estimate": 2,
    "delete_estimate": 1,
    "new_order": 5,
    "edit_order": 2,
    "send_order": 3,
    "receive_in_part": 2,
    "receive": 3,
    "close_order": 1,
    "delete_order": 1,
}
"""How often each thing happens, if nothing else is said."""
_NAMES = (
    "Acme",
    "Birch",
    "Cedar",
    "Dahlia",
    "Elm",
    "Fir",
    "Globe",
    "Hazel",
    "Iris",
    "Juniper",
    "Kestrel",
    "Larch",
)
_KINDS = ("Hardware", "& Sons", "Trading Ltd", "Café", "Gardens", "Studio", "Foods", "Outfitters")
_GOODS = ("Fitting", "Delivery", "Gift wrapping", "Repair", "Engraving")
_REFERENCES = ("Cash", "Credit Card 9008", "Bank transfer", None)
_TAXES = ("0", "5", "8", "12.5")
_RECORD = TypeVar("_RECORD")


class Shopkeeper:
    """Changes a shop at random, the same way for the same seed, shop and settings.

    `weights` replaces those of WEIGHTS by name (0: never). `pause`: by how many seconds the clock is moved
    before an act, at most; None leaves the clock alone."""

    def __init__(
        self,
        shop: Shop,
        seed: int = 0,
        *,
        weights: Mapping[str, int] | None = None,
        pause: float | None = None,
    ) -> None:
        if unknown := set(weights or {}) - set(WEIGHTS):
            raise ValueError(f"weight {min(unknown)!r} is unknown: use one of {', '.join(WEIGHTS)}")
        self.shop = shop
        self.chance = Random(f"shopkeeper/{seed}")
        self.weights = {**WEIGHTS, **(weights or {})}
        self.pause = pause
        seeding.stock(shop)

    def run(self, steps: int) -> list[Change]:
        """Act `steps` times; returns all that happened."""
        before = len(self.shop.truth.history)
        for _ in range(steps):
            self.step()
        return self.shop.truth.changes(before)

    def step(self) -> str:
        """Do one thing that is possible now; returns its name."""
        if self.pause:
            self.shop.clock.advance(self.chance.random() * self.pause)
        names = [name for name, weight in self.weights.items() if weight]
        weights = [self.weights[name] for name in names]
        with self.shop.lock:
            for name in _without_repetition(self.chance, names, weights):
                try:
                    if _DEEDS[name](self):
                        return name
                except Refused:
                    continue
        raise RuntimeError("nothing can happen in this shop: give more of the weights")

    def some(self, found: Iterable[_RECORD]) -> _RECORD | None:
        """Return one of them, or None if there is none."""
        held = list(found)
        return self.chance.choice(held) if held else None

    def parties(self, context_id: int, *, archived: bool = False) -> list[Party]:
        """Return the accounts of a context that are archived, or not."""
        held = self.shop.store.parties.all()
        return [party for party in held if party.context_id == context_id and party.archived == archived]

    def documents(self, context_id: int, *states: str, archived: bool = False) -> list[Document]:
        """Return the documents of a context that are in one of these states, archived or not."""
        return [
            held
            for held in self.shop.store.documents.all()
            if held.context_id == context_id and held.state in states and held.archived == archived
        ]

    def invoices(self, *, paid: bool | None = None) -> list[Document]:
        """Return standing invoices whose money the API shows; `paid`: with money on them, or without."""
        truth = self.shop.truth.documents
        return [
            held
            for held in self.documents(INVOICE, "open")
            if not truth[held.id].paid_without_rows
            and (paid is None or paid == bool(truth[held.id].net_paid > 0))
        ]

    def lines(self, *, cost: bool = False) -> list[LineInput]:
        """Return one to four lines, most of them plain."""
        return [self._line(cost) for _ in range(self.chance.choice((1, 1, 2, 2, 3, 4)))]

    def _line(self, cost: bool) -> dict[str, Any]:
        chance = self.chance
        price = Decimal(chance.randrange(100, 50_000)) / 100
        line: dict[str, Any] = {
            "quantity": chance.choice(("1", "2", "3", "10", "0.5")),
            "cost" if cost else "price": str(price),
            "tax": chance.choice(_TAXES),
            "tax2": chance.choice(("0", "0", "0", "7")),
            "discount_percent": chance.choice(("0", "0", "0", "10", "15")),
            "description": chance.choice(("", "", "By arrangement", "Größe L, rot")),
        }
        if chance.random() < 0.5:
            return {**line, "item_id": chance.choice(self.shop.items).id}
        return {**line, "name": chance.choice(_GOODS)}

    def changed_lines(self, document: Document) -> list[LineInput]:
        """Return the document's lines with one changed, added or taken out."""
        lines: list[dict[str, Any]] = [as_input(line) for line in document.standing_lines]
        what = self.chance.choice(("quantity", "amount", "text", "add", "remove"))
        chosen = self.chance.choice(lines) if lines else None
        if chosen is None or what == "add":
            return [*lines, self._line(document.context_id == ORDER)]
        if what == "remove" and len(lines) > 1:
            return [line for line in lines if line is not chosen]
        if what == "quantity":
            chosen["quantity"] += 1
        elif what == "amount":
            chosen["cost" if chosen["cost"] else "price"] += Decimal("0.75")
        else:
            chosen["description"] = f"{chosen['description']} (changed)"
        return list(lines)

    def name(self) -> str:
        """Return a company's name that no account has yet."""
        number = len(self.shop.truth.parties) + 1
        return f"{self.chance.choice(_NAMES)} {self.chance.choice(_KINDS)} {number}"

    def new_party(self, kind: str) -> bool:
        """Welcome somebody."""
        name = self.name()
        mail = f"{name.split()[0].lower()}@{kind}.example"
        city = {"billing_city": self.chance.choice(("Vancouver", "Leeds", "")), "billing_country": "Canada"}
        acts.create_party(self.shop, kind, name=name, office_email=mail, office_phone="604-555-0101", **city)
        return True

    def new_document(self, kind: str, context_id: int) -> bool:
        """Write an estimate, invoice or order, for somebody new if there is nobody."""
        party = self.some(self.parties(context_id))
        if party is None:
            return self.new_party("supplier" if context_id == SUPPLIER else "customer")
        lines = self.lines(cost=kind == "purchase_order")
        name = self.chance.choice((None, None, "Spring order"))
        acts.create_document(self.shop, kind, party.id, lines, name=name)
        return True

    def part(self, whole: Decimal) -> Decimal:
        """Return all of it, or a part, in cents."""
        return whole if self.chance.random() < 0.5 else cents(whole * self.chance.choice(_PARTS)) or whole


_PARTS = (Decimal("0.25"), Decimal("0.5"), Decimal("0.3"))


def _without_repetition(chance: Random, names: list[str], weights: list[int]) -> Iterable[str]:
    """Yield all names in a random order in which heavier ones tend to come first."""
    left = dict(zip(names, weights, strict=True))
    while left:
        name = chance.choices(list(left), list(left.values()))[0]
        del left[name]
        yield name


def _edit_party(keeper: Shopkeeper) -> bool:
    kind = keeper.chance.choice((CUSTOMER, CUSTOMER, SUPPLIER))
    if (party := keeper.some(keeper.parties(kind))) is None:
        return False
    number = keeper.chance.randrange(100, 1000)
    changes = (
        {"office_phone": f"604-555-0{number}"},
        {"office_email": f"new{number}@shop.example"},
        {"billing_city": f"Town {number}", "billing_postal_code": str(number)},
        {"name": keeper.name()},
        {"url": ""},
    )
    acts.edit_party(keeper.shop, party.id, **keeper.chance.choice(changes))
    return True


def _delete_party(keeper: Shopkeeper) -> bool:
    busy = {held.party_id for held in keeper.shop.store.documents.all()}
    parties = keeper.parties(keeper.chance.choice((CUSTOMER, SUPPLIER)))
    if (party := keeper.some(held for held in parties if held.id not in busy)) is None:
        return False
    acts.delete_party(keeper.shop, party.id)
    return True


def _with_party(keeper: Shopkeeper, context_id: int, act: Callable[..., Any], **given: Any) -> bool:
    if (party := keeper.some(keeper.parties(context_id))) is None:
        return False
    act(keeper.shop, party.id, **given)
    return True


def _with_document(keeper: Shopkeeper, found: list[Document], act: Callable[..., Any], **given: Any) -> bool:
    if (document := keeper.some(found)) is None:
        return False
    act(keeper.shop, document.id, **given)
    return True


def _edit(keeper: Shopkeeper, found: list[Document]) -> bool:
    if (document := keeper.some(found)) is None:
        return False
    if keeper.chance.random() < 0.25:
        acts.edit_document(keeper.shop, document.id, name=f"Order {keeper.chance.randrange(1000)}")
    else:
        acts.edit_document(keeper.shop, document.id, lines=keeper.changed_lines(document))
    return True


def _pay(keeper: Shopkeeper) -> bool:
    truth = keeper.shop.truth.documents
    owed = [held for held in keeper.invoices() if amount_due(held) > truth[held.id].net_paid]
    if (document := keeper.some(owed)) is None:
        return False
    due = amount_due(document) - truth[document.id].net_paid
    acts.pay(keeper.shop, document.id, keeper.part(due), reference=keeper.chance.choice(_REFERENCES))
    return True


def _correct_payment(keeper: Shopkeeper) -> bool:
    truth = keeper.shop.truth.documents
    found = [
        (held, row_id) for held in keeper.invoices(paid=True) for row_id in truth[held.id].payments
        if not truth[held.id].returned.get(row_id)
    ]  # fmt: skip
    if (chosen := keeper.some(found)) is None:
        return False
    document, row_id = chosen
    smaller = cents(truth[document.id].payments[row_id] / 2)
    changes: tuple[dict[str, Any], ...] = ({"amount": smaller}, {"reference": "Cheque 77"})
    acts.correct_payment(keeper.shop, document.id, row_id, **keeper.chance.choice(changes))
    return True


def _refund(keeper: Shopkeeper) -> bool:
    truth = keeper.shop.truth.documents
    found = [
        (held, row_id, left)
        for held in keeper.invoices(paid=True)
        for row_id, paid in truth[held.id].payments.items()
        if (left := paid - truth[held.id].returned.get(row_id, Decimal(0))) > 0
    ]
    if (chosen := keeper.some(found)) is None:
        return False
    document, row_id, left = chosen
    returned = left if keeper.shop.switches.refund == "row_vanishes" else keeper.part(left)
    acts.refund(keeper.shop, document.id, row_id, returned)
    return True


def _unarchive(keeper: Shopkeeper) -> bool:
    shelved: list[Party | Document] = [
        *(held for held in keeper.shop.store.documents.all() if held.archived),
        *(held for held in keeper.shop.store.parties.all() if held.archived),
    ]
    if (record := keeper.some(shelved)) is None:
        return False
    acts.unarchive(keeper.shop, record.id)
    return True


def _convert_estimate(keeper: Shopkeeper) -> bool:
    if (estimate := keeper.some(keeper.documents(ESTIMATE, "open"))) is None:
        return False
    deposit = cents(amount_due(estimate) / 4) if keeper.chance.random() < 0.3 else 0
    acts.convert_estimate(keeper.shop, estimate.id, deposit=deposit)
    return True


def _receive_in_part(keeper: Shopkeeper) -> bool:
    if (order := keeper.some(keeper.documents(ORDER, "sent", "partially_received"))) is None:
        return False
    line = keeper.chance.choice(order.standing_lines)
    acts.receive(keeper.shop, order.id, {line.id: cents((line.quantity - line.received) / 2)})
    return True


_DEEDS: dict[str, Callable[[Shopkeeper], bool]] = {
    "new_customer": lambda keeper: keeper.new_party("customer"),
    "new_supplier": lambda keeper: keeper.new_party("supplier"),
    "new_prospect": lambda keeper: keeper.new_party("prospect"),
    "edit_party": _edit_party,
    "edit_party_unnamed": lambda keeper: _with_party(
        keeper, CUSTOMER, acts.edit_party, vat_number=str(keeper.chance.randrange(10**6))
    ),
    "convert_prospect": lambda keeper: _with_party(keeper, PROSPECT, acts.convert_prospect),
    "delete_party": _delete_party,
    "archive_party": lambda keeper: _with_party(keeper, CUSTOMER, acts.archive),
    "new_invoice": lambda keeper: keeper.new_document("invoice", CUSTOMER),
    "edit_invoice": lambda keeper: _edit(keeper, keeper.invoices(paid=False)),
    "save_unchanged": lambda keeper: _with_document(keeper, keeper.invoices(), acts.edit_document),
    "send_invoice": lambda keeper: _with_document(keeper, keeper.invoices(), acts.send_document),
    "pay": _pay,
    "correct_payment": _correct_payment,
    "refund": _refund,
    "reset": lambda keeper: _with_document(keeper, keeper.invoices(paid=True), acts.reset),
    "cancel": lambda keeper: _with_document(keeper, keeper.invoices(paid=False), acts.cancel_document),
    "delete_invoice": lambda keeper: _with_document(
        keeper, keeper.invoices(paid=False) + keeper.documents(INVOICE, "cancelled"), acts.delete_document
    ),
    "archive_invoice": lambda keeper: _with_document(
        keeper, keeper.documents(INVOICE, "open", "cancelled"), acts.archive
    ),
    "unarchive": _unarchive,
    "new_estimate": lambda keeper: keeper.new_document("estimate", CUSTOMER),
    "close_estimate": lambda keeper: _with_document(
        keeper, keeper.documents(ESTIMATE, "open"), acts.set_estimate_state, state="declined"
    ),
    "convert_estimate": _convert_estimate,
    "delete_estimate": lambda keeper: _with_document(
        keeper, keeper.documents(ESTIMATE, "open", "closed", "declined"), acts.delete_document
    ),
    "new_order": lambda keeper: keeper.new_document("purchase_order", SUPPLIER),
    "edit_order": lambda keeper: _edit(keeper, keeper.documents(ORDER, "not_sent", "sent")),
    "send_order": lambda keeper: _with_document(
        keeper, keeper.documents(ORDER, "not_sent"), acts.send_document
    ),
    "receive_in_part": _receive_in_part,
    "receive": lambda keeper: _with_document(
        keeper, keeper.documents(ORDER, "sent", "partially_received"), acts.receive
    ),
    "close_order": lambda keeper: _with_document(keeper, keeper.documents(ORDER, "sent"), acts.close_order),
    "delete_order": lambda keeper: _with_document(
        keeper, keeper.documents(ORDER, "not_sent"), acts.delete_document
    ),
}

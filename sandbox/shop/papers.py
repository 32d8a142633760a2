"""Invoices and purchase orders in the making: every step writes its event down and keeps the books."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Literal

from . import catalogue
from .books import Figures, Money, Record, Refusal, ShopContact, ShopDocument, ShopInvoice, ShopOrder
from .catalogue import Goods
from .diary import Diary

_CENT = Decimal("0.01")
_FOREIGN_RATE = "0.905"
"""One unit of the shop's own money in the foreign currency."""


class _Paper:
    """A document in the making. Every step happens some minutes after the one before."""

    kind: ClassVar[Literal["invoice", "purchase_order"]]

    def __init__(self, diary: Diary, books: ShopDocument, at: datetime) -> None:
        self._diary = diary
        self._books = books
        self._now = at
        self._transactions: list[Record] = []
        self._added = Decimal(0)
        self._lines: list[Record] = []
        self._name: str | None = None
        self.created = at

    def sell(
        self,
        goods: Goods,
        *,
        taxes: tuple[str, str] | None = None,
        discount: str | None = None,
    ) -> None:
        """Put a line on the document, before it is created."""
        number, position = self._books.number, len(self._lines)
        written = catalogue.line(
            goods,
            self._diary.id_of(f"{self.kind}/{number}/line/{position}"),
            self._diary.id_of(f"item/{goods.sku}"),
            self._diary.chance,
            taxes=taxes,
            discount=discount,
            buying=self.kind == "purchase_order",
        )
        self._lines.append(written)
        self._count()

    @property
    def total(self) -> Decimal:
        """The document's total."""
        return self._books.figures.total

    def name(self, text: str) -> None:
        """Set the customer's or supplier's name for it: the reference in Xero."""
        self._name = text

    def foreign(self, currency: str) -> None:
        """Put it in another currency than the shop's own."""
        self._books.currency = currency

    def create(self, refused: str | None = None, added: Decimal = Decimal(0)) -> None:
        """Create it. ``added`` is on the document's total and on no line; ``refused`` is why Xero does not
        get it.
        """
        self._added = added
        self._count()
        self._snapshot("created", refused)

    def edit(self, refused: str | None = None) -> None:
        """Edit it: one more of the first line."""
        self._pass(20)
        self._lines[0]["quantity"] = str(Decimal(self._lines[0]["quantity"]) + 1)
        self._count()
        self._snapshot("edited", refused)

    def mend(self) -> None:
        """Correct the first line's tax, so that earlier failures go through."""
        self._pass(25)
        self._lines[0]["tax"] = "8"
        self._count()
        self._snapshot("edited", None)

    def delete(self) -> None:
        """Delete it: the deleted log knows the id and nothing else."""
        self._pass(30)
        self._books.held = None
        self._diary.say(
            self._now, f"{self.kind}.deleted", self._books.id, {"document": {"id": self._books.id}}
        )

    def _snapshot(self, action: str, refused: str | None) -> None:
        """Publish it as created or edited: Xero gets the totals, unless it refuses them."""
        if refused is not None:
            self._refused(action, refused)
        elif not self._books.old:
            self._books.refusals = [r for r in self._books.refusals if r.action not in ("created", "edited")]
            self._bring()
        self._tell(action)

    def _bring(self) -> None:
        held = self._books.held or Figures()
        self._books.held = held
        held.total, held.tax = self._books.figures.total, self._books.figures.tax
        self._books.texts = {text for one in self._lines for text in catalogue.texts(one)}

    def _refused(self, action: str, reason: str) -> None:
        self._books.refusals.append(Refusal(self._books.id, action, reason))

    def _pass(self, minutes: float) -> None:
        self._now += timedelta(minutes=minutes * (0.5 + self._diary.chance.random()))

    def _count(self) -> None:
        """Count the totals as SalesBinder has them: sums are rounded, not lines."""
        unit = "cost" if self.kind == "purchase_order" else "price"
        pairs = [(_net(line, unit), line) for line in self._lines]
        self._subtotal = _cents(sum((net for net, _ in pairs), Decimal(0)))
        self._tax, self._tax2 = (
            _cents(sum((net * Decimal(line[name]) / 100 for net, line in pairs), Decimal(0)))
            for name in ("tax", "tax2")
        )
        figures = self._books.figures
        figures.tax = self._tax + self._tax2
        figures.total = self._subtotal + figures.tax + self._added

    def _tell(self, action: str, earlier: float = 0.0, **more: Record) -> None:
        data = {"document": self._document(), **more}
        self._diary.say(self._now, f"{self.kind}.{action}", self._books.id, data, earlier)

    def _document(self) -> Record:
        lines = str(self._subtotal + self._added)
        figures, buying = self._books.figures, self.kind == "purchase_order"
        document: Record = {
            "id": self._books.id,
            "document_number": self._books.number,
            "context_id": 11 if buying else 5,
            "customer_id": self._books.party.id,
            "name": self._name,
            "issue_date": self.created.date().isoformat(),
            "status": {"name": getattr(self._books, "status", "")},
            "total_cost": lines if buying else 0,
            "total_price": 0 if buying else lines,
            "total_tax": str(self._tax),
            "total_tax2": str(self._tax2),
            "total_transactions": str(figures.paid - figures.refunded),
            "created": self.created.isoformat(),
            "modified": self._now.isoformat(),
            "document_items": self._lines,
            "customer": self._books.party.at(self._now),
            "transactions": self._transactions,
        }
        if self._books.currency:
            document |= {"currency": self._books.currency, "currency_rate": _FOREIGN_RATE}
        return document


class Sale(_Paper):
    """An invoice in the making."""

    kind = "invoice"

    def __init__(
        self, diary: Diary, number: int, story: str, client: ShopContact, at: datetime, *, old: bool = False
    ) -> None:
        self.invoice = ShopInvoice(diary.id_of(f"invoice/{number}"), number, client, story, old=old)
        super().__init__(diary, self.invoice, at)

    def fill(self, goods: Sequence[Goods] = catalogue.GOODS) -> None:
        """Put the usual lines on it."""
        chance = self._diary.chance
        for _ in range(chance.choice([1, 1, 2, 3, 5])):
            self.sell(chance.choice(goods))
        if chance.random() < 0.2:
            self.sell(chance.choice(catalogue.SERVICES))

    def pay(
        self,
        amount: Decimal,
        how: str | None = None,
        *,
        earlier: float = 0.0,
        dated: bool = True,
        refused: str | None = None,
    ) -> None:
        """Pay it. ``earlier`` is by how many seconds its event is published too early; without a date of its
        own it has the event's.
        """
        money, transaction = self._transaction("payment", amount, how, dated)
        self.invoice.figures.payments.append(money)
        if refused is not None:
            self._refused("payment_applied", refused)
        elif not self.invoice.old:
            if self.invoice.held is None:
                self._bring()
            assert self.invoice.held is not None
            self.invoice.held.payments.append(money)
        self._tell("payment_applied", earlier, transaction=transaction)

    def part(self, share: str) -> Decimal:
        """Return so much of the total, in cents."""
        return _cents(self.total * Decimal(share))

    def refund(self, amount: Decimal, how: str | None = None, *, refused: str | None = None) -> None:
        """Pay money back. Some clients of SalesBinder write it with a minus."""
        money, transaction = self._transaction("refund", amount, how, True)
        if len(self.invoice.figures.refunds) % 2:
            transaction["amount"] = f"-{transaction['amount']}"
        self.invoice.figures.refunds.append(money)
        if refused is not None:
            self._refused("refund_applied", refused)
        else:
            assert self.invoice.held is not None
            self.invoice.held.refunds.append(money)
        self._tell("refund_applied", transaction=transaction)

    def reset(self) -> None:
        """Reset it: all payments are taken back, and their failures are over."""
        self._pass(30)
        self._transactions = []
        self.invoice.refusals = [r for r in self.invoice.refusals if not r.action.endswith("_applied")]
        for figures in (self.invoice.figures, self.invoice.held):
            if figures is not None:
                figures.payments, figures.refunds = [], []
        self._tell("reset")

    def cancel(self) -> None:
        """Cancel the sale."""
        self._pass(40)
        self.invoice.status = "cancelled"
        self.invoice.held = None
        self._tell("cancelled")

    def delete(self) -> None:
        """Delete the invoice."""
        self.invoice.status = "deleted"
        super().delete()

    def _transaction(self, kind: str, amount: Decimal, how: str | None, dated: bool) -> tuple[Money, Record]:
        self._pass(15)
        made = len(self.invoice.figures.payments) + len(self.invoice.figures.refunds)
        # After a reset a payment has a new id.
        transaction_id = self._diary.id_of(f"{kind}/{self.invoice.number}/{made}/{self._now.isoformat()}")
        how = how or self._diary.chance.choice(catalogue.METHODS)
        account = catalogue.PAYMENT_ACCOUNTS.get(how, catalogue.PAYMENT_ACCOUNTS[""])
        transaction: Record = {
            "id": transaction_id,
            "document_id": self.invoice.id,
            "amount": str(amount),
            "reference": how,
        }
        if dated:
            transaction["transaction_date"] = self._now.date().isoformat()
        self._transactions.append(transaction)
        return Money(transaction_id, amount, self._now.date(), how, account), transaction


class Purchase(_Paper):
    """A purchase order in the making."""

    kind = "purchase_order"

    def __init__(
        self, diary: Diary, number: int, story: str, supplier: ShopContact, at: datetime, *, old: bool = False
    ) -> None:
        self.order = ShopOrder(diary.id_of(f"order/{number}"), number, supplier, story, old=old)
        super().__init__(diary, self.order, at)

    def fill(self) -> None:
        """Put the usual lines on it."""
        chance = self._diary.chance
        for _ in range(chance.choice([1, 2, 4])):
            self.sell(chance.choice(catalogue.GOODS))

    def receive(self) -> None:
        """Receive all of the goods: from then on it is a debt."""
        self._pass(60)
        self.order.status = "received"
        self.order.received_on = self._now.date()
        if self.order.held is None and not self.order.old:
            self._bring()
        self._tell("received")

    def delete(self) -> None:
        """Delete the order."""
        self.order.status = "deleted"
        super().delete()


def _net(line: Record, unit: str) -> Decimal:
    discount = Decimal(line["discount_percent"])
    return Decimal(line["quantity"]) * Decimal(line[unit]) * (100 - discount) / 100


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)

"""A shop's records as they change: customers, suppliers, invoices, orders, and the events that tell of it."""

import copy
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
_OLD = datetime(2025, 12, 15, tzinfo=UTC)
_ALWAYS = ("id", "name", "created", "modified")

Record = dict[str, Any]
_INVOICE_ACTIONS = {
    "edited": 5,
    "payment_applied": 7,
    "refund_applied": 4,
    "reset": 1,
    "cancelled": 1,
    "deleted": 1,
}
_ORDER_ACTIONS = {"edited": 4, "received": 3, "deleted": 1}


@dataclass
class Story:
    """What has happened to an account so far, and the chance that decides what does next."""

    account: str
    chance: random.Random
    ids: random.Random
    calm: bool
    now: datetime = BEGAN
    number: int = 0
    events: list[Record] = field(default_factory=list)

    def id(self) -> str:
        return str(uuid.UUID(int=self.ids.getrandbits(128), version=4))

    def tick(self) -> str:
        """Time goes on; now and then so little that two changes have one stamp."""
        if self.chance.random() > 0.08:
            self.now += timedelta(minutes=self.chance.randint(1, 50))
        return self.now.isoformat()

    def happened(self, kind: str, subject: str, data: Record) -> Record:
        event = {
            "specversion": "1.0",
            "id": self.id(),
            "source": f"/salesbinder/{self.account}",
            "type": f"salesbinder.{kind}",
            "subject": subject,
            "time": self.now.isoformat(),
            "data": copy.deepcopy(data),
        }
        self.events.append(event)
        return event


def parties_of(story: Story) -> list["Party"]:
    """Some customers and suppliers; by chance two of them have one name."""
    parties = [Party(story, side) for side in ("customer", "customer", "customer", "supplier", "supplier")]
    if story.chance.random() < 0.5:
        parties[3].record["name"] = parties[0].record["name"]
    return parties


class Party:
    """A customer or supplier."""

    def __init__(self, story: Story, side: str) -> None:
        self.story, self.side = story, side
        now = story.now.isoformat()
        self.record: Record = {
            "id": story.id(),
            "name": f"Party {story.ids.randrange(10**9)}",
            "created": now,
        }
        self.record |= {"modified": now}
        self.known = False

    def change(self) -> None:
        chance = self.story.chance
        key = chance.choice(("name", "office_email", "office_phone", "billing_address_1", "office_fax"))
        sign = chance.randrange(10**6)
        value = {
            "name": f"Party renamed {sign}-{self.record['id'][:4]}",
            "office_email": f"p{sign}@example.com",
        }
        blank = key != "name" and chance.random() < 0.25
        self.record[key] = "" if blank else value.get(key, str(sign))
        self.record["modified"] = self.story.now.isoformat()

    def act(self) -> None:
        chance, kind = self.story.chance, "edited" if self.known else "created"
        if self.known and chance.random() < 0.1:
            self.story.happened(
                f"{self.side}.deleted", self.record["id"], {self.side: {"id": self.record["id"]}}
            )
            return
        before = copy.deepcopy(self.record)
        if self.known:
            self.change()
        self.known = True
        shown = before if chance.random() < 0.1 else self.record
        if chance.random() < 0.15:
            shown = {key: value for key, value in shown.items() if key in _ALWAYS or chance.random() < 0.5}
        self.story.happened(f"{self.side}.{kind}", self.record["id"], {self.side: shown})

    def in_document(self) -> Record:
        """As a document of it shows it: whole, or as little as some publishers tell."""
        if self.chance.random() > 0.15:
            return self.record
        kept = ("id", "name", "modified") if self.chance.random() < 0.5 else ("id", "name")
        return {key: self.record[key] for key in kept}

    @property
    def chance(self) -> random.Random:
        return self.story.chance


class Paper:
    """An invoice or a purchase order: comes into being, and what happens to it."""

    def __init__(self, story: Story, party: Party) -> None:
        self.story, self.party = story, party
        self.entity = entity = "invoice" if party.side == "customer" else "purchase_order"
        self.pricing = "price"
        if entity == "purchase_order":
            self.pricing = self.chance.choice(("price", "cost", "price beside a cost of nothing"))
        story.number += 1
        number = story.number
        if story.calm and entity == "invoice" and number > 3 and self.chance.random() < 0.06:
            number = self.chance.randint(1, number - 1)
        created = _OLD if self.chance.random() < 0.06 else story.now
        self.document: Record = {
            "id": story.id(),
            "document_number": number,
            "context_id": 5 if entity == "invoice" else 11,
            "customer_id": party.record["id"],
            "issue_date": story.now.date().isoformat(),
            "created": created.isoformat(),
            "modified": story.now.isoformat(),
            "name": f"PO {number}",
            "document_items": [self._line() for _ in range(self.chance.randint(1, 3))],
        }
        self.paid: list[Record] = []
        self.removed = False
        self._settle()
        if self.chance.random() < 0.1:
            self._spoil()
        if self.chance.random() < 0.93:
            self._tell("created")

    def _line(self) -> Record:
        chance = self.chance
        cents = chance.randint(100, 30000)
        line: Record = {
            "id": self.story.id(),
            "name": f"Thing {cents}",
            "quantity": chance.randint(1, 4),
            "tax2": 0,
            "price": f"{cents / 100:.2f}",
            "tax": chance.choice((0, 8, 8)),
        }
        kind = chance.random()
        if kind < 0.08:  # four decimals: cents of net are left over
            line["price"] = f"{chance.randint(1, 99999) / 10000:.4f}"
        elif kind < 0.16:  # as a program prints a float
            line["price"] = f"{cents / 100:.2f}0000000000{chance.randint(1, 9)}"
            line["tax"] = 8.000000000000002 if line["tax"] else 0
        if self.entity == "purchase_order":
            self._priced(line)
        return line

    def _priced(self, line: Record) -> None:
        """What an order's line costs, in the field that this publisher uses for it."""
        match self.pricing:
            case "cost":
                line["cost"], line["price"] = line["price"], "999.00"
            case "price beside a cost of nothing":
                line["cost"] = 0

    def _settle(self) -> None:
        """Totals as SalesBinder counts them: the document is rounded, not its lines."""
        unit = "cost" if self.pricing == "cost" else "price"
        items = self.document["document_items"]
        units = [Decimal(line[unit]).quantize(Decimal("0.000001")) for line in items]
        nets = [price * line["quantity"] for price, line in zip(units, items, strict=True)]
        rates = [Decimal(str(line["tax"])).quantize(Decimal("0.0001")) for line in items]
        tax = sum((net * rate / 100 for net, rate in zip(nets, rates, strict=True)), Decimal(0))
        cent = Decimal("0.01")
        net = str(sum(nets, Decimal(0)).quantize(cent, ROUND_HALF_UP))
        self.document["total_price"] = net if self.pricing != "cost" else "999.00"
        if self.entity == "purchase_order":
            self.document["total_cost"] = net if self.pricing == "cost" else 0
        self.document["total_tax"] = str(tax.quantize(cent, ROUND_HALF_UP))
        if len(items) == 1 and items[0]["tax"] == 8 and Decimal(net) and self.chance.random() < 0.1:
            # A rate that the publisher has worked out of the amounts.
            items[0]["tax"] = float(Decimal(self.document["total_tax"]) / nets[0] * 100)

    @property
    def _total_key(self) -> str:
        return "total_cost" if self.pricing == "cost" else "total_price"

    def _spoil(self) -> None:
        if self.chance.random() < 0.5:
            self.document["document_items"][0]["tax"] = 13
            self._settle()
        else:
            self.document[self._total_key] = str(Decimal(self.document[self._total_key]) + 50)

    @property
    def chance(self) -> random.Random:
        return self.story.chance

    @property
    def total(self) -> Decimal:
        return Decimal(self.document[self._total_key]) + Decimal(self.document["total_tax"])

    def _tell(self, action: str, **more: Any) -> Record:
        document = {**self.document, "customer": self.party.in_document(), **more.pop("document", {})}
        if action == "deleted":
            document = {"id": self.document["id"]}
        return self.story.happened(
            f"{self.entity}.{action}", self.document["id"], {"document": document, **more}
        )

    def act(self) -> None:
        weights = _INVOICE_ACTIONS if self.entity == "invoice" else _ORDER_ACTIONS
        [action] = self.chance.choices(list(weights), list(weights.values()))
        self.removed |= action in ("cancelled", "deleted")
        special: dict[str, Callable[[], object]] = {
            "edited": self._edit,
            "payment_applied": lambda: self._pay(action),
            "refund_applied": lambda: self._pay(action),
            "received": self._receive,
        }
        special.get(action, lambda: self._tell(action))()

    def _edit(self) -> None:
        before = copy.deepcopy(self.document)
        kind = self.chance.choice(("same", "name", "text", "price", "line", "due", "spoil", "party"))
        items = self.document["document_items"]
        sign = self.chance.randrange(10**6)
        if kind == "name":
            self.document["name"] = f"Order {sign}"
        elif kind == "text":
            items[0]["name"] = f"Thing again {sign}"
        elif kind == "price":
            items[0] |= {"price": f"{sign / 100:.2f}", "tax": 8}
            if self.entity == "purchase_order":
                self._priced(items[0])
        elif kind == "line":
            items.append(self._line()) if len(items) < 4 else items.pop()
        elif kind == "due":
            self.document["due_date"] = (self.story.now + timedelta(days=sign % 60)).date().isoformat()
        elif kind == "party":
            self.party.change()
        if kind not in ("same", "name", "due"):
            self._settle()
        if kind == "spoil":
            self._spoil()
        self.document["modified"] = self.story.now.isoformat()
        if self.chance.random() < 0.12:
            hours = timedelta(minutes=self.chance.randint(1, 600))
            late = max(self.story.now - hours, BEGAN)
            self._tell("edited", document={**before, "modified": late.isoformat()})
        else:
            self._tell("edited")

    def _receive(self) -> None:
        """Goods came: all of them, or by the lines' own word only some."""
        items = copy.deepcopy(self.document["document_items"])
        kind = self.chance.random()
        if kind < 0.3:
            items[0]["quantity_partially_received"] = items[0]["quantity"] if kind < 0.1 else 0.5
        status = {"status": {"name": "received"}} if kind < 0.15 else {}
        self._tell("received", document={"document_items": items, **status})

    def _pay(self, action: str) -> None:
        chance = self.chance
        if self.paid and chance.random() < 0.2:  # the same transaction, from another publisher or corrected
            told = copy.deepcopy(chance.choice(self.paid))
            if chance.random() < 0.6:
                self._correct(told)
            self._transact(*told.values())
            return
        kind = chance.random()
        share = Decimal(chance.randint(1, 100)) / 100
        amount = (self.total * share).quantize(Decimal("0.01")) if kind < 0.6 else self.total
        equal = [p for p in self.paid if p["action"] == "payment_applied"]
        if action == "refund_applied" and equal and kind < 0.7:
            earlier = chance.choice(equal)["transaction"]
            amount, reference = Decimal(earlier["amount"]), earlier["reference"]
        else:
            reference = chance.choice(("Cash", "Credit Card 9008"))
        if action == "payment_applied" and kind > 0.96:
            amount = Decimal(chance.choice(("0.00", "-5.00")))
        elif kind > 0.93:
            amount = self.total + 100
        elif 0.1 < kind < 0.2:
            amount += Decimal(chance.randint(-9, 9)) / 1000
        amount = abs(amount) or Decimal("0.01") if action == "refund_applied" else amount
        transaction = {
            "id": self.story.id(),
            "amount": str(amount),
            "reference": reference,
            "transaction_date": self.story.now.date().isoformat(),
        }
        self._transact(action, transaction)

    def _correct(self, told: Record) -> None:
        """Somebody has put a transaction right. What a refund may have taken back is left alone, and so are
        amounts of fractions of a cent.
        """
        chance, transaction = self.chance, told["transaction"]
        taken_back = told["action"] == "payment_applied" and self.refunded
        if taken_back or Decimal(transaction["amount"]) % Decimal("0.01"):
            return
        kind = chance.choice(("amount", "amount", "day", "reference", "nothing"))
        if kind == "amount":
            transaction["amount"] = str((self.total * chance.randint(1, 110) / 100).quantize(Decimal("0.01")))
        elif kind == "day":
            transaction["transaction_date"] = (self.story.now - timedelta(days=3)).date().isoformat()
        elif kind == "reference":
            transaction["reference"] = "Cash" if transaction["reference"] != "Cash" else "Credit Card 9008"
        else:
            transaction["amount"] = "0.00"

    @property
    def refunded(self) -> bool:
        return any(told["action"] == "refund_applied" for told in self.paid)

    def _transact(self, action: str, transaction: Record) -> None:
        known = {"action": action, "transaction": transaction}
        if known not in self.paid:
            self.paid.append(known)
        self._tell(action, transaction=transaction)

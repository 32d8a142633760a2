"""Random histories of a shop: change events as SalesBinder's publishers might send them, from a seed."""

import copy
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ENABLED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
_OLD = datetime(2025, 12, 15, tzinfo=UTC)

Record = dict[str, Any]
CHOICES = {
    "invoice_status": ("authorised", "draft"),
    "purchase_order_status": ("authorised", "draft"),
    "edit_authorised": ("refuse", "push"),
    "refund_as": ("credit_note", "reverse_payment"),
    "received_as": ("bill", "billed"),
}
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
class History:
    """What happens to one account: events in portions, each sent when the one before has ended."""

    seed: str
    account: str
    settings: dict[str, str]
    portions: list[list[Record]]

    @property
    def events(self) -> list[Record]:
        return [event for portion in self.portions for event in portion]


@dataclass
class Story:
    """What has happened to an account so far, and the chance that decides what does next."""

    account: str
    chance: random.Random
    ids: random.Random
    calm: bool
    now: datetime = _BEGAN
    number: int = 0
    events: list[Record] = field(default_factory=list)

    def id(self) -> str:
        return str(uuid.UUID(int=self.ids.getrandbits(128), version=4))

    def tick(self) -> str:
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


def make_history(
    seed: str, account: str, *, actions: int = 45, after: int = 0, calm: bool | None = None
) -> History:
    """The history of this seed, ``number/anything``: seeds of one number use the same record ids.

    Args:
        after: documents are numbered from the next number on.
        calm: events come one by one, and numbers may be used twice; by chance when left out.
    """
    number = seed.partition("/")[0]
    chance = random.Random(seed)
    by_chance = chance.random() < 0.4
    calm = by_chance if calm is None else calm
    story = Story(account, chance, random.Random(number), calm, number=after)
    settings = {key: chance.choice(values) for key, values in CHOICES.items()}
    parties = parties_of(story)
    papers: list[Paper] = []
    for _ in range(actions):
        story.tick()
        kind = chance.random()
        if kind < 0.12:
            chance.choice(parties).act()
        elif kind < 0.35 or not papers:
            side = "customer" if chance.random() < 0.65 else "supplier"
            papers.append(Paper(story, chance.choice([p for p in parties if p.side == side])))
        else:
            paper = chance.choice(papers[-6:])
            paper.act()
            if paper.removed and chance.random() < 0.6:
                papers.remove(paper)
    events = shuffled(_repeated(story.events, story), chance)
    return History(seed, account, settings, _portions(events, chance, calm))


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
        self.story.happened(f"{self.side}.{kind}", self.record["id"], {self.side: shown})


class Paper:
    """An invoice or a purchase order: comes into being, and what happens to it."""

    def __init__(self, story: Story, party: Party) -> None:
        self.story, self.party = story, party
        self.entity = entity = "invoice" if party.side == "customer" else "purchase_order"
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
        cents = self.chance.randint(100, 30000)
        line = {
            "id": self.story.id(),
            "name": f"Thing {cents}",
            "quantity": self.chance.randint(1, 4),
            "tax2": 0,
        }
        return line | {"price": f"{cents / 100:.2f}", "tax": self.chance.choice((0, 8, 8))}

    def _settle(self) -> None:
        """Totals as SalesBinder counts them: the document is rounded, not its lines."""
        nets = [
            (Decimal(line["price"]) * line["quantity"], line["tax"])
            for line in self.document["document_items"]
        ]
        tax = sum((net * rate / 100 for net, rate in nets), Decimal(0))
        cent = Decimal("0.01")
        self.document["total_price"] = str(sum(net for net, _ in nets))
        self.document["total_tax"] = str(tax.quantize(cent, ROUND_HALF_UP))

    def _spoil(self) -> None:
        if self.chance.random() < 0.5:
            self.document["document_items"][0]["tax"] = 13
            self._settle()
        else:
            self.document["total_price"] = str(Decimal(self.document["total_price"]) + 50)

    @property
    def chance(self) -> random.Random:
        return self.story.chance

    @property
    def total(self) -> Decimal:
        return Decimal(self.document["total_price"]) + Decimal(self.document["total_tax"])

    def _tell(self, action: str, **more: Any) -> Record:
        document = {**self.document, "customer": self.party.record, **more.pop("document", {})}
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
            late = max(self.story.now - hours, _BEGAN)
            self._tell("edited", document={**before, "modified": late.isoformat()})
        else:
            self._tell("edited")

    def _pay(self, action: str) -> None:
        chance = self.chance
        if self.paid and chance.random() < 0.1:  # the same transaction, from another publisher
            self._transact(*chance.choice(self.paid).values())
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
        amount = abs(amount) or Decimal("0.01") if action == "refund_applied" else amount
        transaction = {
            "id": self.story.id(),
            "amount": str(amount),
            "reference": reference,
            "transaction_date": self.story.now.date().isoformat(),
        }
        self._transact(action, transaction)

    def _transact(self, action: str, transaction: Record) -> None:
        known = {"action": action, "transaction": transaction}
        if known not in self.paid:
            self.paid.append(known)
        self._tell(action, transaction=transaction)


def _repeated(events: list[Record], story: Story) -> list[Record]:
    """Some events come a second time, at once or later."""
    chance, out = story.chance, list(events)
    for event in events:
        if chance.random() < 0.1:
            out.insert(min(len(out), out.index(event) + chance.choice((1, 1, 10, 40))), event)
    return out


def shuffled(events: list[Record], chance: random.Random) -> list[Record]:
    """Out of order across records; the events of a record keep theirs."""
    width = chance.choice((0, 4, 30))
    ranks = [place + chance.uniform(0, width) for place in range(len(events))]
    of_record: dict[str, list[float]] = {}
    for event, rank in zip(events, ranks, strict=True):
        of_record.setdefault(event["subject"], []).append(rank)
    for kept in of_record.values():
        kept.sort(reverse=True)
    return [
        event for _, _, event in sorted((of_record[e["subject"]].pop(), at, e) for at, e in enumerate(events))
    ]


def _portions(events: list[Record], chance: random.Random, calm: bool) -> list[list[Record]]:
    """One by one, or in bursts of any size."""
    left, portions = list(events), []
    most = 1 if calm else chance.choice((4, 15, 200))
    while left:
        size = chance.randint(1, most)
        portions.append(left[:size])
        del left[:size]
    return portions

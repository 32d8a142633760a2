"""A small shop with one customer and some invoices and orders, in the ways in which SalesBinder may show it.

It is the tests' own idea of SalesBinder: its true state apart from its looks, a switch per open question.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from tests.unit.sources.records import customer, document, line, order

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Switches:
    refunds: Literal["negative", "gone", "shrinks", "marked"] = "negative"
    resets: Literal["gone", "negative"] = "gone"
    money_moves_modified: bool = True
    state_moves_modified: bool = True
    lines_keep_ids: bool = True
    receipts: Literal["status", "lines", "both"] = "both"
    transactions_have_times: bool = False
    texts: bool = False
    """Numbers are written as texts, blanks as PHP writes them, lines in any order."""


@dataclass
class Paper:
    """An invoice or order as it truly is."""

    id: str
    number: int
    is_order: bool
    created: datetime
    modified: datetime
    prices: list[int]
    name: str = ""
    cancelled: bool = False
    came: Literal["none", "part", "full"] = "none"
    rows: list[dict[str, Any]] = field(default_factory=list)
    edits: int = 0
    line_series: int = 0

    @property
    def paid(self) -> Decimal:
        return sum((row["sign"] * row["amount"] for row in self.rows), Decimal(0))

    @property
    def content(self) -> tuple[str, tuple[int, ...]]:
        return self.name, tuple(sorted(self.prices))


class Shop:
    def __init__(self, seed: int, switches: Switches) -> None:
        self.random = random.Random(seed)
        self.switches = switches
        self.now = START
        self.papers: dict[str, Paper] = {}
        self.deleted: dict[str, datetime] = {}
        self.customer = customer()
        self.customer_edits = 0

    def _new_id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def act(self, steps: Sequence[int] = (0, 1, 7, 3600)) -> str:
        """Let something happen after one of these many seconds; return its name."""
        self.now += timedelta(seconds=self.random.choice(steps))
        live = [paper for paper in self.papers.values() if not paper.cancelled]
        invoices = [paper for paper in live if not paper.is_order]
        orders = [paper for paper in live if paper.is_order]
        acts = [self._create, self._create, self._rename_customer]
        if live:
            acts += [self._edit]
        if invoices:
            acts += [self._pay, self._pay, self._pay, self._refund, self._refund, self._reset, self._cancel]
            acts += [self._correct]
        if orders:
            acts += [self._receive, self._receive]
        if self.papers:
            acts += [self._delete]
        done = self.random.choice(acts)
        done()
        return done.__name__

    def _one(self, *, is_order: bool | None = None) -> Paper:
        return self.random.choice(
            [p for p in self.papers.values() if not p.cancelled and is_order in (None, p.is_order)]
        )

    def _create(self) -> None:
        number = 5000 + len(self.papers) + len(self.deleted)
        paper = Paper(self._new_id(), number, self.random.random() < 0.3, self.now, self.now, [self._price()])
        self.papers[paper.id] = paper

    def _price(self) -> int:
        return self.random.randint(1, 500)

    def _touch(self, paper: Paper, moves: bool) -> None:
        if moves:
            paper.modified = self.now

    def _edit(self) -> None:
        paper = self._one()
        if self.random.random() < 0.5:
            paper.name = self.random.choice(["", "Spring", "Summer"])
        else:
            paper.prices = [self._price() for _ in range(self.random.randint(1, 3))]
        if not self.switches.lines_keep_ids:
            paper.line_series += 1
        paper.edits += 1
        self._touch(paper, True)

    def _pay(self) -> None:
        self._add(self._one(is_order=False), Decimal(self.random.randint(1, 5000)) / 100, 1)

    def _add(self, paper: Paper, amount: Decimal, sign: int) -> None:
        row = {
            "id": self._new_id(),
            "amount": amount,
            "sign": sign,
            "day": self.now.date(),
            "reference": self.random.choice(["Cash", "Visa", ""]),
            "created": self.now,
        }
        paper.rows.append(row)
        self._touch(paper, self.switches.money_moves_modified)

    def _payments(self, paper: Paper) -> list[dict[str, Any]]:
        return [row for row in paper.rows if row["sign"] > 0 and row["amount"] > 0]

    def _refund(self) -> None:
        paper = self._one(is_order=False)
        payments = self._payments(paper)
        if not payments or paper.paid <= 0:
            return
        row = self.random.choice(payments)
        self._touch(paper, self.switches.money_moves_modified)
        if self.switches.refunds == "gone":
            paper.rows.remove(row)
        elif self.switches.refunds == "shrinks":
            row["amount"] = self.random.choice([Decimal(0), row["amount"] / 2]).quantize(Decimal("0.01"))
        else:
            self._add(paper, min(row["amount"], paper.paid), -1)

    def _correct(self) -> None:
        paper = self._one(is_order=False)
        if payments := self._payments(paper):
            row = self.random.choice(payments)
            row["amount"] += self.random.choice([Decimal(0), Decimal(5)])
            row["reference"] = self.random.choice(["Cash", "Cheque"])
            self._touch(paper, self.switches.money_moves_modified)

    def _reset(self) -> None:
        paper = self._one(is_order=False)
        if paper.paid <= 0:
            return
        self._touch(paper, self.switches.money_moves_modified)
        if self.switches.resets == "gone":
            paper.rows.clear()
        else:
            self._add(paper, paper.paid, -1)

    def _cancel(self) -> None:
        paper = self._one(is_order=False)
        if paper.paid > 0:
            self._reset()
        if paper.paid == 0:
            paper.cancelled = True
            self._touch(paper, self.switches.state_moves_modified)

    def _receive(self) -> None:
        paper = self._one(is_order=True)
        if paper.came != "full":
            paper.came = self.random.choice(["part", "full"])
            self._touch(paper, self.switches.state_moves_modified)

    def _delete(self) -> None:
        paper = self.random.choice(list(self.papers.values()))
        if paper.paid == 0:
            del self.papers[paper.id]
            self.deleted[paper.id] = self.now

    def _rename_customer(self) -> None:
        self.customer = {
            **self.customer,
            "name": self.random.choice(["Widgets & Co", "Widgets Inc", "Widgets Ltd"]),
            "modified": self.now.isoformat(),
        }

    # What SalesBinder shows

    def detail(self, paper: Paper) -> dict[str, Any]:
        lines = [self._line(paper, place, price) for place, price in enumerate(paper.prices)]
        total = sum(paper.prices)
        make = order if paper.is_order else document
        record = make(
            id=paper.id,
            document_number=self.random.choice([str, float])(paper.number)
            if self.switches.texts
            else paper.number,
            name=paper.name or self._blank(),
            status={"id": self.random.randint(1, 99), "name": self._status(paper)},
            created=paper.created.isoformat(),
            modified=paper.modified.isoformat(),
            document_items=self._shuffled(lines),
            total_cost=self._number(total if paper.is_order else 0),
            total_price=self._number(0 if paper.is_order else total),
            total_tax=0,
            customer=self.customer,
            total_transactions=self._number(paper.paid),
            transactions=self._shuffled([self._transaction(row, paper) for row in paper.rows]),
        )
        return record

    def _line(self, paper: Paper, place: int, price: int) -> dict[str, Any]:
        by_lines = self.switches.receipts in ("lines", "both")
        came = {"none": 0, "part": 1, "full": 4}[paper.came] if by_lines else 0
        return line(
            1,
            id=f"{paper.id}-{paper.line_series}-{place}",
            price=self._number(0 if paper.is_order else price),
            cost=self._number(price if paper.is_order else self.random.randint(0, 9)),
            quantity=4 if paper.is_order else 1,
            quantity_partially_received=came,
            tax=0,
            item=self._blank(),
        )

    def _transaction(self, row: dict[str, Any], paper: Paper) -> dict[str, Any]:
        sign = 1 if self.switches.refunds == "marked" else row["sign"]
        shown = {
            "id": row["id"],
            "document_id": paper.id,
            "amount": self._number(sign * row["amount"]),
            "reference": row["reference"],
            "transaction_date": row["day"].isoformat(),
        }
        if self.switches.transactions_have_times:
            shown["created"] = row["created"].isoformat()
        if self.switches.refunds == "marked" and row["sign"] < 0:
            shown["type"] = "refund"
        return shown

    def _status(self, paper: Paper) -> str:
        if paper.is_order:
            if self.switches.receipts == "lines":
                return "sent"
            return {"none": "Not Sent", "part": "Partially Received", "full": "Received"}[paper.came]
        if paper.cancelled:
            return "cancelled"
        return "partially paid" if paper.paid > 0 else "unpaid"

    def _number(self, value: Any) -> Any:
        if self.switches.texts:
            return self.random.choice([str(value), f"{value:.4f}", float(value)])
        return float(value) if isinstance(value, Decimal) else value

    def _blank(self) -> Any:
        return self.random.choice([None, "", [], {}, False]) if self.switches.texts else None

    def _shuffled(self, rows: list[Any]) -> list[Any]:
        if self.switches.texts:
            self.random.shuffle(rows)
        return rows

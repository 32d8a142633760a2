"""One document from before the connection, from when stock is taken of it, and what each look tells."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from sources.batch import Batch, Kept, Key, Wish
from sources.context import Context
from sources.details import read_document
from sources.reading import read_page
from sources.salesbinder.answers import Page
from sources.salesbinder.rows import DocumentEntity
from sources.schedule.layers import Listing
from sources.schedule.scans import Scan
from tests.unit.sources.records import ACCOUNT, NOON, line, look, order, paid, wire, with_paid

DAY = timedelta(days=1)
OLD = {"created": (NOON - DAY).isoformat(), "modified": (NOON - DAY).isoformat()}
LATER = (NOON + timedelta(minutes=1)).isoformat()
Told = list[tuple[str, str, str]]


FIRST, SECOND = paid(1, 40), paid(2, 60)


def at(*transactions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An invoice with these transactions, made the day before."""
    return with_paid(*transactions, **{**OLD, **changes})


def received(**changes: Any) -> dict[str, Any]:
    """An order of which all has come in."""
    lines = [line(cost=12.5, price=0, quantity=4, tax=0, quantity_partially_received=4)]
    return order(**{**OLD, "document_items": lines, **changes})


class Document:
    """One document, from when stock is taken."""

    def __init__(self, record: dict[str, Any], account: str = ACCOUNT, **more: Any) -> None:
        row = wire({name: value for name, value in record.items() if name != "transactions"})
        self.entity: DocumentEntity = "purchase_order" if row["context_id"] == 11 else "invoice"
        listing: Listing = "orders" if self.entity == "purchase_order" else "invoices"
        scan = Scan(layer="all", listing=listing, started=NOON)
        self.key: Key = (self.entity, record["id"])
        self.account, self.more, self.at = account, more, NOON
        self.kept = read_page(scan, Page(1, 1, 1, (row,)), {}, self._context()).kept[self.key]

    def look(self, record: dict[str, Any]) -> Batch:
        """Read its detail a minute later, as the database keeps it meanwhile."""
        self.at += timedelta(minutes=1)
        wish = Wish(record["id"], "changed", self.at, entity=self.entity)
        kept = msgspec.json.decode(msgspec.json.encode(self.kept), type=Kept)
        batch = read_document(wire(record), wish, kept, self._context())
        self.kept = batch.kept[self.key]
        return batch

    def _context(self) -> Context:
        return Context(replace(look(self.at, **self.more), account=self.account), NOON)

    def live(self, record: dict[str, Any]) -> Told:
        """Return what a look tells."""
        return money(self.look(record))

    def ask_for_history(self) -> None:
        """Do what the database does for a backfill."""
        self.kept = msgspec.structs.replace(self.kept, history=True)

    def backfill(self, record: dict[str, Any]) -> Told:
        """Return what a backfill tells."""
        self.ask_for_history()
        return self.live(record)

    def forget(self, **known: Any) -> None:
        """Have an older version keep it."""
        before: Any = self.kept.known
        changed = msgspec.structs.replace(before, whole=None, **known)
        self.kept = msgspec.structs.replace(self.kept, known=changed)


def money(batch: Batch) -> Told:
    """Return action, and id and amount of the transaction, of what a look told."""
    found = []
    for event in batch.events:
        told = msgspec.json.decode(event.value)["data"].get("transaction", {})
        found.append((event.type.rpartition(".")[2], told.get("id", ""), str(told.get("amount", ""))))
    return found

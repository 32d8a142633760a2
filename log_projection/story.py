"""The story of one record: its state, everything that happened to it, and what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import psycopg

from log_projection import queries
from log_projection.queries import Filters, Row
from runtime.database import fetch_all
from runtime.sql import load_queries

_SQL = load_queries(__file__)


class Record(NamedTuple):
    """One record of SalesBinder."""

    account: str
    entity: str
    record_id: str


@dataclass(frozen=True)
class Story:
    """Everything that is known about a record. Rows have the columns of the views."""

    record: Record
    entries: Sequence[Row]
    """Its actions in the order in which they came."""
    attempts: Sequence[Row]
    """The calls to Xero made for them, oldest first."""
    objects: Sequence[Row]
    """Its objects in Xero: ``kind``, ``xero_id``, ``xero_number``, ``removed``, and for money ``amount``,
    ``date``, ``reference``, ``transaction_id``.
    """
    steps: Sequence[Row] = ()
    """Every step of its actions, oldest first."""
    archived: int = 0
    """How many of its actions came before these and are in the archive."""

    @property
    def failed(self) -> list[Row]:
        """The actions that failed and are not resolved."""
        return [entry for entry in self.entries if entry["state"] == "failed"]

    @property
    def waiting(self) -> list[Row]:
        """The actions that are queued or running."""
        return [entry for entry in self.entries if entry["state"] in ("queued", "running")]

    @property
    def newest(self) -> Row:
        """The newest action."""
        return self.entries[-1]

    @cached_property
    def eventful(self) -> dict[str, list[Row]]:
        """The steps of each action, without calls, by entry; none of one that just came, was taken up and
        ended.
        """
        steps: dict[str, list[Row]] = {entry["entry_id"]: [] for entry in self.entries}
        for one in self.steps:
            if one["step"] != "call":
                steps[one["entry_id"]].append(one)
        plain = {"received", "taken_up"}
        return {name: own if {one["step"] for one in own[:-1]} - plain else [] for name, own in steps.items()}

    @property
    def title(self) -> str:
        """The record in words: ``invoice 5001, Widgets & Co``."""
        entity = self.record.entity.replace("_", " ")
        number = next((e["record_number"] for e in reversed(self.entries) if e["record_number"]), "")
        party = next((e["party_name"] for e in reversed(self.entries) if e["party_name"]), "")
        if self.record.entity in ("customer", "supplier"):
            return f"{entity} {party or number or self.record.record_id}"
        return ", ".join(part for part in (f"{entity} {number or self.record.record_id}", party) if part)

    def standing(self) -> str:
        """Return the state of the record in a sentence or two."""
        return f"{self._in_xero()} {self._progress()}"

    def _in_xero(self) -> str:
        main = [o for o in self.objects if o["kind"] in ("contact", "invoice", "purchase_order")]
        here = [o for o in main if not o["removed"]]
        if here:
            number = here[0]["xero_number"]
            return f"In Xero{' as ' + number if number else ''}{self._money()}."
        if main:
            return "It was in Xero and has been removed there."
        if all(entry["outcome"] == "before_cutoff" for entry in self.entries):
            return "Not in Xero: it is older than the connection, so it is left alone."
        return "Not in Xero."

    def _money(self) -> str:
        parts = []
        for kind in ("payment", "refund", "bill"):
            found = [o for o in self.objects if o["kind"] == kind and not o["removed"]]
            amounts = ", ".join(o["amount"] for o in found if o["amount"])
            if found:
                parts.append(f"{plural(len(found), kind)}{f' ({amounts})' if amounts else ''}")
        return ", with " + " and ".join(parts) if parts else ""

    def _progress(self) -> str:
        failed, waiting = len(self.failed), len(self.waiting)
        if failed and waiting:
            return f"{plural(failed, 'action')} failed, {plural(waiting, 'action')} still to be done."
        if failed:
            return f"{plural(failed, 'action')} failed."
        if waiting:
            return f"{plural(waiting, 'action')} still to be done."
        return "All that SalesBinder told has been dealt with."


async def find(connection: psycopg.AsyncConnection[Any], text: str, account: str | None) -> list[Record]:
    """Return the records with this number, name of a customer or supplier, id in SalesBinder or Xero,
    transaction, event or entry; case is ignored.
    """
    parameters = {"text": text.strip(), "account": account}
    rows = await fetch_all(connection, _SQL["records"], parameters, prepare=False)
    return [Record(**row) for row in rows]


async def tell(connection: psycopg.AsyncConnection[Any], record: Record) -> Story | None:
    """Return the record's story; None if the log knows no action of it."""
    wanted = Filters(account=record.account, entity=record.entity, record=record.record_id)
    entries = [row async for row in queries.entries(connection, wanted)]
    if not entries:
        return None
    ids = [entry["entry_id"] for entry in entries]
    steps = await queries.steps(connection, ids)
    attempts = await queries.attempts(connection, ids)
    objects = await fetch_all(connection, _SQL["objects"], record._asdict())
    [row] = await fetch_all(connection, _SQL["archived"], record._asdict())
    return Story(record, entries, attempts, objects, steps, row["actions"])


def plural(count: int, word: str) -> str:
    """Return ``1 payment``, ``2 payments``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"

"""What is kept of a record, what is wanted of it, and all that one answer changes of both. Pure.

The database keeps a ``Batch`` in one transaction, and publishes its events afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.commands import Action, Entity
from sources.diff.known import KnownAccount, KnownDocument
from sources.diff.look import Outcome
from sources.events import Event
from sources.problems import Problem
from sources.salesbinder.accounts import AccountEntity
from sources.salesbinder.rows import DocumentEntity
from sources.schedule.choice import Why
from sources.schedule.layers import Listing

ACCOUNTS: Final[Mapping[Listing, AccountEntity]] = {"customers": "customer", "suppliers": "supplier"}
DOCUMENTS: Final[Mapping[Listing, DocumentEntity]] = {"invoices": "invoice", "orders": "purchase_order"}
ENTITIES: Final[Mapping[Listing, Entity]] = {**ACCOUNTS, **DOCUMENTS}
AGAIN: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""When a record that could not be understood is looked at again; from the last one on every so often."""

Key = tuple[Entity, str]


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """The latest row of the deleted log that names a record."""

    created: datetime | None
    is_over: bool = False
    """The record was shown for an hour all the same, so it was not deleted (archived, perhaps)."""
    missing: datetime | None = None
    """Since when its detail is not there, by our clock; none if it was shown last."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the database keeps it."""

    known: KnownAccount | KnownDocument
    fingerprint: str = ""
    """Of the last row, byte for byte: an unchanged row needs no reading."""
    wire: str = ""
    """Of the same row as it was sent (``reading.wire_of``): one that is sent so again need not be parsed."""
    mark: str = ""
    """What the last detail, or the row of the stock-taking, showed of header, status and sum paid. Of an
    account: the fields that neither its row nor its detail has.
    """
    rest: str = ""
    """And of lines and receipts."""
    excused: str = ""
    """A row that differs from the detail though two details read for it showed nothing new."""
    hidden: bool = False
    """Its detail was not there for that row, five times in more than an hour."""
    late: str = ""
    """A row for which one detail was read, which may be older than the row: it is read once more."""
    log: LogRow | None = None
    deep: datetime | None = None
    """When its detail is read again though nothing hints at a change; none: never."""
    created: datetime | None = None
    """Of a document of which stock was taken: when it was made."""
    history: bool = False
    """Its next detail is to be told whole. The database has it apart, too."""
    left_out: bool = False
    """The same, though nobody waits for it any more: its detail was not there when its turn came."""

    @property
    def is_whole(self) -> bool:
        """Return True if nothing is left to be told of what was there before the connection.

        Where an older version did not note it, a document of which stock was taken counts as not told whole:
        to tell it again doubles nothing, to leave it out loses payments. One that was cancelled is out of the
        books, and an order has no payments.
        """
        known = self.known
        if isinstance(known, KnownAccount) or known.whole is not None:
            return isinstance(known, KnownAccount) or bool(known.whole)
        is_out = self.created is None or known.cancelled or known.entity == "purchase_order"
        return known.revision > 0 and is_out

    @property
    def may_be_gone(self) -> bool:
        """Return True if the log says that it was deleted, and its detail has not confirmed it yet."""
        return self.log is not None and not self.log.is_over and not self.known.deleted


class KnownInBrief(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What decides of a record's ``known`` whether an unchanged row changes something."""

    entity: Entity
    digest: str = ""
    status: str = ""
    revision: int = 0
    deleted: bool = False


class KeptInBrief(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """As much of ``Kept`` as tells an unchanged row: nearly all rows are, and decoding the rest would double
    what they cost.
    """

    known: KnownInBrief
    fingerprint: str = ""
    wire: str = ""
    deep: datetime | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A detail that is to be read."""

    record_id: str
    why: Why
    at: datetime
    row: str = ""
    """The row that it is read for (``signature``)."""
    tries: int = 0
    entity: Entity | None = None
    """None: of a document of a type that only the detail tells."""

    @property
    def of_account(self) -> bool:
        """Return True for a detail of a customer or supplier."""
        return self.entity in ACCOUNTS.values()


@dataclass(slots=True)
class Batch:
    """What is to be kept after one answer."""

    kept: dict[Key, Kept] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Records, or lists, that were read: problems of theirs that are not among ``problems`` are over."""
    wanted: list[Wish] = field(default_factory=list)
    unwanted: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    """Ids of statuses of documents that are not settled."""
    told: frozenset[Action] = frozenset()
    moved: bool = False
    """Whether ``modified`` moved with what was told: evidence, if it is a detail's."""
    has_evidence: bool = False
    missed: bool = False
    """Whether the delta should have shown a change that a sweep found."""

    def take(self, key: Key, found: Outcome[Any], kept: Kept | None) -> None:
        """Take what a look found; ``kept`` is the record with what is known now."""
        self.seen.add(key)
        self.events += found.events
        self.problems += found.problems
        if kept is not None:
            self.kept[key] = kept


def kept_of(before: Kept | None, known: Any, **changes: Any) -> Kept:
    """Return what is kept of a record of which this is known now."""
    if before is None:
        return Kept(known=known, **changes)
    return msgspec.structs.replace(before, known=known, **changes)

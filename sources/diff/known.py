"""What the reader keeps of a record between two looks: what it published last, and what it knew then.

Kept as JSON in the database; ``msgspec`` turns it into bytes and back.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from sources.salesbinder.accounts import AccountEntity
from sources.salesbinder.rows import DocumentEntity

MoneyKind = Literal["payment", "refund"]


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose ``modified`` is older than what was told: it is late, or the server's clocks differ.

    It is believed once it has shown the same for ``SETTLED``.
    """

    mark: str
    """A digest of what it showed."""
    at: datetime
    """When it was first seen."""


class KnownAccount(msgspec.Struct, frozen=True, kw_only=True, tag="account"):
    """A customer or supplier: the fields that were told last."""

    entity: AccountEntity
    id: str
    fields: dict[str, str]
    """By name; blank is ``""``. A field that SalesBinder never showed is not there."""
    modified: datetime | None
    """The latest that was shown."""
    time: datetime
    """Of the last event, or of the look that took stock."""
    revision: int = 0
    """How many looks have published something of it."""
    deleted: bool = False
    doubt: Doubt | None = None


class KnownMoney(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that was told, and still stands."""

    kind: MoneyKind
    amount: Decimal
    """As SalesBinder shows it, below zero for a refund."""
    day: str | None
    reference: str
    told_as: str
    """The transaction's id in our events: its own, or a derived one after it had been gone."""
    is_earlier: bool = False
    """Whether it was there before the reader, and only a backfill tells it; versions did not note this."""
    refunded: Decimal = Decimal(0)
    """The part of a payment that shrank, and was told as refunds."""
    parts: dict[str, Decimal] = msgspec.field(default_factory=dict)
    """Those refunds by their ids in our events; without those that a version told that did not note them."""


class GoneMoney(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that was told and has been gone since the last reset, whether it came back or not."""

    kind: MoneyKind
    times: int
    """How often it has gone."""
    first: KnownMoney | None = None
    """As it was when it went for the first time: if only that was told, a backfill tells it, too."""


class KnownDocument(msgspec.Struct, frozen=True, kw_only=True, tag="document"):
    """An invoice or purchase order as it was told last."""

    entity: DocumentEntity
    id: str
    digest: str
    """Of header and lines (``edit_digest``). Blank while only a row was seen, when stock was taken."""
    header_fields: tuple[str, ...]
    """The contract's fields that the last detail had."""
    line_fields: tuple[str, ...] | None
    modified: datetime
    """The latest that was shown."""
    time: datetime
    """Of the last event, or of the look that took stock."""
    transactions: dict[str, KnownMoney] = msgspec.field(default_factory=dict)
    """By SalesBinder's id."""
    gone: dict[str, GoneMoney] = msgspec.field(default_factory=dict)
    resets: int = 0
    cancelled: bool = False
    received: bool = False
    deleted: bool = False
    revision: int = 0
    """How many looks have published something of it."""
    status: str = ""
    stock: "Stock | None" = None
    """None once its money was read."""
    doubt: Doubt | None = None
    whole: bool | None = None
    """Whether all that was there before the connection was told, too; none if a version kept it that did not
    note this.
    """


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What a row showed of a document when stock was taken, before any detail of it was read."""

    mark: str
    """A digest of the row's header without status, sum paid and ``modified``."""
    lines: str
    """A digest of its lines; blank if it showed none."""
    total: Decimal | None
    """``total_transactions``; none if the row did not show it, or failed when stock was taken."""
    at: datetime
    """The moment of the answer; that of the connection if the row failed then."""
    has_failed: bool = False
    """Whether the row failed when stock was taken, so that what it shows may have been paid since."""

"""Commands: the desired state in Xero after one SalesBinder change, in Xero's terms and without settings.

One change event makes one command (``command_id = uuid5(source, event id)``), so the same event is always the
same command. Account codes, tax types, number formats and lock dates are resolved later, when it is planned.
"""

import hashlib
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec

from contracts.newness import Stamp, stamp

Entity = Literal["customer", "supplier", "invoice", "purchase_order"]
Side = Literal["customer", "supplier"]
Action = Literal[
    "created",
    "edited",
    "deleted",
    "cancelled",
    "reset",
    "payment_applied",
    "refund_applied",
    "received",
]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything in a command: immutable, keyword only, defaults left out on the wire."""


class EventRef(_Wire, frozen=True):
    """The change event a command was made from, and where it was read."""

    id: str
    type: str
    source: str
    time: datetime
    content_hash: str
    """SHA-256 (hex) of the event's canonical content; distinguishes a reused event id from a repeated
    event.
    """
    topic: str = ""
    partition: int = -1
    offset: int = -1

    @property
    def place(self) -> str | None:
        """``topic/partition/offset``; None if it is not known."""
        return f"{self.topic}/{self.partition}/{self.offset}" if self.topic else None


class Address(_Wire, frozen=True):
    """One postal address. A part that is None was missing in the record; ``""`` is blank."""

    line_1: str | None = None
    line_2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class FieldStamp(_Wire, frozen=True):
    """The age of a field that came from an older snapshot."""

    field: str
    """``email``, ``billing.city``."""
    moment: datetime
    time: datetime

    @property
    def stamp(self) -> Stamp:
        """The same as a snapshot's."""
        return Stamp(self.moment, self.time)


class ContactSnapshot(_Wire, frozen=True):
    """A customer or supplier as SalesBinder had it at ``version``.

    Texts are kept as given; a blank one is ``""``, and a field that the record did not contain is None.
    (Commands and snapshots of versions that did not make this difference contain no blank fields: those count
    as missing, and clear nothing.)
    """

    side: Side
    record_id: str
    name: str
    version: datetime
    """``modified`` of the record, else the event's time."""
    event_time: datetime
    position: int = 0
    """The position of the action that brought it; 0 until the ledger has assigned one."""
    dated: bool = True
    """False for a document's customer without ``modified``: it may find or create a contact, and never
    changes one that is linked."""
    email: str | None = None
    phone: str | None = None
    fax: str | None = None
    website: str | None = None
    billing: Address = Address()
    shipping: Address = Address()
    older: tuple[FieldStamp, ...] = ()
    """If it was put together from several snapshots: the fields from before ``version``."""

    @property
    def stamp(self) -> Stamp:
        """How new it is: the newest wins."""
        return stamp(self.version, self.event_time, self.position)


class Line(_Wire, frozen=True):
    """One document line before settings are applied. Rates and discount are in per cent."""

    line_id: str
    description: str
    """Name, description, variation, SKU, serial number, custom fields: one line of text each; may be
    ``""``.
    """
    quantity: Decimal
    unit_amount: Decimal
    """For an invoice, ``price``; for a purchase order, ``cost``, or ``price`` if SalesBinder gave no cost."""
    discount_percent: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(0)
    tax2_rate: Decimal = Decimal(0)
    price: Decimal | None = None
    """``price``, if ``unit_amount`` is the cost."""
    discounted_price: Decimal | None = None
    """Net price per unit, if SalesBinder gave one; 0 means nothing."""


class DocumentSnapshot(_Wire, frozen=True):
    """An invoice or purchase order as SalesBinder had it at ``version``."""

    kind: Literal["invoice", "purchase_order"]
    record_id: str
    number: str
    contact: ContactSnapshot
    issue_date: date
    created: datetime
    version: datetime
    """``modified`` of the document."""
    event_time: datetime
    position: int = 0
    """The position of the action that brought it; 0 until the ledger has assigned one."""
    lines: tuple[Line, ...] = ()
    reference: str = ""
    """The document's ``name``."""
    due_date: date | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    subtotal: Decimal | None = None
    """The total of the lines before tax, for checking, if SalesBinder gave one."""
    tax: Decimal | None = None
    tax2: Decimal | None = None

    @property
    def stamp(self) -> Stamp:
        """How new it is: the newest wins."""
        return stamp(self.version, self.event_time, self.position)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its content: equal for two snapshots with the same document, whenever they came.
        The contact is a record of its own.
        """
        party = ContactSnapshot(
            side=self.contact.side,
            record_id=self.contact.record_id,
            name="",
            version=_NO_TIME,
            event_time=_NO_TIME,
        )
        content = msgspec.structs.replace(
            self, contact=party, version=_NO_TIME, event_time=_NO_TIME, position=0
        )
        return hashlib.sha256(_encoder.encode(content)).hexdigest()

    @property
    def lines_digest(self) -> str:
        """SHA-256 (hex) of its lines and currency alone."""
        return hashlib.sha256(_encoder.encode((self.lines, self.currency))).hexdigest()


class TransactionSnapshot(_Wire, frozen=True):
    """A payment or refund on an invoice. ``amount`` is as given for a payment, absolute for a refund."""

    transaction_id: str
    amount: Decimal
    date: date
    dated: bool = True
    """True if the event states the date; otherwise it is the day of the event's time."""
    reference: str = ""
    """SalesBinder's reference: in practice the method of payment."""
    mark: str = ""
    """``#`` and the first 8 characters of the transaction id (the whole id if two of the invoice share the
    8).
    """


class Command(_Wire, frozen=True):
    """One action on one record. ``document`` and ``contact`` are absent for a deletion."""

    command_id: str
    account: str
    entity: Entity
    record_id: str
    action: Action
    event: EventRef
    record_number: str = ""
    contact: ContactSnapshot | None = None
    """For a customer or supplier command; a document's contact is inside the document."""
    document: DocumentSnapshot | None = None
    transaction: TransactionSnapshot | None = None
    received_on: date | None = None
    """For a receipt of goods: the day of the event's time in that time's own offset."""
    in_part: str = ""
    """For a receipt of goods: the lines that are not complete, in words; ``""`` if all are."""
    says_received: bool = False
    """For a receipt of goods: the document's status is ``received``, regardless of its lines."""
    says_cancelled: bool = False
    """True if the document's status is ``cancelled``, although the action is another one."""
    party_name: str = ""
    amount: Decimal | None = None
    """The amount that the log shows: the document's total with tax, or the transaction's amount."""
    currency: str = ""

    @property
    def key(self) -> str:
        """Kafka key of the command and of its results."""
        return f"{self.account}/{self.record_id}"

    @property
    def reference(self) -> str:
        """What people call it: the transaction's reference, or the document's name."""
        if self.transaction is not None:
            return self.transaction.reference[:_LONGEST_REFERENCE]
        return self.document.reference[:_LONGEST_REFERENCE] if self.document is not None else ""

    @property
    def party(self) -> ContactSnapshot | None:
        """The command's contact: its document's, or its own."""
        return self.document.contact if self.document else self.contact


def command_id(source: str, event_id: str) -> str:
    """Return the command's identity: ``uuid5(source, event id)``, the source as a UUID of the URL
    namespace.
    """
    return str(uuid.uuid5(_namespace(source), event_id))


@lru_cache(1024)
def _namespace(source: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, source)


_LONGEST_REFERENCE = 255
_NO_TIME = datetime.min.replace(tzinfo=UTC)
_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder = msgspec.json.Decoder(Command)


def encode_command(command: Command) -> bytes:
    """Return the command in its form on ``xero.commands`` and in the ledger."""
    return _encoder.encode(command)


def decode_command(raw: bytes) -> Command:
    """Read a command back.

    Raises:
        msgspec.DecodeError: the bytes are not a command.
    """
    return _decoder.decode(raw)


class _Money(_Wire, frozen=True):
    """What the archive leaves of a command."""

    transaction: TransactionSnapshot | None = None


_money_decoder = msgspec.json.Decoder(_Money)


def transaction_of(raw: bytes) -> TransactionSnapshot | None:
    """Return the transaction of a command, or of what the archive has left of one; None if it has none.

    Raises:
        msgspec.DecodeError: the bytes are neither.
    """
    return _money_decoder.decode(raw).transaction


def left_of(command: Command) -> bytes:
    """Return what stays of a command when it goes to the archive: of a payment or refund the transaction,
    because later ones of the invoice are rounded with it.
    """
    return _encoder.encode(_Money(transaction=command.transaction))

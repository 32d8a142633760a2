"""SalesBinder's records as change events carry them: the fields of its API 2.0 that this product knows.

Unknown fields are ignored, because SalesBinder adds fields. Blank is ``""``, ``null`` or absent; in an
account record, an absent field is not blank but unknown. Fields that nothing depends on are ``Any``: their
shape may change without an event being refused.
"""

from typing import Annotated, Any

import msgspec

from contracts.events.fields import Day, Id, Instant, Number

Text = str | None
Code = int | str | None
UNSET = msgspec.UNSET
Told = str | None | msgspec.UnsetType
ToldCode = int | str | None | msgspec.UnsetType
"""For account records: ``UNSET`` if the record does not contain the field."""


class _Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of every record: keyword only, unknown fields ignored."""


class AccountRecord(_Record):
    """A customer or supplier (SalesBinder calls both accounts).

    A field that is ``UNSET`` was not in the record, which says nothing about it; ``""`` and none are blank.
    """

    id: Id
    name: str
    context_id: Number | None = None
    """2 for a customer, 10 for a supplier, if given."""
    customer_number: Code = None
    office_email: Told = UNSET
    office_phone: Told = UNSET
    office_number: Told = UNSET
    """The name that SalesBinder's field tables give ``office_phone``."""
    office_fax: Told = UNSET
    url: Told = UNSET
    billing_address_1: Told = UNSET
    billing_address_2: Told = UNSET
    billing_city: Told = UNSET
    billing_region: Told = UNSET
    billing_postal_code: ToldCode = UNSET
    billing_country: Told = UNSET
    shipping_address_1: Told = UNSET
    shipping_address_2: Told = UNSET
    shipping_city: Told = UNSET
    shipping_region: Told = UNSET
    shipping_postal_code: ToldCode = UNSET
    shipping_country: Told = UNSET
    created: Instant | None = None
    modified: Instant | None = None


TOLD_FIELDS = tuple(f.name for f in msgspec.structs.fields(AccountRecord) if f.default is UNSET)
"""Fields of an account record that may be absent, which is not the same as blank."""


class CustomField(_Record):
    """The name of a custom field and whether it appears on documents."""

    name: Text = None
    weight: Number | None = None
    publish: bool | int | str | None = None


class ItemDetail(_Record):
    """The value that an item has in a custom field."""

    value: Any = None
    custom_field: CustomField | None = None


class Item(_Record):
    """The stock item behind a line."""

    name: Text = None
    item_number: Code = None
    sku: Code = None
    barcode: Code = None
    serial_number: Code = None
    item_details: tuple[ItemDetail, ...] | None = None


class DocumentItem(_Record):
    """One line. ``tax``, ``tax2`` and ``discount_percent`` are per cent, ``price`` and ``cost`` per unit."""

    id: Id
    quantity: Number
    price: Number
    name: Text = None
    description: Text = None
    cost: Number | None = None
    discount_percent: Number | None = None
    discounted_price: Number | None = None
    """Net price per unit; 0 if there is no discount."""
    tax: Number | None = None
    tax2: Number | None = None
    quantity_partially_received: Number | None = None
    """Of a purchase order: how many have come in so far."""
    item_id: Code = None
    item_variation_data: Any = None
    """Base64 of JSON; unreadable text is left out of the description, so it is not checked here."""
    item: Item | None = None
    variation: dict[str, Any] | list[Any] | None = None
    """Name to value; an empty list is how PHP writes an empty map."""


class ListedTransaction(_Record):
    """A payment or refund as the document lists it."""

    id: Id
    amount: Number | None = None


class Transaction(_Record):
    """The payment or refund that an event is about."""

    id: Id
    amount: Number
    document_id: Code = None
    transaction_date: Day | None = None
    reference: Text = None
    """Free text, in practice the method of payment."""


class Document(_Record):
    """An invoice or purchase order with its lines and the whole account record of its party."""

    id: Id
    document_number: int | Id
    context_id: Number
    customer_id: Id
    issue_date: Day
    created: Instant
    modified: Instant
    document_items: tuple[DocumentItem, ...]
    customer: AccountRecord
    name: Text = None
    status: Any = None
    expiry_date: Any = None
    total_cost: Number | None = None
    total_price: Number | None = None
    """The lines before tax."""
    total_tax: Number | None = None
    total_tax2: Number | None = None
    total_transactions: Number | None = None
    transactions: tuple[ListedTransaction, ...] | None = None
    due_date: Day | None = None
    currency: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z]{3})?$")] | None = None
    currency_rate: Number | None = None


class DeletedRecord(_Record):
    """The remains of a deleted record: SalesBinder's deleted log names only the id."""

    id: Id
    context_id: Number | None = None
    document_number: Code = None
    name: Text = None


class CustomerData(_Record):
    """``data`` of ``salesbinder.customer.created`` and ``.edited``."""

    customer: AccountRecord


class CustomerDeletedData(_Record):
    """``data`` of ``salesbinder.customer.deleted``."""

    customer: DeletedRecord


class SupplierData(_Record):
    """``data`` of ``salesbinder.supplier.created`` and ``.edited``."""

    supplier: AccountRecord


class SupplierDeletedData(_Record):
    """``data`` of ``salesbinder.supplier.deleted``."""

    supplier: DeletedRecord


class DocumentData(_Record):
    """``data`` of invoice and purchase order events without a transaction."""

    document: Document


class TransactionData(_Record):
    """``data`` of ``salesbinder.invoice.payment_applied`` and ``.refund_applied``."""

    document: Document
    transaction: Transaction


class DocumentDeletedData(_Record):
    """``data`` of ``salesbinder.invoice.deleted`` and ``salesbinder.purchase_order.deleted``."""

    document: DeletedRecord


EventData = (
    CustomerData
    | CustomerDeletedData
    | SupplierData
    | SupplierDeletedData
    | DocumentData
    | TransactionData
    | DocumentDeletedData
)

BLANK_MEANS_ABSENT = frozenset(
    {
        "context_id",
        "created",
        "modified",
        "cost",
        "discount_percent",
        "discounted_price",
        "tax",
        "tax2",
        "weight",
        "total_cost",
        "total_price",
        "total_tax",
        "total_tax2",
        "total_transactions",
        "due_date",
        "currency_rate",
        "transaction_date",
        "amount",
        "quantity",
        "quantity_partially_received",
        "price",
        "issue_date",
    }
)
"""Numbers and dates for which ``""`` is read as absent; blank texts stay blank."""

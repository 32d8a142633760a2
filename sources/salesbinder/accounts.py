"""Rows and details of customers and suppliers. A row has every field of the record, as far as known. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from contracts.events.records import TOLD_FIELDS, AccountRecord, CustomerData, SupplierData
from contracts.events.types import CONTEXTS
from mappers.moments import plain_moment
from sources.events import checked
from sources.problems import Unreadable
from sources.salesbinder.values import (
    Clean,
    code,
    identifier,
    is_blank,
    moment,
    number,
    own_id,
    picked,
    text,
    told_text,
)

AccountEntity = Literal["customer", "supplier"]

_FIELDS: Final[dict[str, Clean]] = {
    "id": identifier,
    "name": text,
    "context_id": number,
    "customer_number": code,
    **dict.fromkeys(TOLD_FIELDS, told_text),
    "created": moment,
    "modified": moment,
}
COMPARED: Final = ("name", "customer_number", *TOLD_FIELDS)
"""The fields of which a change is an edit."""
_PHONES: Final = frozenset({"office_phone", "office_number"})
_SHOWN: Final = frozenset(COMPARED) - _PHONES
"""Those that SalesBinder's samples of a row have, apart from addresses for shipping."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A customer or supplier as a row shows it."""

    entity: AccountEntity
    id: str
    body: Mapping[str, Any]
    """The record of an event: the contract's fields that the row has."""
    modified: datetime | None
    created: datetime | None

    @property
    def told(self) -> dict[str, str]:
        """Return the compared fields that the row has; blank is ``""``."""
        return {name: self.body[name] or "" for name in COMPARED if name in self.body}

    @property
    def lacks(self) -> frozenset[str]:
        """Return the fields that a row should have and this one has not: only a detail tells them."""
        told = self.told
        lost = {name for name in _SHOWN if not name.startswith("shipping_")} - told.keys()
        return frozenset(lost | (set() if _PHONES & told.keys() else _PHONES))


def read_account(row: Any, entity: AccountEntity, account: str) -> AccountRow:
    """Return the account of a row of the list of ``entity``.

    Raises:
        Unreadable: it is not one, or is of another context; it names the field.
    """
    body = account_body(row)
    context = CONTEXTS[entity]
    body["context_id"] = context if body.get("context_id") is None else body["context_id"]
    record = _record(account, entity, body)
    modified = plain_moment(record.modified) if record.modified is not None else None
    created = plain_moment(record.created) if record.created is not None else None
    return AccountRow(entity, record.id, body, modified, created)


def account_body(record: Any) -> dict[str, Any]:
    """Return the contract's fields of an account's record.

    Raises:
        Unreadable: it is not a record.
    """
    if not isinstance(record, Mapping) or is_blank(record):
        raise Unreadable("record", record, "it is not an object", "Report the answer to SalesBinder.")
    return picked(record, _FIELDS)


def _record(account: str, entity: AccountEntity, body: Mapping[str, Any]) -> AccountRecord:
    subject = own_id(body.get("id"))
    if subject is None:
        raise Unreadable("id", body.get("id"), "it is required", "Report the answer to SalesBinder.")
    data = checked(account, entity, subject, {entity: body}).data
    assert isinstance(data, CustomerData | SupplierData)
    return data.customer if isinstance(data, CustomerData) else data.supplier

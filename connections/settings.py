"""The settings of a connection: keys, defaults, and allowed values.

Settings are stored as rows of text, one per key, exactly as an operator wrote them apart from their normal
form (``sales_tax.8.0`` is stored as ``sales_tax.8``). ``Settings`` is the form that the rest of the program
reads.
"""

import difflib
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from contracts.money import plain
from contracts.urls import split_address

DocumentStatus = Literal["authorised", "draft"]

NO_TAX = "NONE"
"""Xero's TaxType for "no tax"."""
DEFAULT_DOCUMENT_URL = "https://{account}.salesbinder.com/documents/view/{id}"
DEFAULT_ACCOUNT_URL = "https://{account}.salesbinder.com/{kind}/view/{id}"


class InvalidSetting(ValueError):
    """A key that does not exist, or a value that its key does not take."""

    def __init__(self, key: str, value: str, problem: str, remedy: str) -> None:
        self.key = key
        self.value = value
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{key}={value}: {problem}; {remedy}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A connection's settings with defaults filled in."""

    enabled_at: datetime
    """Documents created before it are not synced. Set by the first connect."""
    invoice_status: DocumentStatus = "authorised"
    purchase_order_status: DocumentStatus = "authorised"
    edit_authorised: Literal["refuse", "push"] = "refuse"
    refund_as: Literal["credit_note", "reverse_payment"] = "credit_note"
    received_as: Literal["bill", "billed"] = "bill"
    item_code: str = "SB-ITEM"
    sales_account: str = "200"
    purchases_account: str = "300"
    payment_account: str | None = None
    """Account code or AccountID; without it, payments without an account of their own fail."""
    payment_accounts: Mapping[str, str] = field(default_factory=dict)
    """Account code or AccountID by ``fold_reference`` of a payment's reference."""
    sales_tax: Mapping[str, str] = field(default_factory=lambda: {"0": NO_TAX})
    """Xero's TaxType by ``tax_key``."""
    purchase_tax: Mapping[str, str] = field(default_factory=lambda: {"0": NO_TAX})
    """Xero's TaxType by ``tax_key``."""
    invoice_number_format: str = "{number}"
    purchase_order_number_format: str = "{number}"
    due_days: int = 30
    """Days from the issue date, if a document has no due date."""
    currency: str | None = None
    """ISO 4217, for documents without a currency; None is the organisation's own."""
    locked_period: Literal["fail", "first_open_day"] = "fail"
    rounding_account: str = "860"
    rounding_tax: str = NO_TAX
    """Xero's TaxType of lines on ``rounding_account``."""
    document_url: str = DEFAULT_DOCUMENT_URL
    account_url: str = DEFAULT_ACCOUNT_URL
    """The address of a customer or supplier; ``{kind}`` is ``customers`` or ``suppliers``."""
    drift_every: str = "off"
    """How often Xero is compared with what was last synced: ``off``, or ``12h``, ``1d``, ``2w``."""
    reconcile_every: str = "1d"
    """How often SalesBinder and Xero are compared, for accounts whose SalesBinder is read: as above."""

    @classmethod
    def from_rows(cls, rows: Mapping[str, str], enabled_at: datetime) -> "Settings":
        """Return the settings from stored rows.

        Raises:
            InvalidSetting: a row is not one that ``parse_setting`` lets through.
        """
        values: dict[str, object] = {"enabled_at": enabled_at}
        tables: dict[str, dict[str, str]] = {
            "payment_account": {},
            "sales_tax": {"0": NO_TAX},
            "purchase_tax": {"0": NO_TAX},
        }
        for written_key, written_value in rows.items():
            key, value = parse_setting(written_key, written_value)
            table, dot, entry = key.partition(".")
            if dot:
                tables[table][entry] = value
            elif key != "enabled_at":  # lives with the connection, not among its settings
                values[key] = value
        values["payment_accounts"] = tables["payment_account"]
        values["sales_tax"] = tables["sales_tax"]
        values["purchase_tax"] = tables["purchase_tax"]
        return msgspec.convert(values, cls, strict=False)

    def payment_account_for(self, reference: str) -> tuple[str, str | None]:
        """Return the key that decides where a payment of this reference goes, and its account code or
        AccountID.
        """
        folded = fold_reference(reference)
        if folded in self.payment_accounts:
            return f"payment_account.{folded}", self.payment_accounts[folded]
        return "payment_account", self.payment_account


def flat(settings: Settings) -> dict[str, str | None]:
    """Return every setting by the key that sets it, tables entry by entry; None if there is no value."""
    values: dict[str, str | None] = {}
    for one in fields(settings):
        value = getattr(settings, one.name)
        if isinstance(value, Mapping):
            table = "payment_account" if one.name == "payment_accounts" else one.name
            values |= {f"{table}.{entry}": text for entry, text in value.items()}
        elif isinstance(value, datetime):
            values[one.name] = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        else:
            values[one.name] = None if value is None else str(value)
    return values


def fold_reference(reference: str) -> str:
    """Return a payment's reference as settings compare it: without case, blanks collapsed."""
    return " ".join(reference.split()).casefold()


def tax_key(tax: Decimal, tax2: Decimal) -> str:
    """Return the key of a pair of tax rates in per cent: ``8``, ``8+5``, ``0+7``, ``0``."""
    first = plain(tax or Decimal(0))
    return f"{first}+{plain(tax2)}" if tax2 else first


def parse_setting(key: str, value: str) -> tuple[str, str]:
    """Return key and value in their normal form.

    Raises:
        InvalidSetting: there is no such key, or it does not take the value.
    """
    key, value = key.strip(), value.strip()
    table, dot, entry = key.partition(".")
    if dot and table in _TABLES:
        normal_entry, parse = _TABLES[table]
        if not entry.strip():
            raise InvalidSetting(
                key, value, f"nothing stands after '{table}.'", f"write {_table_example(table)}"
            )
        return f"{table}.{normal_entry(key, entry, value)}", parse(key, value)
    if key in _SINGLE:
        return key, _SINGLE[key](key, value)
    raise InvalidSetting(key, value, "there is no such setting", _nearest(key))


def normal_key(key: str) -> str:
    """Return a key in its normal form, for reading or removing a setting.

    Raises:
        InvalidSetting: there is no such key.
    """
    key = key.strip()
    table, dot, entry = key.partition(".")
    if dot and table in _TABLES and entry.strip():
        return f"{table}.{_TABLES[table][0](key, entry, '')}"
    if key in _SINGLE:
        return key
    raise InvalidSetting(key, "", "there is no such setting", _nearest(key))


def _nearest(key: str) -> str:
    table, dot, entry = key.partition(".")
    if dot:
        near = difflib.get_close_matches(table.lower(), list(_TABLES), n=1)
        if near:
            return f"did you mean '{near[0]}.{entry}'?"
    if key in _TABLES:
        return f"write {_table_example(key)}"
    near = difflib.get_close_matches(key.lower().replace("-", "_"), [*_SINGLE, *_TABLES], n=1)
    return (
        f"did you mean '{near[0]}'?"
        if near
        else f"the settings are {', '.join(_SINGLE)} and the tables "
        + (", ".join(_table_example(name) for name in _TABLES))
    )


def _table_example(table: str) -> str:
    return "payment_account.cash=CODE" if table == "payment_account" else f"{table}.8=TAXTYPE"


# --- the check of each value: (key, value) -> normal value, or InvalidSetting


def _one_of(*choices: str) -> Callable[[str, str], str]:
    def parse(key: str, value: str) -> str:
        normal = value.lower().replace("-", "_")
        if normal not in choices:
            raise InvalidSetting(
                key, value, "is not one of its values", f"write one of: {', '.join(choices)}"
            )
        return normal

    return parse


def _account(key: str, value: str) -> str:
    """Return an account code (Xero: at most 10 characters) or an AccountID (a UUID)."""
    if not value or (len(value) > 10 and not _UUID.fullmatch(value)):
        raise InvalidSetting(
            key,
            value,
            "is neither an account code (1 to 10 characters) nor an AccountID",
            "write a code of Xero's chart of accounts, such as 200",
        )
    return value


def _account_code(key: str, value: str) -> str:
    """Return an account code of Xero's chart of accounts: document lines take no AccountID."""
    if not 1 <= len(value) <= 10:
        raise InvalidSetting(
            key, value, "is not an account code (1 to 10 characters)", "write a code such as 200"
        )
    return value


def _item_code(key: str, value: str) -> str:
    if not 1 <= len(value) <= 30:
        raise InvalidSetting(
            key, value, "is not an item code (1 to 30 characters)", "write one such as SB-ITEM"
        )
    return value


def _tax_type(key: str, value: str) -> str:
    normal = value.upper()
    if not re.fullmatch(r"[A-Z0-9_]{1,50}", normal):
        raise InvalidSetting(
            key, value, "is not a TaxType of Xero", "write one such as OUTPUT2, NONE or TAX001"
        )
    return normal


def _number_format(key: str, value: str) -> str:
    _check_template(key, value, needed="number", allowed={"number"}, example="SB-{number}")
    if len(value) > 200:
        raise InvalidSetting(key, value, "is longer than 200 characters", "shorten it")
    return value


def _document_url(key: str, value: str) -> str:
    return _url(key, value, {"id", "account"}, DEFAULT_DOCUMENT_URL)


def _account_url(key: str, value: str) -> str:
    return _url(key, value, {"id", "account", "kind"}, DEFAULT_ACCOUNT_URL)


def _url(key: str, value: str, allowed: set[str], example: str) -> str:
    _check_template(key, value, needed="id", allowed=allowed, example=example)
    shown = split_address(value.format(account="acme", id="1", kind="customers"))
    if not re.match(r"https?://[^/\s]+", value) or re.search(r"\s", value) or shown is None:
        raise InvalidSetting(key, value, "is not a web address", f"write one such as {example}")
    return value


def _check_template(key: str, value: str, *, needed: str, allowed: set[str], example: str) -> None:
    try:
        parts = list(string.Formatter().parse(value))
    except ValueError as error:
        raise InvalidSetting(
            key, value, f"has unbalanced braces ({error})", f"write one such as {example}"
        ) from error
    names = [name for _, name, spec, conversion in parts if name is not None]
    plain_fields = all(not spec and not conversion for _, name, spec, conversion in parts if name is not None)
    if needed not in names or not set(names) <= allowed or not plain_fields:
        fields = ", ".join(f"{{{name}}}" for name in sorted(allowed))
        raise InvalidSetting(
            key,
            value,
            f"must contain {{{needed}}} and no other field than {fields}",
            f"write one such as {example}",
        )


def _days(key: str, value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,4}", value):
        raise InvalidSetting(key, value, "is not a number of days (0 to 9999)", "write one such as 30")
    return str(int(value))


def _every(key: str, value: str) -> str:
    """Check an interval. It must also be one that PostgreSQL can read: the worker that looks for due
    comparisons asks the database.
    """
    normal = value.lower()
    if normal != "off" and not re.fullmatch(r"[1-9][0-9]{0,2}[hdw]", normal):
        raise InvalidSetting(
            key, value, "is not a number of hours, days or weeks", "write off, or one such as 12h, 1d or 2w"
        )
    return normal


def _currency(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        raise InvalidSetting(key, value, "is not a currency code", "write three letters, such as USD")
    return value.upper()


def _moment(key: str, value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidSetting(key, value, "is not a time", "write one such as 2026-01-31T00:00:00Z") from error
    if moment.tzinfo is None:
        raise InvalidSetting(key, value, "has no offset", f"write it as {moment.isoformat()}Z or with +13:00")
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise InvalidSetting(key, value, "is outside the calendar", "write a year of this century") from error


def _reference_entry(_key: str, entry: str, _value: str) -> str:
    return fold_reference(entry)


def _tax_entry(key: str, entry: str, value: str) -> str:
    rates = []
    for written in entry.split("+"):
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", written.strip()):
            raise InvalidSetting(
                key,
                value,
                f"'{entry}' is not a tax rate in per cent",
                "write the key as sales_tax.8, .12.5 or .8+5",
            )
        rates.append(Decimal(written.strip()))
    if len(rates) > 2:
        raise InvalidSetting(key, value, "has more than two rates", "SalesBinder has tax and tax2: write 8+5")
    return tax_key(rates[0], rates[1] if len(rates) == 2 else Decimal(0))


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_SINGLE: dict[str, Callable[[str, str], str]] = {
    "enabled_at": _moment,
    "invoice_status": _one_of("authorised", "draft"),
    "purchase_order_status": _one_of("authorised", "draft"),
    "edit_authorised": _one_of("refuse", "push"),
    "refund_as": _one_of("credit_note", "reverse_payment"),
    "received_as": _one_of("bill", "billed"),
    "item_code": _item_code,
    "sales_account": _account_code,
    "purchases_account": _account_code,
    "payment_account": _account,
    "invoice_number_format": _number_format,
    "purchase_order_number_format": _number_format,
    "due_days": _days,
    "currency": _currency,
    "locked_period": _one_of("fail", "first_open_day"),
    "rounding_account": _account_code,
    "rounding_tax": _tax_type,
    "document_url": _document_url,
    "account_url": _account_url,
    "drift_every": _every,
    "reconcile_every": _every,
}
_TABLES: dict[str, tuple[Callable[[str, str, str], str], Callable[[str, str], str]]] = {
    "payment_account": (_reference_entry, _account),
    "sales_tax": (_tax_entry, _tax_type),
    "purchase_tax": (_tax_entry, _tax_type),
}

"""The settings as form fields: the meaning, allowed values and current value of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connections.check import line_accounts, payment_accounts, tax_rates
from connections.facts import Account, OrganisationFacts
from connections.settings import flat
from connections.store import Connection
from contracts.money import plain

Kind = Literal[
    "choice", "line_account", "payment_account", "sales_tax", "purchase_tax", "rounding_tax", "text"
]
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A setting in words. ``default`` is used if nothing is set."""

    key: str
    title: str
    meaning: str
    default: str
    kind: Kind = "text"
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A setting with its value; ``value`` is ``""`` if nothing is set."""

    key: str
    title: str
    meaning: str
    value: str
    saved: str
    """The value in force; differs from ``value`` if that was not accepted."""
    default: str
    choices: Choices | None
    """Values with their names; None for free text."""
    error: str = ""


_STATUS = (("authorised", "Approved"), ("draft", "Draft"))
GROUPS: tuple[tuple[str, tuple[Meaning, ...]], ...] = (
    (
        "Which documents",
        (
            Meaning(
                "enabled_at",
                "Cut-off",
                "Documents created before this time are not synced, nor are later changes to them. A time "
                "with a UTC offset.",
                "when first connected",
            ),
        ),
    ),
    (
        "What each action does",
        (
            Meaning(
                "invoice_status",
                "Invoices arrive as",
                "A payment first approves a draft.",
                "authorised",
                "choice",
                _STATUS,
            ),
            Meaning(
                "purchase_order_status",
                "Orders arrive as",
                "Also applies to bills created from orders.",
                "authorised",
                "choice",
                _STATUS,
            ),
            Meaning(
                "edit_authorised",
                "Edits to an approved invoice",
                "Changing an approved invoice changes the books.",
                "refuse",
                "choice",
                (("refuse", "Fails"), ("push", "Change what Xero allows to be changed")),
            ),
            Meaning(
                "refund_as",
                "A refund becomes",
                "",
                "credit_note",
                "choice",
                (
                    ("credit_note", "A credit note with the money paid out"),
                    ("reverse_payment", "The matching payment removed"),
                ),
            ),
            Meaning(
                "received_as",
                "An order received in full becomes",
                "",
                "bill",
                "choice",
                (
                    ("bill", "A bill, and the order is marked as billed"),
                    ("billed", "Only the order is marked as billed"),
                ),
            ),
            Meaning(
                "locked_period",
                "Dates in a locked period",
                "",
                "fail",
                "choice",
                (("fail", "Fails"), ("first_open_day", "Move to the first day after the lock date")),
            ),
        ),
    ),
    (
        "Accounts",
        (
            Meaning(
                "sales_account", "Sales", "For lines of invoices and credit notes.", "200", "line_account"
            ),
            Meaning(
                "purchases_account", "Purchases", "For lines of orders and bills.", "300", "line_account"
            ),
            Meaning(
                "rounding_account",
                "Rounding",
                "For a line of a few cents if Xero's rounded lines do not add up to SalesBinder's total.",
                "860",
                "line_account",
            ),
            Meaning(
                "rounding_tax",
                "Tax on rounding",
                "The Xero tax rate of that line. It carries no tax amount.",
                "NONE",
                "rounding_tax",
            ),
            Meaning(
                "payment_account",
                "Payments",
                "Where payments go if their method has no account of its own. There is no safe default.",
                "not set: payments fail",
                "payment_account",
            ),
            Meaning(
                "item_code",
                "Item",
                "Carried by every line; created in Xero, untracked, if missing.",
                "SB-ITEM",
            ),
        ),
    ),
    (
        "Numbers, dates, links",
        (
            Meaning(
                "invoice_number_format",
                "Invoice numbers",
                "SB-{number} keeps SalesBinder's numbers apart from those assigned in Xero.",
                "{number}",
            ),
            Meaning(
                "purchase_order_number_format",
                "Order numbers",
                "The same for orders and their bills.",
                "{number}",
            ),
            Meaning(
                "due_days", "Days until due", "From the issue date, if a document has no due date.", "30"
            ),
            Meaning(
                "currency",
                "Currency",
                "For documents without one. It must be enabled in Xero.",
                "the organisation's own",
            ),
            Meaning(
                "drift_every",
                "Compare with Xero",
                "How often Xero is compared with what was last synced: 12h, 1d, 2w.",
                "off",
            ),
            Meaning(
                "reconcile_every",
                "Compare SalesBinder with Xero",
                "How often both sides are compared, if SalesBinder is read: off, 12h, 1d, 2w.",
                "1d",
            ),
            Meaning(
                "document_url",
                "Document address",
                "The document's page in SalesBinder, for links in Xero and in the log.",
                "the document's page in SalesBinder",
            ),
            Meaning(
                "account_url",
                "Customer or supplier address",
                "The record's page in SalesBinder, for links in the log; {kind} is customers or suppliers.",
                "the record's page in SalesBinder",
            ),
        ),
    ),
)
TABLES: tuple[tuple[str, str, str, Kind], ...] = (
    (
        "sales_tax",
        "Tax on sales",
        "The Xero tax rate for each SalesBinder rate on invoices, in per cent. 8+5 means a line with both.",
        "sales_tax",
    ),
    ("purchase_tax", "Tax on purchases", "The same for orders and bills.", "purchase_tax"),
    (
        "payment_account",
        "Payments by method",
        "Payments with this reference in SalesBinder go to this account; case does not matter.",
        "payment_account",
    ),
)
"""Key before the dot, title, meaning, kind of the values."""


@dataclass(frozen=True, slots=True)
class Table:
    """Settings with one entry per rate or method."""

    name: str
    title: str
    meaning: str
    rows: list[Field]
    choices: Choices | None


def groups(
    connection: Connection, given: Mapping[str, str], errors: Mapping[str, str]
) -> list[tuple[str, list[Field]]]:
    """Return the single settings, by group. ``given`` holds rejected input, ``errors`` the reasons."""
    values = flat(connection.settings)
    found = []
    for title, meanings in GROUPS:
        shown = []
        for one in meanings:
            own = one.key in connection.written or one.key == "enabled_at"
            saved = (values[one.key] or "") if own else ""
            value = given.get(one.key, saved)
            options = (
                list(one.choices) if one.kind == "choice" else choices(one.kind, connection.facts, value)
            )
            default = dict(options or ()).get(one.default, one.default)
            shown.append(
                Field(
                    one.key, one.title, one.meaning, value, saved, default, options, errors.get(one.key, "")
                )
            )
        found.append((title, shown))
    return found


def tables(connection: Connection, given: Mapping[str, str], errors: Mapping[str, str]) -> list[Table]:
    """Return the settings that have one entry per rate or method."""
    values = flat(connection.settings)
    found = []
    for name, title, meaning, kind in TABLES:
        rows = []
        for key in sorted(key for key in values if key.startswith(f"{name}.")):
            entry = key.partition(".")[2]
            saved = values[key] or ""
            value = given.get(key, saved)
            said = entry if kind == "payment_account" else f"{entry} %"
            options = choices(kind, connection.facts, value)
            rows.append(Field(key, said, "", value, saved, "", options, errors.get(key, "")))
        found.append(Table(name, title, meaning, rows, choices(kind, connection.facts, "")))
    return found


def choices(kind: Kind, facts: OrganisationFacts | None, value: str) -> Choices | None:
    """Return the organisation's choices, and the current value even if it is not among them; None if
    unknown.
    """
    if facts is None or kind in ("text", "choice"):
        return None
    if kind == "line_account":
        found = [(account.code, _named(account)) for account in line_accounts(facts)]
    elif kind == "payment_account":
        found = [(account.code or account.account_id, _named(account)) for account in payment_accounts(facts)]
    else:
        rates = (
            [one for one in facts.tax_rates.values() if one.active and not one.rate]
            if kind == "rounding_tax"
            else tax_rates("sales" if kind == "sales_tax" else "purchases", facts)
        )
        found = [
            (rate.tax_type, f"{rate.name}, {plain(rate.rate)} %" if rate.rate is not None else rate.name)
            for rate in rates
        ]
    if value and value not in dict(found):
        found.append((value, f"{value} (not offered by Xero)"))
    return found


def _named(account: Account) -> str:
    return f"{account.code} {account.name}".strip()

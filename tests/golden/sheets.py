"""Books and log in the form of the expectation sheets: everything as text, no ids, no moments."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent
_DOCUMENT = (
    *("number", "type", "status", "reference", "url", "date", "due_date", "currency", "line_amount_types"),
    *("sub_total", "total_tax", "total"),
)
_DUE = ("amount_paid", "amount_credited", "amount_due")
_LINE = (
    *("quantity", "unit_amount", "item_code", "account_code", "tax_type", "tax_amount", "line_amount"),
    "discount_rate",
)
_PAYMENT = ("amount", "date", "reference", "status")


def sheet(name: str) -> dict[str, Any]:
    """What ``name``.yaml expects. A sheet with ``based_on`` names only what differs from that one."""
    with (_HERE / f"{name}.yaml").open(encoding="utf-8") as file:
        # BaseLoader leaves every value as the text that it is, amounts and dates too, and makes no objects
        given: dict[str, Any] = yaml.load(file, Loader=yaml.BaseLoader)  # noqa: S506
    base = given.pop("based_on", None)
    return _over(sheet(base), given) if base else given


def _over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Lists are replaced, mappings name what differs: records by number or name, entries by place."""
    merged = dict(base)
    for part, changed in changes.items():
        if isinstance(changed, dict):
            keys = (_name(one) if part != "log" else str(place) for place, one in enumerate(base[part], 1))
            kept = dict(zip(keys, base[part], strict=True)) | changed
            changed = [one for one in kept.values() if one != "absent"]
        merged[part] = changed
    return merged


def books(held: dict[str, Any]) -> dict[str, Any]:
    """The fake's books as a sheet has them."""
    found: dict[str, Any] = {
        "items": [{"code": one["code"]} for one in held["items"]],
        "contacts": [_contact(one) for one in held["contacts"]],
    }
    for part in ("invoices", "credit_notes", "purchase_orders"):
        more = () if part == "purchase_orders" else _DUE
        found[part] = [_document(one, more) for one in held[part]]
    found["payments"] = [
        {
            "document": one["document_number"],
            "account": one["account_code"],
            **{name: one[name] for name in _PAYMENT},
        }
        for one in held["payments"]
    ]
    return found


def _contact(held: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: held[name] for name in ("name", "contact_number", "status", "email")},
        "phones": {
            kind: "".join(filled)
            for kind, phone in held["phones"].items()
            if (filled := [value for value in phone.values() if value])
        },
        "addresses": {
            kind: kept
            for kind, address in held["addresses"].items()
            if (kept := {name: value for name, value in address.items() if value})
        },
    }


def _document(held: dict[str, Any], more: tuple[str, ...]) -> dict[str, Any]:
    return {
        **{name: held[name] for name in (*_DOCUMENT, *more)},
        "contact": held["contact_name"],
        "lines": [
            {"text": line["description"].replace("\n", " | "), **{name: line[name] for name in _LINE}}
            for line in held["lines"]
        ],
    }


def entry(row: dict[str, Any]) -> dict[str, Any]:
    """A row of ``integrations_log.entries`` as a sheet has it."""
    return {
        "action": f"{row['entity']} {row['action']}",
        "state": row["state"],
        "how": row["outcome"] or row["reason_code"],
        "number": row["record_number"],
        "party": row["party_name"],
        "amount": row["amount"],
        "warnings": [warning["code"] for warning in row["warnings"]],
        "xero": f"{row['xero_type']} {row['xero_number']}".strip(),
    }


def differences(expected: Any, found: Any, where: str = "") -> Iterator[str]:
    """Each value that is not as expected, with the way to it."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys([*expected, *found]):
            yield from differences(expected.get(name, "—"), found.get(name, "—"), f"{where}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            one, other = (part[index] if index < len(part) else "—" for part in (expected, found))
            yield from differences(one, other, f"{where}[{_name(one) or index + 1}]")
    elif not _same(expected, found):
        yield f"{where}: expected {expected!r}, found {found!r}"


def _name(value: Any) -> str:
    return str(value.get("number") or value.get("name") or "") if isinstance(value, dict) else ""


def _same(expected: Any, found: Any) -> bool:
    found = "" if found is None else str(found)
    try:
        return Decimal(expected) == Decimal(found)
    except (InvalidOperation, TypeError, ValueError):
        return bool(expected == found)

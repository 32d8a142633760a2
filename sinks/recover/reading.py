"""The calls that find out what was perhaps sent, and the marks by which objects are kept. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connections.settings import Settings
from contracts.commands import Command
from contracts.json import Body, JsonObject
from sinks.drift.scan import LISTS, PAGE
from sinks.planner.contact_lookups import quoted
from sinks.resolve.documents import document_url
from sinks.xero.client import Request

RECORDS = 40
"""Records that are looked up, and matched, at once."""
_FEW_CALLS = 250
"""With more look-ups than that, all of Xero is read instead: pages of 500 objects."""
_PAGE = "1000"
_ENVELOPES = {listing.envelope: listing.id_field for listing in LISTS}


@dataclass(frozen=True, slots=True)
class Asked:
    """A call, and the list in its response."""

    request: Request
    envelope: str


def page_of(phase: int, page: int, since: Any) -> Asked:
    """Return a page of one of the lists of all that Xero has, or has changed since then."""
    listing = LISTS[phase]
    # By id: objects created or changed meanwhile push later ones back, so none slips between pages.
    order = f"{listing.id_field} ASC"
    query = {**listing.query, "order": order, "page": str(page), "pageSize": str(PAGE)}
    if listing.envelope in ("Invoices", "CreditNotes"):
        query["unitdp"] = "4"
    return Asked(Request("GET", f"/{listing.envelope}", query, None, None, since), listing.envelope)


@dataclass(frozen=True, slots=True)
class Formats:
    """The number formats that the account has had: a document bears the one of the day when it was sent."""

    invoices: frozenset[str]
    orders: frozenset[str]


def documents_by_number(commands: Sequence[Command], formats: Formats) -> list[Asked]:
    """Return look-ups of contacts, invoices, bills, orders and credit notes by the numbers that they may
    have.
    """
    invoices = {
        one.replace("{number}", c.record_number)
        for c in commands
        if c.entity == "invoice" and c.record_number
        for one in formats.invoices
    }
    orders = {
        one.replace("{number}", c.record_number)
        for c in commands
        if c.entity == "purchase_order" and c.record_number
        for one in formats.orders
    }
    contacts = {contact.record_id for c in commands if (contact := c.party) is not None}
    notes = {
        f"{one.replace('{number}', c.record_number)}-{part}{again}"
        for c in commands
        if c.action == "refund_applied" and c.transaction is not None and c.record_number
        for one in formats.invoices
        for part in (c.transaction.transaction_id[:8], c.transaction.transaction_id)
        for again in ("", "-2", "-3")
    }
    days = sorted(
        c.document.issue_date.isoformat() for c in commands if c.entity == "purchase_order" and c.document
    )
    asked = [
        *_wheres("Contacts", "ContactNumber", contacts, {"includeArchived": "true"}),
        *_numbers(invoices | orders),
        *_wheres("CreditNotes", "CreditNoteNumber", notes, {"unitdp": "4"}),
    ]
    if days:
        query = {"DateFrom": days[0], "DateTo": days[-1], "page": "1", "pageSize": _PAGE}
        asked.append(Asked(Request("GET", "/PurchaseOrders", query, None, None), "PurchaseOrders"))
    return asked


def money_on(ids: Iterable[str]) -> list[Asked]:
    """Return look-ups of the payments, also those taken off, on these invoices and credit notes."""
    wanted = sorted(ids)
    return [
        _where("Payments", " OR ".join(f'Invoice.InvoiceID==guid("{one}")' for one in some), {})
        for some in _cut(wanted, 20)
    ]


def calls_by_number(records: Iterable[tuple[str, str]]) -> int:
    """Return about how many calls it takes to look these records (entity, id) up by number."""
    found = list(records)
    kinds = {kind: sum(entity == kind for entity, _ in found) for kind in ("invoice", "purchase_order")}
    contacts, batches = len(found), -(-len(found) // RECORDS)
    return (
        -(-contacts // 20)
        + batches
        + 2 * -(-kinds["invoice"] // 20)
        + (batches if kinds["purchase_order"] else 0)
    )


def few(records: Sequence[tuple[str, str]]) -> bool:
    """Return True if looking them up one by one is less than reading everything."""
    return calls_by_number(records) <= _FEW_CALLS


def next_page(asked: Asked, listed: Sequence[JsonObject], document: JsonObject) -> Asked | None:
    """Return the next page of a look-up; none behind the last one."""
    page = int(asked.request.query["page"])
    size = int(asked.request.query["pageSize"])
    pages = int((document.get("pagination") or {}).get("pageCount") or 0)
    if page >= pages if pages else len(listed) < size:
        return None
    query = {**asked.request.query, "page": str(page + 1)}
    return Asked(
        Request("GET", asked.request.path, query, None, None, asked.request.modified_since), asked.envelope
    )


def kept(envelope: str, listed: Iterable[JsonObject]) -> list[Body]:
    """Return the objects of a list that bear a mark like ours, by that mark."""
    found = []
    for one in listed:
        xero_id = str(one.get(_ENVELOPES[envelope]) or "")
        key = _key(envelope, one)
        if xero_id and key:
            found.append({"key": key, "xero_id": xero_id, "body": one})
    return found


def envelope_of(key: str) -> str:
    """Return the name of the list that showed the objects kept under a key."""
    return key.partition(" ")[0]


def keys_of(commands: Sequence[Command], settings: Settings) -> list[str]:
    """Return the marks of the objects that these commands may have sent."""
    keys = set()
    for command in commands:
        contact = command.party
        if contact is not None:
            keys.add(f"Contacts {contact.record_id}")
        if command.entity in ("customer", "supplier"):
            keys.add(f"Contacts {command.record_id}")
            continue
        keys.add(f"Invoices {document_url(command.record_id, command.account, settings)}")
        if command.entity == "purchase_order":
            keys.add(f"PurchaseOrders #{command.record_id[:8]}")
        if command.transaction is not None:
            whole = command.transaction.transaction_id
            for mark in (f"#{whole[:8]}", f"#{whole}"):
                keys |= {f"Payments {mark}", f"CreditNotes {mark}"}
    return sorted(keys)


def _key(envelope: str, one: JsonObject) -> str:
    if envelope == "Contacts":
        mark = str(one.get("ContactNumber") or "")
    elif envelope == "Invoices":
        mark = str(one.get("Url") or "")
    else:
        word = str(one.get("Reference") or "").split(" ")[-1]
        mark = word if word.startswith("#") else ""
    return f"{envelope} {mark}" if mark else ""


def _wheres(envelope: str, name: str, wanted: Iterable[str], more: Mapping[str, str]) -> list[Asked]:
    some = sorted(one for one in wanted if '"' not in one)
    return [
        _where(envelope, " OR ".join(f"{name}=={quoted(one)}" for one in cut), more) for cut in _cut(some, 20)
    ]


def _where(envelope: str, where: str, more: Mapping[str, str]) -> Asked:
    query = {"where": where, "page": "1", "pageSize": _PAGE, **more}
    return Asked(Request("GET", f"/{envelope}", query, None, None), envelope)


def _numbers(wanted: Iterable[str]) -> list[Asked]:
    """Look numbers up in ``InvoiceNumbers``, a comma-separated list; one with a comma needs a filter."""
    plain = sorted(one for one in wanted if "," not in one)
    query = {"page": "1", "pageSize": _PAGE, "unitdp": "4"}
    asked = [
        Asked(
            Request("GET", "/Invoices", {**query, "InvoiceNumbers": ",".join(some)}, None, None), "Invoices"
        )
        for some in _cut(plain, RECORDS)
    ]
    return asked + _wheres("Invoices", "InvoiceNumber", (w for w in wanted if "," in w), {"unitdp": "4"})


def _cut(wanted: Sequence[str], size: int) -> list[Sequence[str]]:
    return [wanted[place : place + size] for place in range(0, len(wanted), size)]

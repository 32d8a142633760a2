"""Books and log of a played history, against the model."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.reliability.history import History
from tests.reliability.model import DONE, Model, Paper
from tests.reliability.model.parties import FIELDS

ROUNDING_ACCOUNT = "860"
"""Where cents of net go: a line there is not one of the document's own."""


def compare(history: History, model: Model, ended: dict[str, str], books: Any) -> list[str]:
    """Everything in which books and log differ from the model."""
    wrong = []
    for event_id, allowed in model.ends.items():
        lenient = allowed | DONE if allowed & DONE else allowed
        if ended.get(event_id) not in lenient:
            wrong.append(f"event {event_id} ended {ended.get(event_id)}, not {sorted(allowed)}")
            wrong.append(f"  of {_story(history, event_id, ended)}")
    if more := ended.keys() - model.ends.keys():
        wrong.append(f"entries of no event: {more}")
    contacts = {c["id"]: c for c in books["contacts"]}
    invoices = {
        p.number: (i, p) for (entity, i), p in model.papers.items() if entity == "invoice" and p.status
    }
    orders = {p.number: (i, p) for (e, i), p in model.papers.items() if e == "purchase_order" and p.status}
    for what, expected, found in (
        ("invoice", invoices, [i for i in books["invoices"] if i["type"] == "ACCREC"]),
        ("order", orders, books["purchase_orders"]),
    ):
        numbers = Counter(document["number"] for document in found)
        if numbers != Counter(list(expected)):
            wrong.append(f"{what}s {sorted(numbers.elements())}, not {sorted(expected)}")
        for document in found:
            if document["number"] in expected:
                record_id, paper = expected[document["number"]]
                wrong += _paper_differs(f"{what} {document['number']} {record_id}", paper, document, books)
                wrong += _of_party(
                    f"{what} {document['number']}", paper, contacts[document["contact_id"]], model
                )
    wrong += _bills(orders, books)
    return wrong + _contacts(model, books)


def _story(history: History, event_id: str, ended: dict[str, str]) -> str:
    """What happened to the record of an event, and how each of it ended."""
    [record] = {e["subject"] for e in history.events if e["id"] == event_id}
    return "; ".join(
        f"{number}: {e['id'][:4]} {e['type'].removeprefix('salesbinder.')} "
        f"{next(iter(e['data'].values())).get('modified', '')[5:16]} {ended.get(e['id'])}"
        for number, portion in enumerate(history.portions)
        for e in portion
        if e["subject"] == record
    )


def _paper_differs(what: str, paper: Paper, document: Any, books: Any) -> list[str]:
    wrong = []
    if document["status"] != paper.shown_status:
        wrong.append(f"{what} is {document['status']}, not {paper.shown_status}")
    if paper.status in ("DELETED", "VOIDED"):
        standing = [p for p in document["payments"] if p["status"] != "DELETED"]
        return wrong + ([f"{what} still has {standing}"] if standing else [])
    assert paper.content is not None
    said = paper.content
    own = [line for line in document["lines"] if line["account_code"] != ROUNDING_ACCOUNT]
    lines = [(Decimal(n["quantity"]), Decimal(n["unit_amount"])) for n in own]
    net = Decimal(document["sub_total"])
    shown = (net, Decimal(document["total"]), document["reference"].split(" #")[0], document["date"], lines)
    wanted_lines = [(line.quantity, line.unit_amount) for line in said.lines]
    if shown != (wanted := (said.net, paper.total, said.name, said.issued, wanted_lines)):
        wrong.append(f"{what} has {shown}, not {wanted}")
    if said.due and document.get("due_date") not in (said.due, None, ""):
        wrong.append(f"{what} is due {document['due_date']}, not {said.due}")
    if [line["description"] for line in own] != list(said.texts):
        wrong.append(f"{what} has the texts {[line['description'] for line in own]}, not {said.texts}")
    paid = [payment.shown for payment in paper.payments.standing.values()]
    wrong += _same(f"payments of {what}", _money(document["payments"]), paid)
    if what.startswith("invoice"):
        wrong += _credit_notes(what, paper, books)
    return wrong


def _credit_notes(what: str, paper: Paper, books: Any) -> list[str]:
    marks = {
        f"{paper.number}-{transaction[:8]}{f'-{note.edition}' if note.edition > 1 else ''}": note
        for transaction, note in (paper.refunds.standing.items() if paper.refunds.credited else ())
    }
    notes = {
        n["number"]: n
        for n in books["credit_notes"]
        if n["number"].partition("-")[0] == paper.number and n["status"] not in ("VOIDED", "DELETED")
    }
    wrong = _same(f"credit notes of {what}", notes, marks)
    for number in notes.keys() & marks.keys():
        note, money = notes[number], marks[number]
        found = [(note["status"], Decimal(note["total"]), note["date"])]
        wrong += _same(f"credit note {number}", found, [("PAID", money.amount, money.day)])
        wrong += _same(f"refunds of {number}", _money(note["payments"]), [money.shown])
    return wrong


def _money(payments: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [
        (Decimal(p["amount"]), p["date"], p["reference"], p["account_code"])
        for p in payments
        if p["status"] != "DELETED"
    ]


def _same(what: str, found: Any, wanted: Any) -> list[str]:
    found, wanted = sorted(found), sorted(wanted)
    return [] if found == wanted else [f"{what}: {found}, not {wanted}"]


def _bills(orders: dict[str, tuple[str, Paper]], books: Any) -> list[str]:
    found = [
        (b["number"], b["status"], b["date"], Decimal(b["total"]), b["due_date"])
        for b in books["invoices"]
        if b["type"] == "ACCPAY"
    ]
    wanted = [
        (number, paper.bill[0], paper.bill[1], paper.bill[2], paper.bill[3])
        for number, (_, paper) in orders.items()
        if paper.bill
    ]
    return _same("bills", found, wanted)


def _of_party(what: str, paper: Paper, contact: Any, model: Model) -> list[str]:
    names = set(model.parties[paper.party].names)
    for party in model.parties.values():  # one contact for all of one name
        names |= party.names if party.names & names else set()
    return [] if contact["name"] in names else [f"{what} is of {contact['name']}, not of {names}"]


def _contacts(model: Model, books: Any) -> list[str]:
    wrong = []
    names = Counter(c["name"] for c in books["contacts"])
    wrong += [f"contact {name} is there {count} times" for name, count in names.items() if count > 1]
    seen = Counter(name for party in model.parties.values() for name in party.names)
    for record_id, party in model.parties.items():
        found = [c for c in books["contacts"] if c["contact_number"] == record_id]
        if any(seen[name] > 1 for name in party.names):
            continue
        if len(found) > 1 or (party.floor is not None and not found) or (found and party.old):
            wrong.append(f"contact {record_id} is there {len(found)} times")
        elif found:
            wrong += [
                f"contact {record_id} shows {name} {value!r}, not one of {party.may_show(name)}"
                for name, value in zip(FIELDS, _shown(found[0]), strict=True)
                if value not in party.may_show(name)
            ]
    return wrong


def _shown(contact: Any) -> tuple[str, ...]:
    phones = {p["PhoneType"]: p.get("PhoneNumber", "") for p in _listed(contact["phones"], "PhoneType")}
    streets = {
        a["AddressType"]: a.get("AddressLine1", "") for a in _listed(contact["addresses"], "AddressType")
    }
    email = contact["email"]
    return contact["name"], email, phones.get("DEFAULT", ""), phones.get("FAX", ""), streets.get("POBOX", "")


def _listed(held: Any, key: str) -> list[Any]:
    return [{key: kind, **each} for kind, each in held.items()] if isinstance(held, dict) else list(held)

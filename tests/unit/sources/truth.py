"""What a reader has told, against what is true in the shop."""

from collections.abc import Iterator
from typing import Any

from sandbox.fake_salesbinder.truth import TrueDocument, TrueParty
from sources.problems import Problem
from tests.unit.sources.meeting import Book, Encounter

EXPECTED = {"status_unknown", "sums_disagree", "transaction_marked"}
"""Problems that the switches make: names that nobody knows, money that only a total or a mark shows."""
_FIELDS = ("name", "office_email", "office_phone", "billing_city")


def untrue(meeting: Encounter) -> list[str]:
    """Return everything in which the events, played back, are not the shop; nothing if they are it."""
    return [*_untrue(meeting)]


def _untrue(meeting: Encounter) -> Iterator[str]:
    for problem in meeting.reader.problems:
        if problem.code not in EXPECTED and not _is_listed_archived(problem, meeting):
            yield f"problem {problem.code}: {problem}"
    yield from _out_of_order(meeting)
    books, truth = meeting.books(), meeting.shop.truth
    papers = {held.id: held for held in truth.documents.values() if held.kind != "estimate"}
    parties = {held.id: held for held in truth.parties.values() if held.kind != "prospect"}
    records = papers | parties
    for record_id in books.keys() - records.keys():
        yield f"{record_id} is told, and is no record"
    for record_id, held in records.items():
        if record_id not in books and not held.deleted and not held.archived:
            yield f"{held.kind} {record_id} is not told"
    without_money = meeting.without_money()
    for record_id in books.keys() & records.keys():
        if record_id in parties:
            found = _of_party(books[record_id], parties[record_id])
        elif not papers[record_id].archived:
            found = _of_document(books[record_id], papers[record_id], record_id in without_money)
        else:
            continue
        yield from (f"{records[record_id].kind} {record_id}: {text}" for text in found)


def _is_listed_archived(problem: Problem, meeting: Encounter) -> bool:
    """Return True for an archived record that lists go on to show, and no detail does."""
    history = meeting.shop.truth.history
    archived = {each.record_id for each in history if each.kind.endswith(".archived")}
    is_listed = meeting.shop.switches.archived_in_lists == "shown"
    return problem.code == "record_refused" and is_listed and problem.record_id in archived


def _out_of_order(meeting: Encounter) -> Iterator[str]:
    ids, times = set[str](), dict[bytes, Any]()
    for event in meeting.reader.told:
        if event.id in ids:
            yield f"{event.type} {event.id} is told twice"
        ids.add(event.id)
        if event.time < times.get(event.key, event.time):
            yield f"{event.type} {event.id} is told after a later one of its record"
        times[event.key] = event.time


def _of_party(book: Book, truth: TrueParty) -> Iterator[str]:
    if book.ends != ["deleted"] * truth.deleted:
        yield f"ended {book.ends}, deleted {truth.deleted}"
    if truth.deleted or truth.archived:
        return
    shown = {**book.record, "office_phone": book.record.get("office_phone", book.record.get("office_number"))}
    for name in {*_FIELDS, *(shown.keys() & truth.fields.keys())}:
        told = shown.get(name, "is not told")
        if (told or "") != (truth.fields.get(name) or ""):
            yield f"{name} {told!r}, not {truth.fields.get(name)!r}"


def _of_document(book: Book, truth: TrueDocument, without_money: bool) -> Iterator[str]:
    ended = ["cancelled"] * truth.cancelled + ["received"] * truth.received
    if truth.deleted:
        if book.ends[-1:] != ["deleted"] or not set(book.ends[:-1]) <= set(ended):
            yield f"ended {book.ends}, not {[*ended, 'deleted']}"
        return
    if book.ends != ended:
        yield f"ended {book.ends}, not {ended}"
    shown: dict[str, Any] = book.record
    net = shown["total_price"]
    if truth.kind != "invoice":
        net = max(shown["total_price"] or 0, shown["total_cost"] or 0, key=lambda amount: float(amount))
    told = cents(net), cents(shown["total_tax"]) + cents(shown["total_tax2"])
    if told != (cents(truth.net), cents(truth.tax)):
        yield f"net and tax {told}, not {cents(truth.net), cents(truth.tax)}"
    if shown["customer_id"] != truth.party_id:
        yield f"is of {shown['customer_id']}, not {truth.party_id}"
    if truth.kind == "invoice" and not without_money and book.net_paid != truth.net_paid:
        yield f"paid {book.net_paid}, not {truth.net_paid}"


def cents(amount: Any) -> int:
    return round(float(amount or 0) * 100)

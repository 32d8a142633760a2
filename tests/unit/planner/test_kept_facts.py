"""What links keep of their records is stored: it stays as earlier versions wrote it, to the letter."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from contracts.commands import Address, Command, TransactionSnapshot
from sinks.planner.contacts import contact_target
from sinks.resolve.folding import TOLD_FIELDS
from sinks.xero.elements import Kind, Link, StepKey, encode_jsonb
from sinks.xero.facts import AmountFact, ContactFacts, DocumentFacts, MoneyFacts, TextFact, TimeFact
from tests.unit.planner.pure import Books, command
from tests.unit.planner.test_orders import OrderBooks
from tests.unit.resolve.books import CONTACT, NOW, SETTINGS, invoice, line

KEPT = Path(__file__).with_name("kept_facts.jsonl")
"""Written by the version before facts had types; lines of one link each."""


def at(minute: int, own: Command) -> Command:
    event = msgspec.structs.replace(own.event, time=NOW + timedelta(minutes=minute))
    return msgspec.structs.replace(own, event=event)


def money(action: Any, transaction_id: str, amount: str, minute: int) -> Command:
    told = TransactionSnapshot(
        transaction_id=transaction_id,
        amount=Decimal(amount),
        date=date(2026, 3, 2) + timedelta(days=minute),
        reference="Cash",
        mark=f"#{transaction_id}",
    )
    return at(minute, command(action, invoice(line("1", "500")), told))


def of_sales() -> dict[str, list[Books]]:
    books, reset, gone = Books(), Books(), Books()
    for seq, own in enumerate(
        (
            command("created", invoice(line("1", "500"))),
            money("payment_applied", "t1", "50", 1),
            money("payment_applied", "t1", "60.5", 2),
            money("refund_applied", "r1", "20", 3),
            money("refund_applied", "r1", "25", 4),
            at(5, command("edited", invoice(line("1", "700")))),
        ),
        1,
    ):
        books.run(own, seq)
    for seq, own in enumerate(
        (
            money("payment_applied", "t1", "50", 1),
            money("refund_applied", "r1", "50", 2),
            at(3, command("reset", invoice(line("1", "500")))),
        ),
        1,
    ):
        reset.run(own, seq)
    for seq, own in enumerate(
        (
            command("created", invoice(line("1", "500"))),
            at(1, command("cancelled", invoice(line("1", "500")))),
        ),
        1,
    ):
        gone.run(own, seq)
    return {"corrected": [books], "reset": [reset], "cancelled": [gone]}


def of_purchases() -> dict[str, list[Books]]:
    order = msgspec.structs.replace(invoice(line("2", "30")), number="77")
    order = msgspec.structs.replace(order, contact=msgspec.structs.replace(order.contact, side="supplier"))
    billed = OrderBooks(settings=replace(SETTINGS, received_as="bill"))
    for seq, action in enumerate(("created", "edited", "received"), 1):
        billed.run(at(seq, command(action, order, entity="purchase_order")), seq)  # type: ignore[arg-type]
    marked = OrderBooks(settings=replace(SETTINGS, received_as="billed"))
    for seq, action in enumerate(("created", "received"), 1):
        marked.run(at(seq, command(action, order, entity="purchase_order")), seq)  # type: ignore[arg-type]
    return {"billed": [billed], "marked as billed": [marked]}


def lines(written: dict[str, list[Books]]) -> Iterator[str]:
    for name, several in written.items():
        for books in several:
            for key, link in sorted(books.links.items()):
                facts = json.loads(encode_jsonb(link.facts))
                yield json.dumps(
                    [name, *key, link.xero_number, link.seq, link.removed, facts], sort_keys=True
                )


@pytest.fixture(autouse=True)
def counted_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(numbers)))


def test_links_keep_what_they_kept() -> None:
    found = list(lines(of_sales() | of_purchases()))
    assert found == KEPT.read_text(encoding="utf-8").splitlines()


def stored() -> list[tuple[Link, str]]:
    """Links as the ledger reads them, each with its facts as they are stored."""
    found = []
    for row in KEPT.read_text(encoding="utf-8").splitlines():
        _, kind, record_id, transaction_id, number, seq, removed, facts = json.loads(row)
        target = StepKey(kind, record_id, transaction_id)
        text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
        found.append((Link(target, "x", number, seq, removed, facts), text))
    return found


@pytest.mark.parametrize(("link", "text"), stored(), ids=lambda value: getattr(value, "xero_number", ""))
def test_what_is_read_is_written_back_as_it_was(link: Link, text: str) -> None:
    assert encode_jsonb(link.facts) == text


def test_facts_of_another_version_stay() -> None:
    link = Link(StepKey("payment", "d1", "t1"), "x", facts={"amount": "5", "of_tomorrow": {"a": [1]}})
    assert json.loads(encode_jsonb({**link.facts, "status": "DELETED"})) == {
        "amount": "5",
        "of_tomorrow": {"a": [1]},
        "status": "DELETED",
    }


def test_how_new_fields_are_is_left_out_where_all_are_as_new() -> None:
    """And read as if it was there, as earlier versions wrote it."""
    blank = Address("", "", "", "", "", "")
    contact = msgspec.structs.replace(
        CONTACT, email="", phone="1", fax="", website="", billing=blank, shipping=blank
    )
    later = NOW + timedelta(minutes=1)
    newer = msgspec.structs.replace(contact, phone="2", fax=None, version=later, event_time=later)
    target = contact_target(contact)
    known: list[dict[str, Any]] = []
    kept: dict[str, Any]
    for kept in ({}, {"told": {field: [] for field in TOLD_FIELDS}}):
        books = Books()
        books.run(msgspec.structs.replace(command("edited", entity="customer"), contact=contact), 1)
        assert "told" not in books.links[target].facts
        books.links[target] = replace(books.links[target], facts={**books.links[target].facts, **kept})
        books.run(msgspec.structs.replace(command("edited", entity="customer"), contact=newer), 2)
        known.append(dict(books.links[target].facts))
    assert known[0] == known[1]
    assert {field for field, at in known[0]["told"].items() if at} == {"fax"}


def test_every_fact_that_is_stored_has_a_name() -> None:
    by_kind: dict[Kind, set[str]] = {}
    for link, _ in stored():
        by_kind.setdefault(link.target.kind, set()).update(link.facts)
    named = {
        "contact": ContactFacts,
        **dict.fromkeys(("invoice", "bill", "purchase_order"), DocumentFacts),
        **dict.fromkeys(("payment", "credit_note", "refund"), MoneyFacts),
    }
    unnamed = {kind: keys - named[kind].__annotations__.keys() for kind, keys in by_kind.items()}
    assert {kind: keys for kind, keys in unnamed.items() if keys} == {}


def test_what_is_read_by_name_is_a_fact() -> None:
    facts = ContactFacts.__annotations__.keys() | DocumentFacts.__annotations__.keys()
    facts |= MoneyFacts.__annotations__.keys()
    names = {*get_args(TextFact), *get_args(AmountFact), *get_args(TimeFact)}
    assert names - facts == set()

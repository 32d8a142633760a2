"""Nothing is posted on an item whose stock Xero counts, whatever its code's case."""

from dataclasses import replace
from decimal import Decimal

import pytest

from connections.check import check_settings
from contracts.commands import Action, Command, TransactionSnapshot
from sinks.planner import Done, Fail
from tests.unit.planner.pure import KNOWING, Books, command
from tests.unit.resolve.books import NOW, SETTINGS, invoice, line

DOCUMENT = invoice(line("1", "100"))
TRACKED = replace(KNOWING, item_codes=frozenset({"sb-item"}), tracked_items=frozenset({"sb-item"}))


def money(action: Action, amount: str = "5") -> Command:
    transaction = TransactionSnapshot(
        transaction_id=f"{action}-1", amount=Decimal(amount), date=NOW.date(), mark=f"#{action[:8]}"
    )
    return command(action, DOCUMENT, transaction)


@pytest.mark.parametrize("action", ["created", "payment_applied"])
def test_invoice_that_would_be_made_of_a_tracked_item(action: Action) -> None:
    books = Books(facts=TRACKED)
    own = command("created", DOCUMENT) if action == "created" else money(action)
    ended = books.run(own, 1)
    assert isinstance(ended, Fail)
    assert (ended.code, ended.details["code"]) == ("item_tracked", "SB-ITEM")
    assert books.sent == []


def test_draft_is_not_approved_on_a_tracked_item() -> None:
    books = Books(settings=replace(SETTINGS, invoice_status="draft"))
    assert isinstance(books.run(command("created", DOCUMENT), 1), Done)
    books.facts, before = TRACKED, len(books.sent)
    ended = books.run(money("payment_applied"), 2)
    assert isinstance(ended, Fail)
    assert ended.code == "item_tracked"
    assert len(books.sent) == before


def test_credit_note_is_not_made_of_a_tracked_item() -> None:
    books = Books()
    assert isinstance(books.run(command("created", DOCUMENT), 1), Done)
    assert isinstance(books.run(money("payment_applied"), 2), Done)
    books.facts = TRACKED
    ended = books.run(money("refund_applied"), 3)
    assert isinstance(ended, Fail)
    assert ended.code == "item_tracked"
    assert books.xero.credit_notes == {}


def test_item_of_another_case_is_there() -> None:
    books = Books(facts=replace(KNOWING, item_codes=frozenset({"sb-Item"})))
    assert isinstance(books.run(command("created", DOCUMENT), 1), Done)
    assert "items.create" not in [element.route for element in books.sent]


def test_check_compares_codes_without_case() -> None:
    found = [one for one in check_settings(SETTINGS, TRACKED) if one.key == "item_code"]
    assert [one.severity for one in found] == ["error"]

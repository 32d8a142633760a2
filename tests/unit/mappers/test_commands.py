"""From change events to commands."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.commands import Address, Command, command_id, decode_command, encode_command
from contracts.events.reader import event_to_kafka, read_event
from mappers import to_command
from mappers.receipts import RECEIVED

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "examples" / "events.jsonl"
Event = dict[str, Any]


def examples() -> list[Event]:
    return [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]


def example(kind: str) -> Event:
    return next(event for event in examples() if event["type"] == f"salesbinder.{kind}")


def mapped(event: Event) -> Command:
    record = event_to_kafka(event)
    return to_command(read_event(*record), record[0], 3, 42)


@pytest.mark.parametrize("event", examples(), ids=lambda event: f"{event['type']}-{event['id'][:4]}")
def test_every_example_becomes_a_command_that_survives_the_wire(event: Event) -> None:
    command = mapped(event)
    assert decode_command(encode_command(command)) == command
    assert mapped(event) == command
    assert command.command_id == command_id(event["source"], event["id"])
    assert command.key == f"acme/{event['subject']}"
    assert f"salesbinder.{command.entity}.{command.action}" == event["type"] == command.event.type
    assert (command.event.partition, command.event.offset) == (3, 42)
    assert command.event.topic.startswith("salesbinder.")


def test_a_customer() -> None:
    command = mapped(example("customer.created"))
    contact = command.contact
    assert contact is not None
    assert (command.party_name, command.document, command.amount) == ("Widgets & Co", None, None)
    assert (contact.side, contact.name, contact.email) == (
        "customer",
        "Widgets & Co",
        "accounts@widgets.example",
    )
    assert (contact.phone, contact.fax, contact.website) == (
        "604-555-0101",
        "604-555-0102",
        "www.widgets.example",
    )
    assert (contact.billing.line_1, contact.billing.country) == ("1 Main St", "Canada")
    assert contact.shipping == Address(line_1="", line_2="", city="", region="", postal_code="", country="")
    assert contact.version == datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(("names", "phone"), [((), None), (("office_phone",), ""), (("office_number",), "")])
def test_what_a_record_does_not_name_is_not_told(names: tuple[str, ...], phone: str | None) -> None:
    event = example("customer.edited")
    record = event["data"]["customer"]
    kept = {name: record[name] for name in ("id", "name", "modified")}
    event["data"]["customer"] = {**kept, **dict.fromkeys(names), "office_fax": None, "billing_city": ""}
    contact = mapped(event).contact
    assert contact is not None
    assert (contact.email, contact.phone, contact.fax, contact.website) == (None, phone, "", None)
    assert (contact.billing, contact.shipping) == (Address(city=""), Address())
    assert contact.dated


@pytest.mark.parametrize("modified", ["2026-03-02T09:00:00Z", "", None])
def test_customer_of_a_document_is_dated_by_its_own_stamp_alone(modified: str | None) -> None:
    event = example("invoice.created")
    event["data"]["document"]["customer"]["modified"] = modified
    document = mapped(event).document
    assert document is not None
    assert document.contact.dated == bool(modified)


def test_blank_and_absent_make_one_content_as_they_always_did() -> None:
    """The hashes that a ledger keeps were made when the two were the same."""
    event = example("customer.created")
    hashes = []
    for change in ({"office_fax": None}, {"office_fax": ""}, {}):
        own = json.loads(json.dumps(event))
        del own["data"]["customer"]["office_fax"]
        own["data"]["customer"].update(change)
        hashes.append(mapped(own).event.content_hash)
    assert hashes[0] == hashes[2] != hashes[1]


def test_a_phone_may_be_called_office_number_and_without_modified_the_events_time_counts() -> None:
    event = example("supplier.created")
    record = event["data"]["supplier"]
    record.update(office_phone=None, office_number="1", modified="")
    contact = mapped(event).contact
    assert contact is not None
    assert (contact.side, contact.phone) == ("supplier", "1")
    assert contact.version == datetime(2026, 3, 2, 9, 2, tzinfo=UTC)


def test_an_invoice() -> None:
    event = example("invoice.created")
    event["data"]["document"].update(
        name=" Spring\n order ", due_date="2026-04-15", currency="eur", currency_rate="1.1"
    )
    command = mapped(event)
    document = command.document
    assert document is not None
    assert (command.record_number, command.party_name, str(command.amount)) == (
        "5001",
        "Widgets & Co",
        "276.48",
    )
    assert (document.number, document.reference, document.currency) == ("5001", "Spring order", "EUR")
    assert (document.issue_date, document.due_date) == (date(2026, 3, 2), date(2026, 4, 15))
    assert (document.subtotal, document.tax, document.tax2) == (Decimal(256), Decimal("20.48"), Decimal(0))
    assert (document.currency_rate, command.currency) == (Decimal("1.1"), "EUR")
    assert document.contact.side == "customer"
    assert [line.line_id[:4] for line in document.lines] == ["e35a", "f151"]
    assert command.contact is None


def test_totals_that_are_not_given_are_counted_for_the_log() -> None:
    event = example("invoice.created")
    for name in ("total_price", "total_tax", "total_tax2"):
        event["data"]["document"][name] = None
    command = mapped(event)
    assert command.document is not None
    assert (command.document.subtotal, str(command.amount)) == (None, "276.48")


@pytest.mark.parametrize(
    ("total_cost", "total_price", "subtotal"),
    [(1002, 5, "1002"), (0, 5, "5"), (None, 5, "5"), (0, None, "0"), (None, None, None), (0, 0, "0")],
)
def test_a_purchase_orders_check_total(total_cost: Any, total_price: Any, subtotal: str | None) -> None:
    event = example("purchase_order.created")
    event["data"]["document"].update(total_cost=total_cost, total_price=total_price)
    document = mapped(event).document
    assert document is not None
    assert document.subtotal == (None if subtotal is None else Decimal(subtotal))
    assert (document.contact.side, document.lines[0].unit_amount) == ("supplier", Decimal("250.5"))


def test_a_payment() -> None:
    command = mapped(example("invoice.payment_applied"))
    transaction = command.transaction
    assert transaction is not None
    assert (transaction.amount, transaction.reference, transaction.mark) == (
        Decimal(100),
        "Cash",
        "#eada30eb",
    )
    assert (transaction.date, str(command.amount)) == (date(2026, 3, 2), "100.00")
    assert command.reference == "Cash"
    assert command.document is not None


@pytest.mark.parametrize("amount", [-54, 54, "54.00"])
def test_the_sign_of_a_refund_is_ignored(amount: object) -> None:
    event = example("invoice.refund_applied")
    event["data"]["transaction"]["amount"] = amount
    command = mapped(event)
    assert command.transaction is not None
    assert (command.transaction.amount, str(command.amount)) == (Decimal(54), "54.00")


def test_the_sign_of_a_payment_is_kept() -> None:
    event = example("invoice.payment_applied")
    event["data"]["transaction"]["amount"] = "-5"
    transaction = mapped(event).transaction
    assert transaction is not None
    assert transaction.amount == -5


@pytest.mark.parametrize(
    ("other", "mark"),
    [("eada30eb-0000", "#eada30eb-e15a-5e69-ad8a-f0e6da1fabf4"), ("eada30ec-0000", "#eada30eb")],
)
def test_the_mark_is_the_whole_id_where_two_share_the_first_eight(other: str, mark: str) -> None:
    event = example("invoice.payment_applied")
    event["data"]["document"]["transactions"].append({"id": other, "amount": 1})
    transaction = mapped(event).transaction
    assert transaction is not None
    assert transaction.mark == mark


@pytest.mark.parametrize("blank", ["", None])
def test_a_transaction_without_a_date_has_the_events_day_in_its_own_offset(blank: str | None) -> None:
    event = example("invoice.payment_applied") | {"time": "2026-03-02T23:30:00-08:00"}
    event["data"]["transaction"]["transaction_date"] = blank
    command = mapped(event)
    assert command.transaction is not None
    assert command.transaction.date == date(2026, 3, 2)
    assert command.event.time == datetime(2026, 3, 3, 7, 30, tzinfo=UTC)


def test_a_deletion_carries_neither_document_nor_contact() -> None:
    event = example("invoice.deleted")
    event["data"]["document"]["document_number"] = 5003
    command = mapped(event)
    assert (command.document, command.contact, command.record_number) == (None, None, "5003")
    event = example("customer.deleted")
    event["data"]["customer"]["name"] = "Widgets"
    assert mapped(event).party_name == "Widgets"


def test_what_the_log_shows_is_short_and_of_one_line() -> None:
    event = example("customer.created")
    event["data"]["customer"]["name"] = "Two\nlines " + "x" * 5000
    command = mapped(event)
    assert command.party_name.startswith("Two lines x")
    assert len(command.party_name) == 255
    assert command.contact is not None
    assert len(command.contact.name) > 5000


def test_absurdly_large_amounts_that_still_are_numbers_are_mapped() -> None:
    event = example("invoice.created")
    event["data"]["document"].update(total_price=None)
    event["data"]["document"]["document_items"][0].update(
        quantity=999_999_999_999_999, price="999999999999999.99"
    )
    assert mapped(event).document is not None


@pytest.mark.parametrize(
    ("status", "says"),
    [
        *((name, True) for name in sorted(RECEIVED)),
        (" Received  in Full ", True),
        ("partially received", False),
    ],
)
def test_a_receipt_whose_status_says_that_all_has_come_in(status: str, says: bool) -> None:
    event = example("purchase_order.received")
    order = event["data"]["document"]
    order["status"] = {"id": 31, "name": status}
    order["document_items"][0] |= {"quantity": 4, "quantity_partially_received": 1}
    command = mapped(event)
    assert (command.says_received, bool(command.in_part)) == (says, True)


def test_day_of_receipt_is_that_of_the_events_own_offset() -> None:
    received = {**example("purchase_order.received"), "time": "2026-03-02T23:30:00-08:00"}
    command = mapped(received)
    assert command.received_on == date(2026, 3, 2)
    assert command.event.time.date() == date(2026, 3, 3)
    assert mapped(example("purchase_order.created")).received_on is None

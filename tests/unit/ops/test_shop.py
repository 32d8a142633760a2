"""The sample shop: the same day every time, valid events of every type, and books that follow from it."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.events.reader import InvalidEvent, event_to_kafka, read_event
from contracts.events.types import EVENT_TYPES
from contracts.reasons import CATALOGUE
from sandbox.shop import ShopDay, scenes, shop_day, unreadable_event

DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def day() -> ShopDay:
    return shop_day("acme", DAY)


def test_it_is_deterministic(day: ShopDay) -> None:
    assert day == shop_day("acme", DAY)


def test_all_events_are_valid_but_the_one_that_is_not(day: ShopDay) -> None:
    for event in day.events:
        event_to_kafka(event)
    topic, key, value = unreadable_event("acme", datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(InvalidEvent, match="total_price: NaN"):
        read_event(topic, key, value, [("content-type", b"application/cloudevents+json")])


def test_every_event_type_occurs(day: ShopDay) -> None:
    assert {event["type"] for event in day.events} == EVENT_TYPES.keys()
    ids = [event["id"] for event in day.events]
    assert len(ids) - len(set(ids)) == day.repeated > 0


def test_every_story_is_told_and_has_a_title_of_its_own(day: ShopDay) -> None:
    told = {one.story for one in (*day.invoices, *day.orders)}
    rare = [scenes.story(scene) for scene in scenes.SALES] + [scenes.story(one) for one in scenes.PURCHASES]
    assert told >= set(rare)
    assert max(Counter(rare).values()) == 1


def test_books_differ_only_where_something_is_wrong_on_purpose(day: ShopDay) -> None:
    for one in (*day.invoices, *day.orders):
        if not one.stands:
            assert one.held is None, one.story
        elif not one.refusals:
            assert one.held == one.figures, one.story
        else:
            assert one.held != one.figures, one.story
    reasons = {refusal.reason for refusal in day.refusals}
    assert reasons <= CATALOGUE.keys()
    assert len(reasons) >= 7


def test_lines_have_everything_that_a_line_can_have(day: ShopDay) -> None:
    events = [event["data"]["document"] for event in day.events if "document" in event["data"]]
    lines = [line for document in events for line in document.get("document_items", ())]
    assert any(line["item_id"] is None for line in lines), "a service"
    assert any(Decimal(line["quantity"]) % 1 for line in lines), "a fraction"
    assert any(line["item_variation_data"] for line in lines), "a variation"
    assert any((line["item"] or {}).get("serial_number") for line in lines), "a serial number"
    assert any(line["discount_percent"] == "100" for line in lines), "a gift"
    assert any(Decimal(line["price"]) < 0 for line in lines), "a voucher"
    assert any(Decimal(line["tax2"]) for line in lines), "two taxes"
    assert {document.get("currency") for document in events} == {None, "EUR", "CAD"}


def test_money_is_as_in_a_real_shop(day: ShopDay) -> None:
    figures = [one.held for one in day.invoices if one.held]
    same = [Counter((m.amount, m.day, m.account) for m in one.payments).values() for one in figures]
    assert any(max(counts, default=0) > 1 for counts in same), "payments of one amount in a day"
    assert any(len({m.account for m in one.payments}) > 1 for one in figures), "two accounts"
    assert any(len(one.refunds) > 1 for one in figures), "a second refund"
    assert any(one.refunds and one.refunded == one.total for one in figures), "a full refund"


def test_a_customer_and_a_supplier_have_one_name(day: ShopDay) -> None:
    kinds: dict[str, set[str]] = {}
    for contact in day.contacts:
        kinds.setdefault(contact.name, set()).add(contact.kind)
    assert {"customer", "supplier"} in kinds.values()


@pytest.mark.parametrize(("kind", "create"), [("payment_applied", "invoice"), ("received", "purchase_order")])
def test_some_stand_without_a_create_before_them(day: ShopDay, kind: str, create: str) -> None:
    created: set[str] = set()
    early = 0
    for event in day.events:
        if event["type"] == f"salesbinder.{create}.created":
            created.add(event["subject"])
        early += event["type"] == f"salesbinder.{create}.{kind}" and event["subject"] not in created
    assert early

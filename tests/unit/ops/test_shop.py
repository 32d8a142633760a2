"""The sample shop: the same day every time, valid events, and totals as SalesBinder counts them."""

from datetime import UTC, date, datetime

import pytest

from contracts.events import InvalidEvent, event_to_kafka, read_event
from sandbox.shop import shop_day, unreadable_event

DAY = date(2026, 3, 2)


def test_it_is_deterministic() -> None:
    assert shop_day("acme", DAY).events == shop_day("acme", DAY).events


def test_all_events_are_valid_but_the_one_that_is_not() -> None:
    day = shop_day("acme", DAY)
    for event in day.events:
        event_to_kafka(event)
    topic, key, value = unreadable_event("acme", datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(InvalidEvent, match="total_price: NaN"):
        read_event(topic, key, value, [("content-type", b"application/cloudevents+json")])


def test_it_has_what_the_demo_is_to_show() -> None:
    day = shop_day("acme", DAY)
    assert 300 <= len(day.events) <= 500
    assert {invoice.trouble for invoice in day.invoices} == {
        None,
        "tax_rate_unmapped",
        "exceeds_amount_due",
        "total_mismatch",
    }
    assert {invoice.status for invoice in day.invoices} == {"open", "cancelled", "old"}
    ids = [event["id"] for event in day.events]
    assert len(ids) - len(set(ids)) == day.repeated > 0


def test_a_payment_stands_before_its_invoice() -> None:
    seen: set[str] = set()
    early = 0
    for event in shop_day("acme", DAY).events:
        early += event["type"].endswith("payment_applied") and event["subject"] not in seen
        seen.add(event["subject"])
    assert early

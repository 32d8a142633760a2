"""Which rows go to the archive, what stays of them, and the lines that tell of them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bench.sales import sale
from contracts.commands import (
    Command,
    decode_command,
    encode_command,
    left_of,
    transaction_of,
)
from contracts.events.reader import read_event
from mappers import to_command
from sinks.archive.rows import (
    elements_to_go,
    left_of_commands,
    line,
    lines_of_commands,
    month_of,
    months_of,
)

BEFORE = datetime(2025, 7, 1, tzinfo=UTC)
OLD = BEFORE - timedelta(days=40)
CUSTOMER, INVOICE, PAYMENT = (
    to_command(read_event(m.topic, m.key, m.value, m.headers), m.topic, 3, offset)
    for offset, m in enumerate(sale("acme", 7), 40)
)


def row(command: Command, finished_at: datetime = OLD, **more: Any) -> dict[str, Any]:
    return {
        "command_id": command.command_id,
        "entity": command.entity,
        "record_id": command.record_id,
        "action": command.action,
        "finished_at": finished_at,
        "body": encode_command(command),
        **more,
    }


# What stays


def test_of_a_payment_its_transaction_stays() -> None:
    assert PAYMENT.transaction is not None
    assert transaction_of(left_of(PAYMENT)) == PAYMENT.transaction
    assert transaction_of(encode_command(PAYMENT)) == PAYMENT.transaction
    assert len(left_of(PAYMENT)) < 250


@pytest.mark.parametrize("command", [CUSTOMER, INVOICE])
def test_of_anything_else_nothing_stays_in_the_body(command: Command) -> None:
    assert left_of(command) == b"{}"
    assert transaction_of(b"{}") is None


def test_the_place_of_the_event_stays_for_replays() -> None:
    left = left_of_commands([row(INVOICE), row(PAYMENT)])
    assert left["places"] == ["salesbinder.invoices/3/41", "salesbinder.invoices/3/42"]
    assert left["command_ids"] == [INVOICE.command_id, PAYMENT.command_id]
    assert left["bodies"] == [b"{}", left_of(PAYMENT)]


# Where it goes


def test_a_document_goes_whole_with_its_newest_action() -> None:
    later = OLD + timedelta(days=31)
    commands = [row(INVOICE), row(PAYMENT, later), row(CUSTOMER)]
    assert set(months_of(commands).items()) == {
        (INVOICE.command_id, month_of(later)),
        (PAYMENT.command_id, month_of(later)),
        (CUSTOMER.command_id, month_of(OLD)),
    }


def test_a_month_is_one_of_utc() -> None:
    east = datetime.fromisoformat("2025-07-01T01:00:00+02:00")
    assert month_of(east) == "2025-06"


# What was sent


def element(
    kind: str, body: dict[str, Any] | None, days: int = 40, result: str = "ok", **more: Any
) -> dict[str, Any]:
    return {
        "intent_id": f"intent {days}",
        "position": 0,
        "kind": kind,
        "record_id": "customer/c1" if kind == "contact" else "d1",
        "match": "x1",
        "body": body,
        "result": result,
        "created_at": BEFORE - timedelta(days=days),
        **more,
    }


def test_of_documents_all_goes() -> None:
    sent = [element(kind, {"Total": 1}) for kind in ("invoice", "payment", "credit_note", "bill")]
    assert elements_to_go(sent, BEFORE) == sent


def test_of_contacts_the_newest_word_on_each_field_stays() -> None:
    newest = element("contact", {"Name": "B", "EmailAddress": "b@x"}, 10)
    same = element("contact", {"Name": "A"}, 20)
    phone = element("contact", {"Name": "A", "Phones": [{"PhoneType": "DEFAULT"}]}, 30)
    refused = element("contact", None, 31, "refused")
    looked_up = element("contact", None, 32)
    assert elements_to_go([newest, same, phone, refused, looked_up], BEFORE) == [same, refused, looked_up]


def test_a_word_that_is_not_old_makes_an_old_one_needless() -> None:
    new = element("contact", {"Name": "B"}, -5)
    old = element("contact", {"Name": "A"}, 20)
    assert elements_to_go([new, old], BEFORE) == [old]


def test_what_was_sent_to_another_contact_says_nothing_about_this_one() -> None:
    this = element("contact", {"Name": "B"}, 10)
    merged = element("contact", {"Name": "A"}, 20, match="x0")
    other = element("contact", {"Name": "C"}, 30, record_id="customer/c2")
    assert elements_to_go([this, merged, other], BEFORE) == []


@pytest.mark.parametrize("result", ["open", "unknown"])
def test_nothing_goes_of_a_record_with_a_call_of_unknown_result(result: str) -> None:
    busy = [element("invoice", {"Total": 1}, result=result), element("payment", {"Amount": 1}, 50)]
    other = element("invoice", {"Total": 2}, 60, record_id="d2")
    assert elements_to_go([*busy, other], BEFORE) == [other]


# Lines


def test_the_body_is_an_object_of_the_line_and_reads_back() -> None:
    [written] = lines_of_commands([row(PAYMENT, seq=5)]).values()
    told = json.loads(written)
    assert (told["row"], told["seq"]) == ("command", 5)
    assert decode_command(json.dumps(told["body"]).encode()) == PAYMENT


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b'{"a": 1}', '{"a": 1}'),
        (b"\xff\x00", {"base64": "/wA="}),
        (memoryview(b"x"), "x"),
        (Decimal("110.00"), "110.00"),
        (OLD, "2025-05-22T00:00:00Z"),
        (None, None),
        ("\x00\n\u2028", "\x00\n\u2028"),
    ],
)
def test_values_are_told_so_that_they_read_back(value: object, told: object) -> None:
    written = line("call", {"value": value})
    assert b"\n" not in written
    assert json.loads(written) == {"row": "call", "value": told}

"""Change events that a Kafka client can read and that hold what nobody should send."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.events.header import peek
from contracts.events.reader import InvalidEvent, read_event
from contracts.events.records import CustomerData, DocumentData
from mappers import to_command
from streams.dead_letters import Letter
from streams.records import Record
from streams.transform import transformed
from tests.unit.contracts.test_events import binary, example, read, refused
from tests.unit.contracts.test_reading import NOW

CREATED = "salesbinder.invoice.created"
CUSTOMER = "salesbinder.customer.created"
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
Place = Callable[[dict[str, Any]], dict[str, Any]]


def with_bare(kind: str, place: Place, field: str, json_text: str) -> bytes:
    """The example with the field's value replaced by this piece of JSON, as it stands."""
    event = example(kind)
    place(event)[field] = "@@"
    return json.dumps(event).replace('"@@"', json_text).encode()


def outcome(kind: str, value: bytes) -> str:
    event = example(kind)
    topic = "salesbinder.invoices" if "invoice" in kind else "salesbinder.customers"
    account = event["source"].rpartition("/")[2]
    key = f"{account}/{event['subject']}".encode()
    made = transformed(Record(topic, 0, 0, key, value, STRUCTURED), NOW)
    return made.defect.reason_code if isinstance(made, Letter) else "taken"


def document(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["data"]["document"]
    return found


def line(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document(event)["document_items"][0]
    return found


def item(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = line(event).setdefault("item", {})
    return found


def detail(event: dict[str, Any]) -> dict[str, Any]:
    item(event)["item_details"] = [{"custom_field": {"name": "n", "publish": True}}]
    found: dict[str, Any] = item(event)["item_details"][0]
    return found


def customer(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["data"]["customer"]
    return found


NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e15", "1e999999999",
              "1000000000000000", "-1000000000000000", "18446744073709551616", "9" * 5000)  # fmt: skip
KNOWN: list[tuple[str, Place, str]] = [
    (CREATED, line, "price"), (CREATED, line, "quantity"), (CREATED, line, "tax"), (CREATED, line, "name"),
    (CREATED, line, "id"), (CREATED, line, "item_id"), (CREATED, line, "variation"),
    (CREATED, document, "document_number"), (CREATED, document, "total_price"), (CREATED, document, "status"),
    (CREATED, document, "expiry_date"), (CREATED, document, "currency_rate"),
    (CREATED, item, "serial_number"), (CREATED, item, "barcode"), (CREATED, detail, "value"),
    (CUSTOMER, customer, "name"), (CUSTOMER, customer, "customer_number"),
    (CUSTOMER, customer, "billing_postal_code"), (CUSTOMER, customer, "office_email"),
]  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS, ids=lambda text: text[:20])
@pytest.mark.parametrize(
    ("kind", "place", "field"), KNOWN, ids=[f"{kind}-{field}" for kind, _, field in KNOWN]
)
def test_numbers_that_are_none_are_refused_in_every_known_field(
    kind: str, place: Place, field: str, number: str
) -> None:
    assert outcome(kind, with_bare(kind, place, field, number)).startswith("event_")


@pytest.mark.parametrize("number", ["NaN", "1e400", "9" * 30])
@pytest.mark.parametrize("where", [["S"], [0, "a"]])
def test_numbers_that_are_none_are_refused_inside_variations(where: list[Any], number: str) -> None:
    inner = number
    for step in reversed(where):
        inner = f"[{inner}]" if step == 0 else json.dumps({step: "@"}).replace('"@"', inner)
    assert outcome(CREATED, with_bare(CREATED, line, "variation", inner)) == "event_amount_invalid"


@pytest.mark.parametrize("number", ["NaN", "1e400", "9" * 30])
def test_numbers_in_unknown_fields_say_nothing(number: str) -> None:
    assert outcome(CREATED, with_bare(CREATED, line, "some_new_field", number)) == "taken"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e400", "-inf", "9" * 200])
def test_texts_are_texts_whatever_they_spell(text: str) -> None:
    value = json.dumps(text)
    for kind, place, field in KNOWN:
        if field in ("name", "serial_number", "barcode", "value", "customer_number", "billing_postal_code"):
            assert outcome(kind, with_bare(kind, place, field, value)) == "taken", field
        if field in ("price", "quantity", "tax", "total_price", "currency_rate"):
            assert outcome(kind, with_bare(kind, place, field, value)) == "event_amount_invalid", field


@pytest.mark.parametrize(
    ("number", "becomes"),
    [("5001", 5001), ("5001.0", 5001), ("5.001e3", 5001), ("999999999999999", 10**15 - 1), ('"A-1"', "A-1"),
     ('"1e400"', "1e400"), ("12.5", None), ("1e-60", None), ("0.1000000000000000055", None), ("1e15", None),
     ("NaN", None), ("true", None), ("null", None), ("[]", None)],
)  # fmt: skip
def test_document_number_is_a_text_or_a_whole_number(number: str, becomes: int | str | None) -> None:
    value = with_bare(CREATED, document, "document_number", number)
    event = example(CREATED)
    key = f"acme/{event['subject']}".encode()
    if becomes is None:
        with pytest.raises(InvalidEvent) as caught:
            read_event("salesbinder.invoices", key, value, STRUCTURED)
        assert caught.value.field == "data.document.document_number"
    else:
        data = read_event("salesbinder.invoices", key, value, STRUCTURED).data
        assert isinstance(data, DocumentData)
        assert data.document.document_number == becomes


def test_fractions_in_codes_are_taken_as_they_stand() -> None:
    value = with_bare(CUSTOMER, customer, "customer_number", "12.5")
    assert outcome(CUSTOMER, value) == "taken"


@pytest.mark.parametrize("depth", [70, 500, 900, 990, 1100, 5000, 100_000])
@pytest.mark.parametrize(
    ("kind", "place", "field"),
    [(CREATED, document, "status"), (CREATED, detail, "value"), (CREATED, line, "variation"),
     (CUSTOMER, lambda event: event, "data"), (CUSTOMER, lambda event: event, "specversion"),
     (CUSTOMER, lambda event: event, "subject"), (CUSTOMER, lambda event: event, "data_base64")],
)  # fmt: skip
def test_deep_nesting_in_known_fields_is_refused(kind: str, place: Place, field: str, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        middle = "" if opening == "[" else "1"
        value = with_bare(kind, place, field, opening * depth + middle + closing * depth)
        assert outcome(kind, value).startswith("event_")
        peek(value, STRUCTURED)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\xed\xa0\x80", b"a\0b"])
@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "specversion"])
def test_attributes_in_headers_are_utf8_or_none(name: str, raw: bytes) -> None:
    """With U+FFFD in their place, two ids of unlike bytes would be one."""
    event = example(CUSTOMER)
    value, headers = binary(event)
    headers = [(n, raw if n == f"ce_{name}" else content) for n, content in headers]
    error = refused(event, value=value, headers=headers)
    assert error.field == name
    assert error.reason_code in ("event_field_wrong", "event_not_cloudevent")


# data_base64


def in_base64(event: dict[str, Any], data: bytes | None = None) -> dict[str, Any]:
    raw = json.dumps(event["data"]).encode() if data is None else data
    return {**{name: value for name, value in event.items() if name != "data"},
            "data_base64": base64.b64encode(raw).decode()}  # fmt: skip


@pytest.mark.parametrize("kind", [CREATED, CUSTOMER, "salesbinder.invoice.payment_applied"])
@pytest.mark.parametrize("content_type", [None, "application/json", "application/json; charset=utf-8"])
def test_data_in_base64_is_read_as_data(kind: str, content_type: str | None) -> None:
    event = example(kind)
    event.pop("datacontenttype", None)
    if content_type:
        event["datacontenttype"] = content_type
    plain, other = read(event), read(in_base64(event))
    assert other.content_hash == plain.content_hash
    assert to_command(other, "t", 0, 0) == to_command(plain, "t", 0, 0)
    seen = peek(json.dumps(in_base64(event)).encode(), STRUCTURED)
    assert seen is not None
    assert seen.subject == event["subject"]


def test_data_in_base64_may_stand_in_an_event_that_only_the_lenient_parser_reads() -> None:
    event = {**in_base64(example(CUSTOMER)), "extension": float("nan")}
    assert isinstance(read(event).data, CustomerData)


@pytest.mark.parametrize("lenient", [False, True])
def test_data_twice_is_refused(lenient: bool) -> None:
    event = example(CUSTOMER)
    twice = {**in_base64(event), "data": event["data"]} | ({"x": float("nan")} if lenient else {})
    error = refused(twice)
    assert (error.reason_code, error.field) == ("event_field_wrong", "data_base64")
    assert "only one of the two" in error.problem
    assert (error.account, error.record_id) == ("acme", event["subject"])


@pytest.mark.parametrize("encoded", ["!!!!", "e30", "e30=\n", 5, [], {}, True, "é", "\ud800"])
def test_what_is_no_base64_is_refused_and_never_called_absent(encoded: Any) -> None:
    event = {**in_base64(example(CUSTOMER)), "data_base64": encoded}
    error = refused(event)
    assert error.reason_code in ("event_field_wrong", "event_not_json")
    assert "absent" not in str(error)


@pytest.mark.parametrize("data", [b"not json", b"\xff", b"[]", b"5", b'{"customer": {"id": 5}}', b"[" * 3000])
def test_what_base64_holds_is_checked_as_data_is(data: bytes) -> None:
    error = refused(in_base64(example(CUSTOMER), data))
    assert error.reason_code.startswith("event_")
    assert "data_base64 is absent" not in str(error)


def test_null_beside_the_other_is_as_if_it_were_not_there() -> None:
    event = example(CUSTOMER)
    assert read({**event, "data_base64": None}).content_hash == read(event).content_hash
    assert read({**in_base64(event), "data": None}).content_hash == read(event).content_hash

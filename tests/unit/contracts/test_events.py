"""Reading change events: every rule of the contract, what is refused and what is read all the same."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.header import peek
from contracts.events.reader import EVENT_TYPES, ChangeEvent, InvalidEvent, event_to_kafka, read_event
from contracts.events.records import CustomerData, DocumentData, DocumentDeletedData, TransactionData
from contracts.reasons import render

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "examples" / "events.jsonl"
Event = dict[str, Any]
Change = Callable[[Event], object]


def examples() -> list[Event]:
    return [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]


def example(kind: str) -> Event:
    return next(event for event in examples() if event["type"] == kind)


def read(event: Event, **other: Any) -> ChangeEvent:
    kind = EVENT_TYPES.get(event.get("type", ""))
    account = event.get("source", "").rpartition("/")[2]
    record: dict[str, Any] = {
        "topic": kind.topic if kind else "salesbinder.invoices",
        "key": f"{account}/{event.get('subject')}".encode(),
        "value": json.dumps(event).encode(),
        "headers": [("content-type", b"application/cloudevents+json; charset=utf-8")],
    } | other
    return read_event(**record)


def binary(event: Event) -> tuple[bytes, list[tuple[str, bytes]]]:
    headers = [
        (f"ce_{name}", value.encode())
        for name, value in event.items()
        if name not in ("data", "datacontenttype")
    ]
    return json.dumps(event["data"]).encode(), [*headers, ("content-type", b"application/json")]


def refused(event: Event, **other: Any) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        read(event, **other)
    return caught.value


def document(event: Event) -> dict[str, Any]:
    record: dict[str, Any] = event["data"]["document"]
    return record


def line(event: Event, index: int = 0) -> dict[str, Any]:
    item: dict[str, Any] = document(event)["document_items"][index]
    return item


@pytest.mark.parametrize("event", examples(), ids=lambda event: f"{event['type']}-{event['id'][:4]}")
def test_every_example_reads_the_same_in_both_modes(event: Event) -> None:
    value, headers = binary(event)
    structured = read(event)
    assert structured.id == event["id"]
    assert structured.account == "acme"
    assert structured.subject == event["subject"]
    assert f"salesbinder.{structured.entity}.{structured.action}" == event["type"]
    assert read(event, value=value, headers=headers) == structured
    assert read(event, headers=[]) == structured


@pytest.mark.parametrize("event", examples(), ids=lambda event: event["type"])
def test_a_glance_sees_what_reading_does(event: Event) -> None:
    topic, key, value, headers = event_to_kafka(event)
    whole = read_event(topic, key, value, headers)
    for said in (peek(value, headers), peek(*binary(event))):
        assert said is not None
        assert said == tuple(getattr(whole, name) for name in said._fields)


@pytest.mark.parametrize("value", [None, b"", b"{}", b"no JSON", b'{"type": 1}'])
def test_a_glance_at_what_is_no_event_leaves_it_to_reading(value: bytes | None) -> None:
    assert peek(value, ()) is None


def test_examples_cover_every_type() -> None:
    assert {event["type"] for event in examples()} == set(EVENT_TYPES)


def test_amounts_are_exact_whether_number_or_text() -> None:
    event = example("salesbinder.invoice.created")
    line(event)["price"], line(event, 1)["price"] = 0.1, "120.0000"
    data = read(event).data
    assert isinstance(data, DocumentData)
    assert [item.price for item in data.document.document_items] == [Decimal("0.1"), Decimal(120)]


def test_long_decimals_do_not_pass_through_a_float() -> None:
    event = example("salesbinder.invoice.created")
    raw = json.dumps(event).replace('"price": 98.0', '"price": 98.00000000000000000012345').encode()
    data = read(event, value=raw).data
    assert isinstance(data, DocumentData)
    assert data.document.document_items[0].price == Decimal("98.00000000000000000012345")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("2026-03-02", date(2026, 3, 2)), ("2026-03-02T23:59:59-08:00", date(2026, 3, 2))],
)
def test_of_a_date_time_the_date_counts(written: str, meant: date) -> None:
    event = example("salesbinder.invoice.created")
    document(event)["issue_date"] = written
    data = read(event).data
    assert isinstance(data, DocumentData)
    assert data.document.issue_date == meant


@pytest.mark.parametrize(
    "written", ["2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00", "2026-03-02 09:00:00Z"]
)
def test_moments_are_utc_and_without_an_offset_read_as_utc(written: str) -> None:
    event = example("salesbinder.invoice.created")
    document(event)["modified"] = written
    data = read(event).data
    assert isinstance(data, DocumentData)
    assert data.document.modified == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_time_keeps_its_offset() -> None:
    event = example("salesbinder.invoice.created") | {"time": "2026-03-02T23:30:00-08:00"}
    assert read(event).time.utcoffset() == timedelta(hours=-8)


@pytest.mark.parametrize("blank", ["", None])
@pytest.mark.parametrize(
    "name", ["total_cost", "total_tax2", "due_date", "currency", "currency_rate", "name"]
)
def test_blank_is_absent(name: str, blank: str | None) -> None:
    event = example("salesbinder.invoice.created")
    document(event)[name] = blank
    data = read(event).data
    assert isinstance(data, DocumentData)
    assert not getattr(data.document, name)


def test_unknown_attributes_and_fields_are_ignored() -> None:
    event = example("salesbinder.invoice.created")
    before = read(event)
    event["traceparent"] = {"any": ["thing", 1e400]}
    document(event)["new_in_2027"] = [{"deep": 12345678901234567890123}]
    line(event)["colour"] = 1
    assert read(event) == before


def test_deleted_needs_only_the_id() -> None:
    event = example("salesbinder.invoice.deleted")
    document(event).update({"document_number": 5003, "total_price": "not looked at"})
    data = read(event).data
    assert isinstance(data, DocumentDeletedData)
    assert data.document.document_number == 5003


def test_number_may_be_text_and_whole_floats_are_whole() -> None:
    event = example("salesbinder.invoice.created")
    for written, meant in [("INV-7", "INV-7"), (5001, 5001), (5001.0, 5001)]:
        document(event)["document_number"] = written
        data = read(event).data
        assert isinstance(data, DocumentData)
        assert data.document.document_number == meant


def test_php_empty_map_for_variation_is_read() -> None:
    event = example("salesbinder.invoice.created")
    line(event)["variation"] = []
    assert read(event).action == "created"


def test_the_wrong_way_to_write_numbers_never_changes_the_content_hash() -> None:
    event = example("salesbinder.invoice.payment_applied")
    same = json.loads(json.dumps(event, sort_keys=True))
    line(same)["price"] = "98.00"
    document(same)["total_price"] = 256
    same["time"] = "2026-03-02T10:08:00+01:00"
    assert read(same).content_hash == read(event).content_hash


def test_a_field_that_was_not_read_before_changes_no_hash() -> None:
    """Else the replay of an order from before an update would be taken for another event under a used id."""
    event = example("salesbinder.purchase_order.received")
    before = read(event).content_hash
    line(event)["quantity_partially_received"] = "4"
    assert read(event).content_hash == before


@pytest.mark.parametrize(
    "change",
    [
        lambda event: line(event).update(price=98.01),
        lambda event: line(event).update(description="x"),
        lambda event: document(event).update(document_number=5002),
        lambda event: document(event)["customer"].update(office_fax="1"),
        lambda event: event.update(time="2026-03-02T09:05:01+00:00"),
        lambda event: event.update(type="salesbinder.invoice.edited"),
    ],
)
def test_other_content_has_another_hash(change: Change) -> None:
    event = example("salesbinder.invoice.created")
    before = read(event).content_hash
    change(event)
    assert read(event).content_hash != before


GONE = object()
DOC, LINE, ACT = "data.document", "data.document.document_items", "data.transaction"
BAD_EVENTS: list[tuple[str, str, str, object]] = [
    ("event_not_cloudevent", "invoice.created", "specversion", GONE),
    ("event_field_wrong", "invoice.created", "specversion", "0.3"),
    ("event_field_missing", "invoice.created", "id", GONE),
    ("event_field_missing", "invoice.created", "id", ""),
    ("event_field_wrong", "invoice.created", "id", 7),
    ("event_field_wrong", "invoice.created", "id", "x" * 256),
    ("event_field_wrong", "invoice.created", f"{DOC}.document_number", "x" * 256),
    ("event_field_wrong", "invoice.payment_applied", f"{ACT}.id", "x" * 256),
    ("event_field_wrong", "invoice.created", "id", "a\x00b"),
    ("event_field_missing", "invoice.created", "source", GONE),
    ("event_field_wrong", "invoice.created", "source", "/salesbinder/Acme"),
    ("event_field_wrong", "invoice.created", "source", "/salesbinder/" + "a" * 64),
    ("event_field_wrong", "invoice.created", "source", "/other/acme"),
    ("event_field_missing", "invoice.created", "type", GONE),
    ("event_unknown_type", "invoice.created", "type", "salesbinder.invoice.sent"),
    ("event_field_missing", "invoice.created", "subject", GONE),
    ("event_field_missing", "invoice.created", "time", GONE),
    ("event_time_invalid", "invoice.created", "time", "2026-03-02T09:05:00"),
    ("event_time_invalid", "invoice.created", "time", "yesterday"),
    ("event_time_invalid", "invoice.created", "time", "0001-01-01T00:00:00+14:00"),
    ("event_field_wrong", "invoice.created", "datacontenttype", "text/xml"),
    ("event_field_missing", "invoice.created", "data", GONE),
    ("event_field_missing", "invoice.created", "data", None),
    ("event_field_wrong", "invoice.created", "data", []),
    ("event_field_missing", "invoice.created", DOC, GONE),
    ("event_field_missing", "invoice.payment_applied", ACT, GONE),
    ("event_field_wrong", "invoice.payment_applied", f"{ACT}.id", ""),
    ("event_field_missing", "customer.edited", "data.customer.name", GONE),
    ("event_field_missing", "customer.edited", "data.customer.name", None),
    ("event_field_wrong", "customer.edited", "data.customer.office_email", ["a"]),
    ("event_field_wrong", "customer.edited", "data.customer.context_id", 10),
    ("event_field_wrong", "supplier.edited", "data.supplier.context_id", "2"),
    ("event_field_missing", "supplier.deleted", "data.supplier.id", GONE),
    ("event_field_wrong", "invoice.created", f"{DOC}.id", ""),
    ("event_field_wrong", "invoice.created", f"{DOC}.id", 12),
    ("event_field_wrong", "invoice.created", f"{DOC}.context_id", 11),
    ("event_field_wrong", "purchase_order.edited", f"{DOC}.context_id", 5),
    ("event_field_missing", "invoice.created", f"{DOC}.context_id", GONE),
    ("event_field_wrong", "invoice.created", f"{DOC}.document_number", ""),
    ("event_field_wrong", "invoice.created", f"{DOC}.document_number", True),
    ("event_field_missing", "invoice.created", f"{DOC}.document_items", GONE),
    ("event_field_wrong", "invoice.created", f"{DOC}.document_items", {}),
    ("event_field_missing", "invoice.created", f"{DOC}.customer", GONE),
    ("event_field_missing", "invoice.created", f"{DOC}.customer_id", GONE),
    ("event_field_wrong", "invoice.created", f"{DOC}.customer.id", "another"),
    ("event_field_missing", "invoice.created", f"{DOC}.issue_date", ""),
    ("event_time_invalid", "invoice.created", f"{DOC}.issue_date", "2.3.2026"),
    ("event_time_invalid", "invoice.created", f"{DOC}.issue_date", "2026-02-30"),
    ("event_time_invalid", "invoice.created", f"{DOC}.issue_date", "9999-12-31"),
    ("event_time_invalid", "invoice.created", f"{DOC}.issue_date", 20260302),
    ("event_time_invalid", "invoice.created", f"{DOC}.modified", "now"),
    ("event_field_wrong", "invoice.created", f"{DOC}.currency", "EURO"),
    ("event_field_missing", "invoice.created", f"{LINE}[1].price", GONE),
    ("event_field_missing", "invoice.created", f"{LINE}[1].price", ""),
    ("event_field_missing", "purchase_order.created", f"{LINE}[0].quantity", None),
    ("event_field_wrong", "invoice.created", f"{LINE}[0].id", "  "),
    ("event_field_wrong", "invoice.payment_applied", f"{ACT}.document_id", "another"),
    ("event_time_invalid", "invoice.refund_applied", f"{ACT}.transaction_date", "soon"),
]


def put(event: Event, path: str, value: object) -> None:
    """Put a value where ``path`` says, or take away what is there."""
    *steps, last = path.replace("[", ".[").split(".")
    target: Any = event
    for step in steps:
        target = target[int(step[1:-1]) if step.startswith("[") else step]
    if value is GONE:
        del target[last]
    else:
        target[last] = value


@pytest.mark.parametrize(("code", "kind", "path", "value"), BAD_EVENTS)
def test_what_breaks_the_contract_is_refused_by_name(code: str, kind: str, path: str, value: object) -> None:
    event = example(f"salesbinder.{kind}")
    before = dict(event)
    put(event, path, value)
    error = refused(
        event, key=f"acme/{event.get('subject')}".encode(), topic=EVENT_TYPES[before["type"]].topic
    )
    assert (error.reason_code, error.field) == (code, path)
    assert str(error).startswith(f"{path}: ")
    assert error.remedy.endswith(".")
    assert "…" not in render(error.reason_code, error.details | {"value": error.value[:9]})[0]
    assert error.account == "acme"
    assert error.entity == EVENT_TYPES[before["type"]].entity
    assert error.record_id == (event.get("subject") or before["subject"])


def test_a_subject_that_contradicts_the_data_is_refused() -> None:
    event = example("salesbinder.invoice.deleted")
    document(event)["id"] = "other"
    error = refused(event)
    assert (error.reason_code, error.field, error.value) == (
        "event_subject_mismatch",
        "subject",
        event["subject"],
    )
    assert (error.record_id, error.details["expected"]) == (event["subject"], "other")


NO_AMOUNTS = [
    float("nan"),
    float("inf"),
    "NaN",
    "-Infinity",
    "sNaN",
    "ten",
    "1,000.00",
    "1_000",
    "٣",
    "0x10",
    True,
    [],
    {},
    "1e999999",
    "1e999999999999",
    10**16,
    "1e-70",
    "9" * 5000,
]


@pytest.mark.parametrize("value", NO_AMOUNTS, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("place", ["price", "quantity", "total", "transaction"])
def test_what_is_no_amount_is_refused(place: str, value: object) -> None:
    event = example("salesbinder.invoice.payment_applied")
    spots = {
        "price": (line(event), "price", "data.document.document_items[0].price"),
        "quantity": (line(event), "quantity", "data.document.document_items[0].quantity"),
        "total": (document(event), "total_tax", "data.document.total_tax"),
        "transaction": (event["data"]["transaction"], "amount", "data.transaction.amount"),
    }
    record, name, field = spots[place]
    record[name] = value
    error = refused(event)
    assert (error.reason_code, error.field) == ("event_amount_invalid", field)
    assert len(error.value) <= 80


@pytest.mark.parametrize("literal", ["1e999999", "1E+400000000", "9" * 100_000, "-0." + "0" * 90_000 + "1"])
def test_absurd_number_literals_neither_hang_nor_pass(literal: str) -> None:
    event = example("salesbinder.invoice.created")
    raw = json.dumps(event).replace('"price": 98.0', f'"price": {literal}').encode()
    assert refused(event, value=raw).reason_code == "event_amount_invalid"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "event_empty"),
        (b"", "event_not_json"),
        (b"{", "event_not_json"),
        (b"\xff\xfe", "event_not_json"),
        (b'{"specversion": "1.0", "id": "\\ud800"}', "event_not_json"),
        (b"[" * 200_000, "event_not_json"),
        (b"[]", "event_not_cloudevent"),
        (b'"text"', "event_not_cloudevent"),
        (b"{}", "event_not_cloudevent"),
        (b" " * 1_000_001, "event_too_large"),
    ],
)
def test_what_is_no_event_is_refused_and_its_key_says_whose_it_was(value: bytes | None, code: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read_event("salesbinder.invoices", b"acme/14691a1c", value, [])
    error = caught.value
    assert error.reason_code == code
    assert (error.account, error.entity, error.record_id) == ("acme", "invoice", "14691a1c")
    assert render(error.reason_code, error.details)


def test_a_value_of_a_million_bytes_is_read_and_one_more_is_not() -> None:
    event = example("salesbinder.invoice.created")
    raw = json.dumps(event).encode()
    assert read(event, value=raw + b" " * (1_000_000 - len(raw))).subject == event["subject"]
    error = refused(event, value=raw + b" " * (1_000_001 - len(raw)))
    assert error.reason_code == "event_too_large"
    assert (error.account, error.record_number, error.event_id) == ("acme", "5001", event["id"])
    assert error.time == datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("key", [None, b"", b"14691a1c-589c-5e50-b8f8-948f9991d1f1", b"acme/other", b"\xff"])
def test_another_key_is_refused(key: bytes | None) -> None:
    event = example("salesbinder.invoice.created")
    error = refused(event, key=key)
    assert (error.reason_code, error.field) == ("event_key_mismatch", "key")
    assert (error.account, error.record_id) == ("acme", event["subject"])


def test_another_topic_is_refused() -> None:
    error = refused(example("salesbinder.customer.created"), topic="salesbinder.suppliers")
    assert (error.reason_code, error.field) == ("event_unknown_type", "type")


@pytest.mark.parametrize(
    "content_type", [b"application/cloudevents+avro", b"application/cloudevents-batch+json"]
)
def test_other_formats_of_cloudevents_are_refused(content_type: bytes) -> None:
    error = refused(example("salesbinder.customer.created"), headers=[("content-type", content_type)])
    assert error.reason_code == "event_not_cloudevent"


def test_binary_mode_with_a_missing_attribute_names_it() -> None:
    event = example("salesbinder.invoice.created")
    value, headers = binary(event)
    error = refused(event, value=value, headers=[each for each in headers if each[0] != "ce_time"])
    assert (error.reason_code, error.field) == ("event_field_missing", "time")
    assert error.record_number == "5001"


@pytest.mark.parametrize("event", examples()[:3], ids=lambda event: event["type"])
def test_event_to_kafka_makes_the_record_that_reads_back(event: Event) -> None:
    raw = json.dumps(event).encode()
    record = event_to_kafka(raw + b"\n")
    assert record == event_to_kafka(event)
    topic, key, value, headers = record
    assert (topic, key, value) == (EVENT_TYPES[event["type"]].topic, f"acme/{event['subject']}".encode(), raw)
    assert read_event(topic, key, value, headers).id == event["id"]


def test_event_to_kafka_refuses_what_consumers_would_refuse() -> None:
    event = example("salesbinder.invoice.created")
    document(event)["total_price"] = float("nan")
    with pytest.raises(InvalidEvent, match="total_price"):
        event_to_kafka(event)
    for raw, code in [(b"{", "event_not_json"), (b"{}", "event_not_cloudevent")]:
        with pytest.raises(InvalidEvent) as caught:
            event_to_kafka(raw)
        assert caught.value.reason_code == code


def test_a_customer_is_read_with_its_fields() -> None:
    data = read(example("salesbinder.customer.created")).data
    assert isinstance(data, CustomerData)
    assert (data.customer.name, data.customer.office_phone) == ("Widgets & Co", "604-555-0101")


def test_a_payment_is_read_with_its_amount() -> None:
    data = read(example("salesbinder.invoice.payment_applied")).data
    assert isinstance(data, TransactionData)
    assert data.transaction.amount == Decimal(100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_is_put_anywhere_ends_as_an_event_or_as_a_named_problem(data: st.DataObject) -> None:
    event: Any = data.draw(st.sampled_from(examples()))
    target = event
    while True:
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(target[key], dict | list) and target[key]) or data.draw(st.booleans()):
            break
        target = target[key]
    kind, subject = EVENT_TYPES[event["type"]], event["subject"]
    target[key] = data.draw(JSON)
    record = json.dumps(event).encode()
    try:
        read_event(kind.topic, f"acme/{subject}".encode(), record, [])
    except InvalidEvent as error:
        assert error.field
        assert error.problem
        assert error.reason_code.startswith("event_")
        assert error.account == "acme"


@given(st.binary(max_size=60), st.none() | st.binary(max_size=20))
def test_any_bytes_end_as_a_named_problem(value: bytes, key: bytes | None) -> None:
    with pytest.raises(InvalidEvent):
        read_event("salesbinder.invoices", key, value, [("ce_id", value)])


def test_an_unknown_type_is_answered_with_the_types_of_its_record() -> None:
    event = example("salesbinder.invoice.created")
    event["type"] = "salesbinder.invoice.exploded"
    remedy = refused(event).remedy
    assert "salesbinder.invoice.created" in remedy and "purchase_order" not in remedy


def test_a_wrong_kind_of_value_is_said_in_plain_words() -> None:
    event = example("salesbinder.invoice.created")
    document(event)["document_items"] = "x"
    assert refused(event).problem == "expected a list, got a text"

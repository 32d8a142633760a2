"""Messages that nobody should send and somebody does, to each topic that a stage reads."""

import base64
import json
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from streams.topics import COMMANDS, RESULTS
from tests.record_batches import Header

CUSTOMERS, INVOICES = "salesbinder.customers", "salesbinder.invoices"
STRUCTURED: tuple[Header, ...] = ((b"content-type", b"application/cloudevents+json"),)
_HOLE = '"@@"'

NUMBERS = ("NaN", "-Infinity", "1e400", "-1e400", "1e999999999", "9" * 5000, "0." + "1" * 100, "1e-60",
           "999999999999999", "18446744073709551616", "true", '"1_000"', '"١٢"', '"1e400"')  # fmt: skip
TEXTS = (r"a\u0000b", r"a\ud800b", r"\udc00", r"\uffff", r"\u202Eevil", "A" * 300_000,
         "<script>alert(1)</script>", "=cmd|'/C calc'!A0",
         r"a\r\nSet-Cookie: x=1", "%s%n", "{{7*7}}", "'; DROP TABLE x;--", "   ", "",
         "😀👨‍👩‍👧", "Z" + "\u0301" * 3000, "http://[", "../../x")  # fmt: skip
DAYS = ("0000-00-00", "0001-01-01", "9999-12-31", "2026-02-30", "20226-01-01", "٢٠٢٦-٠١-٠١",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-23:59", "2026-12-31T23:59:60Z", "NaT")  # fmt: skip
SHAPES = ("[]", "{}", "null", "5", "true", "[[1]]")
CURRENCIES = ("XYZ", "xxx", "EURO", r"K\u212aK", r"\u0130\u0130\u0130", "", "  ", r"\u0000UR")
VARIATIONS: tuple[bytes, ...] = (
    b'{"a":' * 900 + b"1" + b"}" * 900, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"[" * 300_000,
    b'{"ItemVariation":{"S":"' + b"x" * 600_000 + b'"}}', b'{"ItemVariation":{"a\\u0000":"b\\u0000"}}',
    b'{"ItemVariation":{"a":"\\ud800"}}', b'{"ItemVariation":{"a":' + b"9" * 5000 + b"}}",
    b'{"ItemVariation":{"a":NaN}}', b'{"ItemVariation":{"a":1e400}}', zlib.compress(bytes(10_000_000)),
    json.dumps({"ItemVariation": {f"k{n}": "v" for n in range(20_000)}}).encode(),
)  # fmt: skip
"""What a line's variation says in base64."""
LINES: tuple[list[dict[str, Any]], ...] = (
    [], [{"name": "x", "quantity": 1, "price": 1, "tax": 8}] * 50,
    [{"id": f"l{n}", "name": "x", "quantity": 1, "price": 1, "tax": n / 10} for n in range(500)],
    [{"id": f"l{n}", "name": "x", "quantity": 1, "price": 1, "tax": 8} for n in range(10_000)],
    [{"id": f"l{n}", "name": "x", "quantity": "9" * 15, "price": "9" * 15, "tax": 8} for n in range(3000)],
    [{"id": f"l{n}", "name": "eyJ-" * 1000, "quantity": 1, "price": 1, "tax": 8} for n in range(235)],
)  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """One message. ``name`` says what is wrong with it."""

    name: str
    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()


def to_sources(account: str) -> Iterator[Hostile]:
    """Change events, each with one thing in it that is wrong."""
    for number, (field, text) in enumerate(_holes()):
        yield _event(account, f"h{number}", field, text)
    yield from _bytes(account)
    yield from _keys_and_headers(account)


def _holes() -> Iterator[tuple[str, str]]:
    """Fields of an event, and the JSON that stands there."""
    yield from product(("price", "quantity", "tax", "currency_rate", "total_tax", "amount"), NUMBERS)
    for field, text in product(("name", "sku", "reference", "customer.name", "id", "subject", "time"), TEXTS):
        yield field, f'"{text}"'
    for field, text in product(("issue_date", "modified", "transaction_date", "time"), DAYS):
        yield field, f'"{text}"'
    yield from product(
        (
            "document_items",
            "customer",
            "document_number",
            "data",
            "source",
            "type",
            "id",
            "specversion",
            "datacontenttype",
            "customer_id",
            "issue_date",
        ),
        SHAPES,
    )
    yield from product(("discount_percent", "total_price", "document_number", "context_id"), NUMBERS)
    yield from (("currency", f'"{code}"') for code in CURRENCIES)
    yield from product(("specversion", "datacontenttype", "customer.id"), (f'"{t}"' for t in TEXTS[:8]))
    yield from (("item_variation_data", json.dumps(base64.b64encode(one).decode())) for one in VARIATIONS)
    yield from (
        ("item_variation_data", one) for one in ("123", "[[1]]", '"!!!!"', json.dumps("eyJ\n" * 9999))
    )
    yield from (("document_items", json.dumps(lines)) for lines in LINES)
    for depth in (900, 5000, 100_000):
        yield from product(("status", "extra", "data"), ("[" * depth + "]" * depth, '{"a":' * depth))


def _event(account: str, record: str, field: str, text: str) -> Hostile:
    event = _paid(account, record)
    document = event["data"]["document"]
    line, customer, payment = (
        document["document_items"][0],
        document["customer"],
        event["data"]["transaction"],
    )
    owners: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("price", "quantity", "tax", "discount_percent", "item_variation_data"), line),
        **dict.fromkeys(("amount", "reference", "transaction_date"), payment),
        **dict.fromkeys(("id", "subject", "time", "data", "source", "type", "extra"), event),
        **dict.fromkeys(("specversion", "datacontenttype"), event),
        "customer.name": customer,
        "customer.id": customer,
    }
    place = line.setdefault("item", {}) if field == "sku" else owners.get(field, document)
    place[field.rpartition(".")[2]] = "@@"
    value = json.dumps(event, ensure_ascii=False).replace(_HOLE, text, 1).encode("utf-8", "surrogatepass")
    return Hostile(f"{field} {text[:30]}", INVOICES, f"{account}/{record}".encode(), value, STRUCTURED)


def _paid(account: str, record: str) -> dict[str, Any]:
    stamp = "2026-03-02T09:00:00Z"
    customer = {"id": f"c-{record}", "name": f"Customer {record}", "modified": stamp}
    line = {"id": "l1", "name": "Shirt", "quantity": 1, "price": "100.00", "tax": 8}
    document = {
        "id": record, "document_number": f"H-{record}", "context_id": 5, "customer_id": customer["id"],
        "issue_date": "2026-03-02", "created": stamp, "modified": stamp, "document_items": [line],
        "customer": customer,
    }  # fmt: skip
    payment = {"id": f"t-{record}", "amount": "1.00", "transaction_date": "2026-03-02"}
    return {
        "specversion": "1.0", "id": str(uuid.uuid4()), "source": f"/salesbinder/{account}", "subject": record,
        "type": "salesbinder.invoice.payment_applied", "time": "2026-03-02T09:05:00Z",
        "data": {"document": document, "transaction": payment},
    }  # fmt: skip


def _bytes(account: str) -> Iterator[Hostile]:
    good = json.dumps(_paid(account, "bytes")).encode()
    values: dict[str, bytes | None] = {
        "no value": None, "empty": b"", "blank": b"  ", "null": b"null", "number": b"42", "array": b"[]",
        "text": b'"x"', "UTF-16": good.decode().encode("utf-16"), "BOM": b"\xef\xbb\xbf" + good,
        "latin": good.replace(b"Shirt", b"\xff"), "CESU": good.replace(b"Shirt", b"\xed\xa0\x80"),
        "two": good + b"\n" + good, "more": good + b"}}", "cut off": good[:-9],
        "a source twice": good[:-1] + b',"source":"/salesbinder/globex"}',
        "a subject twice": good[:-1] + b',"subject":"other"}', "data twice": good[:-1] + b',"data":{}}',
        "zlib": zlib.compress(good), "NULs": bytes(1000), "3 MB": b"x" * 3_000_000,
        "4 MB": b"x" * (4 * 1024 * 1024 - 2000), "open": b"[" * 500_000,
        "padded": good[:-1] + b',"pad":"' + b"x" * 1_100_000 + b'"}',
    }  # fmt: skip
    for name, value in values.items():
        yield Hostile(name, CUSTOMERS, f"{account}/bytes".encode(), value, STRUCTURED)


def _keys_and_headers(account: str) -> Iterator[Hostile]:
    keys = (None, b"", bytes(range(256)), b"\xed\xa0\x80/x", b"a\0/b", b"globex/spoofed",
            account.encode() + b"/" + b"k" * 70_000, account.encode() + b"/<script>")  # fmt: skip
    for key in keys:
        yield Hostile(f"key {key!r:.20}", CUSTOMERS, key, b"no event", STRUCTURED)
    yield Hostile("nothing at all", CUSTOMERS, None, None)
    headers: dict[str, tuple[Header, ...]] = {
        "name": ((b"\xff\xfe", b"x"),), "value": ((b"x", bytes(range(256))),), "none": ((b"x", None),),
        "no name": ((b"", b"x"),), "many": tuple((b"h%d" % n, b"v") for n in range(2000)),
        "large": ((b"big", bytes(1_000_000)),), "spoofed": ((b"reason_code", b"x"), (b"source_offset", b"y")),
        "of an event": ((b"ce_id", b"a\0b"), (b"ce_source", b"\xff"), (b"ce_specversion", b"1.0")),
    }  # fmt: skip
    for name, added in headers.items():
        key = f"{account}/headers".encode()
        yield Hostile(f"header {name}", CUSTOMERS, key, b"no event", (*STRUCTURED, *added))


def to_inner(account: str) -> Iterator[Hostile]:
    """What no stage of ours sends to the topics between them."""
    for topic, key in product((COMMANDS, RESULTS), (f"{account}/inner".encode(), b"\xff", None)):
        kind = b'"kind":"entry",' if topic == RESULTS else b""
        for name, value in {
            "deep": b"{" + kind + b'"x":' + b"[" * 3000 + b"]" * 3000 + b"}",
            "UTF-8": b"{" + kind + b'"account":"\xff\xfe"}',
            "surrogate": b"{" + kind + b'"account":"\\ud800"}',
            "number": b"{" + kind + b'"amount":1e999999999}', "open": b"{" * 100_000,
            "none": None, "null": b"null",
            "array": b"[]", "NULs": bytes(100), "blank": b"", "unknown kind": b'{"kind":"?"}',
        }.items():  # fmt: skip
            yield Hostile(f"{topic} {name}", topic, key, value)
        yield Hostile(f"{topic} header", topic, key, b"x", ((b"\xff\xfe", b"1"),))
    wrong: dict[str, dict[str, Any]] = {
        "address": {"salesbinder_url": "http://["}, "time": {"event_time": "0001-01-01T00:00:00+14:00"},
        "year": {"finished_at": "9999-12-31T23:59:59-14:00"}, "amount": {"amount": "1e400"},
        "not a number": {"amount": "NaN"}, "version": {"version": 2**40}, "NUL": {"record_id": "a\0b"},
        "state": {"state": "lost"}, "offset": {"topic": "t", "partition": 2**40, "offset": 2**70},
    }  # fmt: skip
    for name, changed in wrong.items():
        result: dict[str, Any] = {
            "kind": "entry", "entry_id": str(uuid.uuid4()), "version": 1, "account": account,
            "entity": "invoice", "record_id": "x",
            "action": "created", "state": "failed", "queued_at": "2026-03-02T09:00:00Z",
        }  # fmt: skip
        value = json.dumps({**result, **changed}).encode()
        yield Hostile(f"result {name}", RESULTS, f"{account}/x".encode(), value)

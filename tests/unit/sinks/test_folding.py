"""Several snapshots of one record come to what was said last of each field."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest

from contracts.commands import Address, ContactSnapshot, decode_command, encode_command
from sinks.resolve.folding import completed, folded_snapshots, told
from tests.unit.planner.pure import command
from tests.unit.resolve.books import CONTACT, NOW

MINUTE = timedelta(minutes=1)


def snapshot(minute: int, **fields: Any) -> ContactSnapshot:
    at = NOW + minute * MINUTE
    return msgspec.structs.replace(CONTACT, version=at, event_time=at, **fields)


def texts(contact: ContactSnapshot) -> dict[str, str]:
    return {field: text for field, (text, _) in told(contact).items()}


FULL = snapshot(0, email="a@x.example", phone="1", billing=Address(line_1="1 Main St", city="Town"))
THIN = snapshot(9, name="Widgets Inc")
MIDDLE = snapshot(5, phone="", billing=Address(city="Port"))


@pytest.mark.parametrize("order", list(permutations([FULL, MIDDLE, THIN])))
def test_whatever_comes_first_each_field_is_what_was_said_last(order: tuple[ContactSnapshot, ...]) -> None:
    one, two, three = order
    whole = folded_snapshots(folded_snapshots(one, two), three)
    assert (whole.name, whole.stamp) == ("Widgets Inc", THIN.stamp)
    assert texts(whole) == {
        "email": "a@x.example",
        "phone": "",
        "billing.line_1": "1 Main St",
        "billing.city": "Port",
    }


def test_of_equal_stamps_the_later_is_the_newer() -> None:
    twice = folded_snapshots(snapshot(1, phone="1"), snapshot(1, phone="2"))
    assert texts(twice) == {"phone": "2"}


def test_what_a_document_says_without_a_date_counts_only_alone() -> None:
    undated = snapshot(20, name="Other", dated=False, email="b@x.example")
    assert folded_snapshots(FULL, undated) == FULL
    assert folded_snapshots(undated, FULL) == FULL
    assert folded_snapshots(undated, snapshot(21, dated=False, phone="3")).phone == "3"
    assert completed(snapshot(30), undated) == snapshot(30)


def test_what_is_not_told_is_completed_by_what_was_told_before_and_since() -> None:
    known = folded_snapshots(FULL, snapshot(30, phone="30"))
    assert texts(completed(THIN, known)) == {
        "email": "a@x.example",
        "phone": "30",
        "billing.line_1": "1 Main St",
        "billing.city": "Town",
    }


def test_absence_survives_the_wire_and_older_blanks_say_nothing() -> None:
    own = msgspec.structs.replace(command("edited", entity="customer"), contact=snapshot(1, fax=""))
    read = decode_command(encode_command(own)).contact
    assert read is not None
    assert (read.fax, read.phone, read.billing.city) == ("", None, None)
    stored = folded_snapshots(FULL, THIN)
    assert msgspec.json.decode(msgspec.json.encode(stored), type=ContactSnapshot) == stored
    plain = b'{"side":"customer","record_id":"c","name":"n","version":"2026-01-01T00:00:00Z",'
    before = msgspec.json.decode(plain + b'"event_time":"2026-01-01T00:00:00Z"}', type=ContactSnapshot)
    assert (before.fax, before.dated, before.billing) == (None, True, Address())

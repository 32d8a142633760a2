"""Records of one name: of each field the newest value, and the others know what was sent."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from contracts.commands import ContactSnapshot
from sinks.planner.contact_lookups import find_numbers
from sinks.planner.namesakes import Namesake, group_of, name_claim
from sinks.xero.names import alike, folded, same_name
from tests.unit.resolve.books import CONTACT, NOW


def record(place: int, **fields: Any) -> ContactSnapshot:
    at = NOW + timedelta(minutes=place)
    return msgspec.structs.replace(CONTACT, record_id=f"r{place:02}", version=at, event_time=at, **fields)


def values(of: Any) -> dict[str, Any]:
    return {name: value for name, (value, _) in of.items()}


def test_the_newest_value_that_is_not_blank_counts() -> None:
    group = group_of([record(1, fax="1", phone="1"), record(3, phone=""), record(2, phone="2")])
    assert values(group.offers) == {"name": "Widgets", "phone": "2", "fax": "1"}
    assert group.records == ("r01", "r02", "r03")


def test_a_record_without_a_date_counts_less_than_any_other() -> None:
    group = group_of([record(1, phone="1"), record(9, phone="9", fax="9", dated=False)])
    assert values(group.offers) == {"name": "Widgets", "phone": "1", "fax": "9"}


def test_news_is_what_is_newer_and_other_or_what_nobody_put_there() -> None:
    known = Namesake({"ContactID": "x"}, group_of([record(5, phone="5", fax="5")]).offers)
    assert known.news(group_of([record(1, phone="1", email="a@b.example")])) == {"email": "a@b.example"}
    assert known.news(group_of([record(9, phone="9", fax="5")])) == {"phone": "9"}
    assert known.news(group_of([record(5, phone="5", fax="5")])) == {}


@pytest.mark.parametrize("name", ["{}", "é{}", "12345678-1234-1234-1234-1234567890{:02}", "é " * 400 + "{}"])
def test_numbers_are_looked_up_in_the_same_parts_by_all(name: str) -> None:
    records = [name.format(n) for n in range(100)]
    group = group_of(msgspec.structs.replace(record(1), record_id=one) for one in records)
    parts = {group.numbers_with(one) for one in records}
    assert sorted(number for part in parts for number in part) == sorted(group.records)
    for part in parts:
        where = find_numbers(part).element.query["where"]
        assert len(part) == 1 or len(quote(where)) <= 2_400


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café Zoë", "Cafe\u0301 Zoe\u0308"),
        ("Café Zoë", "CAFE ZOE"),
        ("Straße", "STRASSE"),
        ("A  B", " a b "),
    ],
)
def test_what_xero_takes_for_one_name_has_one_claim(one: str, other: str) -> None:
    assert same_name(one, other)
    assert name_claim(one) == name_claim(other)


@pytest.mark.parametrize(("one", "other"), [("Bjørn", "Bjorn"), ("O’Neil", "O'Neil"), ("A\u200bB", "AB")])
def test_what_some_rules_leave_out_is_alike_and_not_the_same(one: str, other: str) -> None:
    assert alike(one, other)
    assert folded(one) != folded(other)
    assert not alike(one, "Other")

"""Why an unchanged row costs little: texts are compared as they stand, and nothing is sent for nothing."""

import random
from datetime import datetime
from typing import Any

import pytest

from contracts.events.fields import JsonNumber
from sources.batch import Batch
from sources.context import newest_of
from sources.odd import CLOCK
from sources.salesbinder.values import moment_or_none, own_id, text
from sources.store import keeping
from tests.unit.sources.records import INVOICE, NOON

NOT_CONNECTED: Any = None
"""A connection over which nothing can be sent."""
MOMENTS = [
    f"2026-03-{day:02}{sign}{time}{zone}"
    for day in (1, 9, 10)
    for sign in "T t"
    for time in ("09:05", "09:05:30", "09:05:30.5", "09:05:30.25", "23:59")
    for zone in ("", "Z", "z", "+00:00", "-08:00", "+14:00", "+0530")
]
ODD: list[Any] = [
    "2026-03-11",
    "2026-03-02",
    "0000-00-00 00:00:00",
    "-0001-11-30T00:00:00+00:00",
    "2026-13-40T99:99:99+00:00",
    "2026-03-12T09:05:",
    "9999-12-31T23:59:59+00:00",
    "2026-03-\u0661\u0661T09:05:30+00:00",
    "soon",
    "",
    None,
    0,
    {},
    JsonNumber("20260302.5"),
]


def slowly(rows: list[Any]) -> datetime | None:
    """The newest of all that are moments."""
    found = [moment_or_none(row.get("created")) for row in rows if isinstance(row, dict)]
    return max((each for each in found if each is not None), default=None)


@pytest.mark.parametrize("seed", range(40))
def test_the_newest_of_a_page_is_that_of_all_its_moments_however_they_are_written(seed: int) -> None:
    chance = random.Random(seed)
    for length in (0, 1, 2, 3, 5, 20, 60):
        drawn = chance.choices(MOMENTS if seed % 2 else MOMENTS + ODD * 10, k=length)
        rows: list[Any] = [{"created": each} for each in drawn]
        rows += [7, None, {}] if seed % 3 else []
        assert newest_of(rows) == slowly(rows), drawn


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-03-10T09:05Z", "2026-03-10T09:05:30Z"),
        ("2026-03-10T09:05-08:00", "2026-03-10T09:05:30-08:00"),
        ("2026-03-10T09:05:30+01:00", "2026-03-10T09:05:30Z"),
        ("2026-03-10T09:05+0100", "2026-03-10T09:05+0000"),
        ("2026-03-10t09:05:30", "2026-03-10T09:05:31"),
        ("2026-03-10 23:59:59.9", "2026-03-11"),
        ("2026-03-10T09:05:30.25Z", "2026-03-10T09:05:30.5Z"),
    ],
)
def test_of_two_forms_the_later_moment_is_the_newest(older: str, newer: str) -> None:
    rows = [{"created": older}, {"created": newer}]
    assert newest_of(rows) == newest_of(rows[::-1]) == moment_or_none(newer)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (INVOICE, INVOICE),
        (INVOICE.upper(), INVOICE),
        (INVOICE + "\n", None),
        (INVOICE + " ", INVOICE + " "),
        (INVOICE.replace("1", "\u0661"), INVOICE.replace("1", "\u0661")),
        ("A-1", "A-1"),
        (5001, "5001"),
        (JsonNumber("5001.0"), "5001"),
        ("", None),
        (" ", None),
        ([INVOICE], None),
    ],
)
def test_an_id_is_the_same_however_it_is_written(value: Any, found: str | None) -> None:
    assert own_id(value) == found


@pytest.mark.parametrize("value", ["", [], {}, None, False])
def test_nothing_is_no_text_however_php_writes_it(value: Any) -> None:
    assert text(value) is None


@pytest.mark.parametrize("standing", [set(), {("invoice", INVOICE), ("orders", "all")}])
async def test_nothing_is_sent_for_a_page_that_changes_nothing(standing: set[tuple[str, str]]) -> None:
    batch = Batch(seen={CLOCK, ("invoices", "all")})
    assert not await keeping.keep(NOT_CONNECTED, "acme", batch, NOON, problems=standing)
    assert await keeping.kept(NOT_CONNECTED, "acme", set()) == {}

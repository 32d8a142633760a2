"""Periods of the calendar."""

from datetime import UTC, datetime

import pytest

from sbx.actions.periods import PERIODS, within

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "first", "after"),
    [
        ("today", (2026, 3, 1), (2026, 3, 2)),
        ("yesterday", (2026, 2, 28), (2026, 3, 1)),
        ("last_7_days", (2026, 2, 23), (2026, 3, 2)),
        ("last_30_days", (2026, 1, 31), (2026, 3, 2)),
        ("this_month", (2026, 3, 1), (2026, 4, 1)),
        ("last_month", (2026, 2, 1), (2026, 3, 1)),
        ("this_year", (2026, 1, 1), (2027, 1, 1)),
        ("last_year", (2025, 1, 1), (2026, 1, 1)),
    ],
)
def test_days_of_a_period(name: str, first: tuple[int, ...], after: tuple[int, ...]) -> None:
    begin, end = datetime(*first, tzinfo=UTC), datetime(*after, tzinfo=UTC)  # type: ignore[arg-type,misc]
    assert within(name, None, None, NOW) == (begin, end)


def test_every_period_holds_its_days_on_any_day() -> None:
    for day in (datetime(2024, 2, 29, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)):
        for name in PERIODS:
            begin, end = within(name, None, None, day)
            assert begin < end


def test_dates_narrow_a_period() -> None:
    noon = NOW.replace(hour=12)
    assert within("today", noon, None, NOW)[0] == noon
    assert within("today", None, noon, NOW)[1] == noon

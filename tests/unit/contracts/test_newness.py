"""Which of two snapshots is the newer one."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.newness import is_in_future, stamp

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEN, ELEVEN = NINE + timedelta(hours=1), NINE + timedelta(hours=2)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ((NINE, NINE), (TEN, TEN)),
        ((NINE, ELEVEN), (TEN, TEN)),  # told later, changed before
        ((NINE, NINE), (NINE, TEN)),
        ((ELEVEN, NINE), (TEN, TEN)),  # a clock that goes ahead counts as the event's time
        ((ELEVEN, NINE, 7), (NINE, TEN, 1)),
        ((NINE, NINE, 1), (NINE, NINE, 2)),
        ((TEN, NINE, 1), (ELEVEN, NINE, 2)),  # both from the future: the order in which they came
    ],
)
def test_order(older: tuple[datetime, datetime, int], newer: tuple[datetime, datetime, int]) -> None:
    assert stamp(*older) < stamp(*newer)


def test_equal_stamps_differ_in_their_positions_alone() -> None:
    assert stamp(NINE, NINE, 1).equals(stamp(NINE, NINE, 2))
    assert stamp(TEN, NINE, 1).equals(stamp(ELEVEN, NINE, 2))
    assert not stamp(NINE, NINE, 1).equals(stamp(NINE, TEN, 1))


def test_five_minutes_are_allowed() -> None:
    assert not is_in_future(NINE + timedelta(minutes=5), NINE)
    assert is_in_future(NINE + timedelta(minutes=5, microseconds=1), NINE)

"""Times and days as people write them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sbx.cli.errors import BadUsage
from sbx.cli.times import day, moment

NEAR = timedelta(minutes=1)


def test_a_day_in_words_begins_at_midnight_of_this_machine() -> None:
    today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    found = moment("--since", "today")
    assert found == today
    assert found.utcoffset() == today.utcoffset()
    before = moment("--since", "Yesterday")
    assert before is not None
    assert before.replace(tzinfo=None) == today.replace(tzinfo=None) - timedelta(days=1)


@pytest.mark.parametrize(("written", "ago"), [("30m", timedelta(minutes=30)), ("2w", timedelta(weeks=2))])
def test_so_long_ago(written: str, ago: timedelta) -> None:
    found = moment("--since", written)
    assert found is not None and abs(datetime.now(UTC) - ago - found) < NEAR


def test_days_are_those_of_utc() -> None:
    today = datetime.now(UTC).date()
    assert day("--from", "today") == today
    assert day("--from", "yesterday") == today - timedelta(days=1)
    assert day("--from", "7d") == today - timedelta(days=7)
    assert day("--from", "2026-01-31") == date(2026, 1, 31)
    assert day("--from", None) is None


@pytest.mark.parametrize("written", ["tomorrow", "2x", "", "999999w"])
def test_what_is_no_time_is_refused_with_an_example(written: str) -> None:
    for read, option in ((moment, "--since"), (day, "--from")):
        with pytest.raises(BadUsage) as refused:
            read(option, written)
        assert option in str(refused.value)
        assert "today, yesterday" in refused.value.remedy

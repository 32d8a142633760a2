"""How the page says how a SalesBinder account is read."""

from datetime import timedelta
from typing import Any

import pytest

from sbx.web.view.source import kinds_of, layers_of, state_of, trouble_of
from sources.schedule.trust import Evidence
from tests.unit.ops.test_source_report import NOON, overview

AGO = timedelta(minutes=20)


@pytest.mark.parametrize(
    ("changes", "name", "needs_somebody"),
    [
        ({}, "Being read", False),
        ({"is_read": False}, "Not being read", True),
        ({"finished": {}, "stock": {}}, "Being read", False),
        ({"trouble": "salesbinder_blocked", "trouble_since": NOON}, "No answers", False),
        ({"trouble": "salesbinder_blocked", "trouble_since": NOON - AGO}, "No answers", True),
        ({"trouble": "salesbinder_key_refused", "trouble_since": NOON}, "No answers", True),
    ],
)
def test_a_state_says_whether_somebody_is_needed(
    changes: dict[str, Any], name: str, needs_somebody: bool
) -> None:
    found = overview(**changes)
    assert (state_of(found).name, found.needs_somebody) == (name, needs_somebody)


def test_trouble_has_its_reason_remedy_and_what_happens_by_itself() -> None:
    assert trouble_of(overview()) is None
    key = trouble_of(overview(trouble="salesbinder_key_refused", trouble_since=NOON))
    assert key is not None
    assert "refuses the API key of 'acme'" in key.reason
    assert "sbx source connect acme" in key.remedy
    assert "every ten minutes" in key.retry
    assert key.is_key
    away = trouble_of(overview(trouble="salesbinder_unavailable", trouble_text="503", trouble_since=NOON))
    assert away is not None
    assert "503" in away.reason
    assert not away.is_key


@pytest.mark.parametrize(
    ("seen", "latest", "said"),
    [
        (Evidence(), timedelta(hours=6), "not seen yet"),
        (Evidence(moved=3, run=3), timedelta(hours=6), "3 times in a row; relied on after 20"),
        (Evidence(moved=21, unmoved=1, run=20), timedelta(minutes=1), "21 of 22 did, the last 20 in a row"),
        (Evidence(moved=2, unmoved=5), timedelta(hours=6), "2 of 7 did, the last did not"),
    ],
)
def test_what_was_measured_is_said_with_how_late_a_change_can_be(
    seen: Evidence, latest: timedelta, said: str
) -> None:
    rows = kinds_of(overview(trust={"cancelled": seen}, wanted=0))
    [row] = [row for row in rows if row.name == "Cancelled"]
    assert said in row.evidence
    assert row.listed is not None
    assert latest <= row.listed < latest * 1.5 + timedelta(minutes=3)
    assert row.unlisted == ""


def test_what_no_list_shows_is_said_to_be_seen_later() -> None:
    rows = {row.name: row for row in kinds_of(overview(trust={}, wanted=0))}
    assert rows["Payment applied"].unlisted == "24 h; 7 days if settled long ago"
    correction = rows["Payment's day or reference corrected"]
    assert correction.listed is None
    assert correction.unlisted == "24 h; 7 days if settled long ago"
    archived = rows["Archived"]
    assert (archived.listed, archived.unlisted) == (None, "never")
    assert "cannot be measured" in archived.evidence


def test_each_layer_says_how_old_it_is() -> None:
    rows = {row.name: row for row in layers_of(overview())}
    assert (rows["Deletions"].age, rows["Deletions"].every) == (timedelta(seconds=30), timedelta(minutes=1))
    assert rows["Everything"].age is None


def test_deep_reads_are_a_layer_that_says_what_is_due() -> None:
    rows = {row.name: row for row in layers_of(overview())}
    assert rows["Deep reads"].due == "nothing is due"
    assert rows["Deep reads"].every == timedelta(days=7), "payments are proven"
    late = overview(trust={}, deep_due=1, deep_since=NOON - timedelta(minutes=20))
    rows = {row.name: row for row in layers_of(late)}
    assert rows["Deep reads"].due == "1 due, the oldest for 20 min"
    assert rows["Deep reads"].every == timedelta(days=1)

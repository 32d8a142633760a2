"""Why a document differs, and what to do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.reasons import CATALOGUE
from sinks.drift.books import Actions, ByHand
from sources.reconcile.sides import Compared
from sources.reconcile.why import TITLES, Around, Unclear, is_news, why
from tests.unit.sources.reconcile_papers import book, paid, shop, side_by_side

BEGAN = datetime(2026, 3, 3, tzinfo=UTC)
BEFORE = BEGAN - timedelta(hours=1)
LESS = book(total=Decimal("107.00"), net=Decimal("99.00"))


def reason(one: Compared, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "account": "acme",
        "began": BEGAN,
        "actions": Actions(is_open=False, last_at=BEFORE, failed=None, skipped=None),
        "by_hand": (),
        "unclear": None,
        "log_is_read": True,
        "is_told": True,
        "was_here_before": False,
        "is_to_be_sent": False,
        "changed_settings": frozenset(),
    }
    return why(one, Around(**given | changes))


def hand(**changes: Any) -> ByHand:
    given: dict[str, Any] = {
        "field": "total",
        "ours": "108.00",
        "xeros": "107.00",
        "why": "",
        "changed_at": BEFORE,
        "changed_by": "Pat Bookkeeper",
        "adopted_by": "",
    }
    return ByHand(**given | changes)


def failed(code: str | None = "period_locked") -> Actions:
    entry: dict[str, Any] = {
        "command_id": "e1",
        "action": "payment_applied",
        "reason_code": code,
        "reason_args": {},
    }
    return Actions(is_open=False, last_at=BEFORE, failed=entry, skipped=None)


SKIPPED = Actions(
    is_open=False,
    last_at=BEFORE,
    failed=None,
    skipped={"command_id": "e2", "action": "edited", "actor": "ann"},
)
EARLY = shop(created=datetime(2025, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("one", "around", "code"),
    [
        (side_by_side(EARLY), {}, "before_cutoff"),
        (
            side_by_side(shop()),
            {"actions": Actions(is_open=True, last_at=BEFORE, failed=None, skipped=None)},
            "waiting",
        ),
        (
            side_by_side(shop(), LESS),
            {"actions": Actions(is_open=False, last_at=BEGAN, failed=None, skipped=None)},
            "changed_meanwhile",
        ),
        (side_by_side(shop(), LESS), {"is_told": False}, "not_seen_yet"),
        (
            side_by_side(shop(), LESS),
            {"unclear": Unclear(problem="odd", remedy="Look.")},
            "unclear_in_salesbinder",
        ),
        (side_by_side(shop(net=None), book()), {}, "unclear_in_salesbinder"),
        (side_by_side(paid("108.00"), book()), {"actions": failed()}, "failed"),
        (side_by_side(shop(), LESS), {"actions": SKIPPED}, "skipped"),
        (side_by_side(shop(), LESS), {"by_hand": [hand(adopted_by="ann")]}, "accepted"),
        (side_by_side(shop(), LESS), {"by_hand": [hand(adopted_by="ann"), hand()]}, "changed_in_xero"),
        (side_by_side(shop(), book(), pointing=[book(xero_id="x2")]), {}, "twice_in_xero"),
        (side_by_side(None, book()), {}, "not_visible_in_salesbinder"),
        (side_by_side(None, book()), {"log_is_read": False}, "not_seen_yet"),
        (side_by_side(shop()), {"was_here_before": True}, "made_before_connection"),
        (side_by_side(shop()), {"was_here_before": True, "is_to_be_sent": True}, "waiting"),
        (side_by_side(shop()), {"was_here_before": True, "actions": failed()}, "failed"),
        (side_by_side(paid("40.00"), book()), {"was_here_before": True}, "made_before_connection"),
        (side_by_side(paid("40.00"), book()), {"was_here_before": True, "actions": failed()}, "failed"),
        (
            side_by_side(paid("40.00"), book()),
            {"was_here_before": True, "actions": failed("refund_exceeds_paid")},
            "made_before_connection",
        ),
        (
            side_by_side(paid("40.00"), book()),
            {"was_here_before": True, "by_hand": [hand()]},
            "changed_in_xero",
        ),
        (side_by_side(shop(), LESS), {"was_here_before": True}, "unknown"),
        (
            side_by_side(shop(), book(), invoice_number_format="SB-{number}"),
            {"changed_settings": frozenset({"invoice_number_format"})},
            "setting_changed",
        ),
        (side_by_side(shop(), LESS), {"changed_settings": frozenset({"invoice_number_format"})}, "unknown"),
        (side_by_side(shop(), LESS), {}, "unknown"),
        (side_by_side(shop(), LESS), {"by_hand": [hand(why="the log says so")]}, "unknown"),
        (side_by_side(shop()), {"actions": None}, "unknown"),
    ],
)
def test_each_difference_has_a_reason_and_a_remedy(one: Compared, around: dict[str, Any], code: str) -> None:
    found = reason(one, **around)
    assert found.code == code
    assert found.text
    assert found.remedy
    assert found.code in TITLES
    assert found.is_known == (code != "unknown")


def test_a_failed_entry_is_named_with_its_reason_and_remedy() -> None:
    found = reason(side_by_side(paid("108.00"), book()), actions=failed())
    assert found.entry_id == "e1"
    assert "payment applied" in found.text
    assert "period_locked" in found.text
    assert found.remedy
    assert "period_locked" in CATALOGUE
    assert reason(side_by_side(shop(), LESS), actions=failed(None)).remedy


def test_who_changed_it_in_xero_is_named() -> None:
    found = reason(side_by_side(shop(), LESS), by_hand=[hand()])
    assert "Pat Bookkeeper" in found.text
    assert "108.00 became 107.00" in found.text
    assert "sbx drift acme" in found.remedy


def test_a_setting_explains_nothing_but_what_it_decides() -> None:
    renumbered = side_by_side(shop(), LESS, invoice_number_format="SB-{number}")
    assert set(renumbered.fields) == {"number", "net", "total"}
    assert reason(renumbered, changed_settings=frozenset({"invoice_number_format"})).code == "unknown"


def test_money_is_not_explained_by_a_setting_if_the_sum_differs() -> None:
    changed = frozenset({"refund_as"})
    taken_back = side_by_side(paid("108.00", "50.00"), book(paid=Decimal("58.00")))
    assert reason(taken_back, changed_settings=changed).code == "setting_changed"
    less = side_by_side(paid("108.00", "50.00"), book(paid=Decimal("8.00")))
    assert reason(less, changed_settings=changed).code == "unknown"


def test_people_are_told_of_what_stays_and_nobody_wanted() -> None:
    assert [code for code in TITLES if not is_news(code)] == [
        "before_cutoff",
        "waiting",
        "changed_meanwhile",
        "not_seen_yet",
        "skipped",
        "accepted",
    ]

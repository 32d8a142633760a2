"""What is told, what is the same thing, what is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sbx.notify.alerts import Alert, changes, standing

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def issue(**changed: Any) -> dict[str, Any]:
    row = {
        "issue_id": "i1",
        "account": "acme",
        "entries": 1,
        "reason": "No.",
        "remedy": "Do.",
        "samples": ["7"],
    }
    return row | changed


def account(name: str, *, lost: str | None = None, paused: str | None = None) -> dict[str, Any]:
    return {"account": name, "lost_reason": lost, "paused_reason": paused}


def keys(alerts: list[Alert]) -> list[str]:
    return [alert.key for alert in alerts]


def test_an_issue_is_named_with_its_documents() -> None:
    one, many = standing([issue(), issue(issue_id="i2", entries=1200)], [], [], [], HOUR)
    assert one.text == "1 action failed (7): No."
    assert many.text == "1,200 actions failed (7): No."
    assert one.path == "/?issue=i1"


def test_a_lost_connection_is_told_before_a_pause() -> None:
    accounts = [account("a", lost="401", paused="me"), account("b", paused="me"), account("c")]
    assert keys(standing([], accounts, [], [], HOUR)) == ["connection_lost:a", "paused:b"]


def test_waiting_is_told_above_the_bound_only() -> None:
    waiting: list[dict[str, Any]] = [
        {"account": "a", "oldest_waiting_seconds": 3600.0},
        {"account": "b", "oldest_waiting_seconds": 3600.1},
        {"account": "c", "oldest_waiting_seconds": None},
        {"account": "d", "oldest_waiting_seconds": 9999.0},
    ]
    assert keys(standing([], [account("d", paused="me")], waiting, [], HOUR)) == [
        "paused:d",
        "oldest_waiting:b",
    ]


def source(name: str, *, since: int = 0, unread: float = -60.0, **changed: Any) -> dict[str, Any]:
    """An account that SalesBinder is read for; ``since`` is for how many minutes there has been trouble."""
    row = {"account": name, "now": NOON, "trouble": None, "trouble_text": "", "trouble_since": None}
    if changed.get("trouble"):
        row["trouble_since"] = NOON - since * MINUTE
    return row | {"unread_seconds": unread} | changed


def test_trouble_of_salesbinder_is_told_once_it_lasts_and_a_refused_key_at_once() -> None:
    sources = [
        source("a"),
        source("b", trouble="salesbinder_blocked", trouble_text="429", since=14),
        source("c", trouble="salesbinder_unavailable", trouble_text="503", since=15, unread=9999.0),
        source("d", trouble="salesbinder_key_refused", trouble_text="401"),
        source("e", unread=3601.0),
        source("f", unread=3600.0),
    ]
    found = standing([], [], [], [], HOUR, sources)
    assert keys(found) == [
        "source_trouble:c:salesbinder_unavailable",
        "source_trouble:d:salesbinder_key_refused",
        "source_unread:e",
    ]
    assert "503" in found[0].text
    assert "sbx source connect d" in found[1].remedy
    assert (found[2].path, "more than 1 h" in found[2].text) == ("/accounts/e/source", True)


def test_a_list_that_stays_odd_is_told_once_however_many_layers_it_concerns() -> None:
    def odd(minutes: int, **changed: Any) -> dict[str, Any]:
        row = {"account": "a", "code": "list_odd", "list": "invoices", "problem": "it is half as long"}
        row |= {"field": "", "value": ""}
        return row | {"remedy": "Look.", "since": NOON - minutes * MINUTE, "now": NOON} | changed

    rows = [odd(15), odd(14, list="orders"), odd(20, code="list_refused")]
    found = standing([], [], [], [], HOUR, (), rows)
    assert keys(found) == ["source_list:a:list_odd:invoices", "source_list:a:list_refused:invoices"]
    assert "invoices" in found[0].text and "it is half as long" in found[0].text
    assert found[0].remedy == "Look."


def test_a_comparison_by_schedule_that_did_not_succeed_is_told() -> None:
    (alert,) = standing([], [], [], [], HOUR, (), (), [{"account": "a", "error": "Xero could not be read"}])
    assert (alert.key, alert.path) == ("reconciliation_broken_off:a", "/accounts/a/reconcile")
    assert "Xero could not be read" in alert.text
    assert "sbx reconcile a" in alert.remedy


def test_a_clock_that_stays_off_is_told() -> None:
    row = {"account": "a", "code": "clock_off", "list": "clock", "problem": "it is 60 minutes behind"}
    row |= {"field": "", "value": "", "remedy": "Set it."}
    (alert,) = standing([], [], [], [], HOUR, (), [row | {"since": NOON - HOUR, "now": NOON}])
    assert "60 minutes behind" in alert.text
    assert alert.remedy == "Set it."


def test_what_was_told_is_not_new_and_what_is_gone_is_over() -> None:
    now = standing([issue(), issue(issue_id="i2")], [], [], [], HOUR)
    begun, over = changes(now, ["issue:i1", "issue:i0"])
    assert keys(begun) == ["issue:i2"]
    assert over == ["issue:i0"]


def test_a_comparison_that_found_something_new_is_told_with_its_documents() -> None:
    row = {"account": "acme", "run_id": "r1", "news": 2, "samples": ["5001", "5002"]}
    (alert,) = standing([], [], [], [row], HOUR)
    assert alert.kind == "reconciliation"
    assert "2 documents differ" in alert.text
    assert "5001, 5002" in alert.text
    assert alert.path == "/accounts/acme/reconcile"
    assert keys(standing([], [], [], [row | {"run_id": "r2"}], HOUR)) == ["reconciliation:acme:r2"], (
        "what is new later is told again"
    )

"""A preview in words: what is counted, and how each event's end is said."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.results import EntryResult
from sbx.cli.preview_report import Line, as_json_line, as_text, failing, summary, summary_text
from sinks.preview import PreviewedCall, PreviewedCommand


def call(number: int, method: str = "PUT", element: int = 1, **more: Any) -> PreviewedCall:
    body = {"Amount": Decimal("10.50")} if method == "PUT" else None
    return PreviewedCall(
        number=number,
        element=element,
        elements=2,
        step="payment",
        method=method,
        path="Payments",
        query={},
        body=body,
        envelope="Payments",
        reads=method == "GET",
        **{"wanted": "", **more},
    )


def line(number: int, state: Any, *calls: PreviewedCall, known: str = "", **more: Any) -> Line:
    entry = EntryResult(
        entry_id=f"e{number}",
        version=1,
        account="acme",
        entity="invoice",
        record_id="d1",
        action="payment_applied",
        state=state,
        queued_at=datetime(2026, 3, 2, tzinfo=UTC),
        **more,
    )
    return Line(number, PreviewedCommand(entry, known, list(calls)))


POSTED = line(1, "completed", call(1), call(2, "GET", wanted="x"), outcome="posted")
FAILED = line(2, "failed", reason_code="number_taken", reason="Taken.", remedy="Change it.")
BEFORE = line(3, "failed", known="ended", reason_code="number_taken")
WAITS = line(4, "queued")
AGAIN = Line(5, FAILED.planned, same_as=2)
ALL = [POSTED, FAILED, BEFORE, WAITS, AGAIN]


def words(*lines: Line) -> str:
    return "\n".join(text for text, _ in as_text(lines))


def test_only_what_is_new_can_fail() -> None:
    assert [failing(one) for one in ALL] == [False, True, False, False, False]


def test_the_summary_counts_calls_once() -> None:
    shared = line(6, "completed", call(1, element=2), outcome="posted")
    total = summary([*ALL, shared])
    assert total == {
        "kind": "summary",
        "events": 6,
        "calls": 2,
        "reads": 1,
        "would_fail": 1,
        "reasons": {"number_taken": 1},
        "would_wait": 1,
        "nothing_new": 2,
    }
    assert summary_text(total) == (
        "6 events; 2 calls to Xero (1 read); 1 would fail (1 number_taken); 1 would wait; 2 already known: "
        "nothing would be sent for them"
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (POSTED, "would be posted"),
        (POSTED, "assumed: nothing else in Xero has that name or number"),
        (POSTED, "PUT Payments   payment (call 1, with 1 other in one call)"),
        (FAILED, "would fail: number_taken: Taken.\n  remedy: Change it."),
        (BEFORE, "already done (number_taken): nothing would be sent\n  to retry it: sbx retry --id e3"),
        (WAITS, "would wait: an earlier action of the record"),
        (AGAIN, "the same event as line 2: nothing to add"),
    ],
)
def test_each_end_in_words(one: Line, said: str) -> None:
    assert said in words(one)


def test_what_serves_two_events_is_shown_once() -> None:
    text = words(POSTED, line(2, "completed", call(1), outcome="posted"))
    assert text.count('"Amount": 10.50') == 1
    assert "the same as for line 1" in text


def test_numbers_keep_their_digits_in_json() -> None:
    row = as_json_line(POSTED)
    assert '"body":{"Payments":[{"Amount":10.50}]}' in row
    assert json.loads(row)["calls"][1]["assumed"].startswith("assumed: nothing else")
    assert json.loads(as_json_line(AGAIN))["same_as_line"] == 2

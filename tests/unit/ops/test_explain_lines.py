"""What `sbx explain` says of an action that waits or failed: one thing to do, and none that cannot work."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, Group

from sbx.cli.explain import _trouble


def told(**more: Any) -> str:
    entry = {
        "entry_id": "e-1",
        "action": "created",
        "event_time": datetime(2026, 3, 2, 9, 5, tzinfo=UTC),
        "state": "queued",
        "reason": None,
        "remedy": None,
        "reason_code": None,
        "next_attempt_at": None,
        "triggered_by": "event",
        **more,
    }
    console = Console(width=200)
    with console.capture() as shown:
        console.print(Group(*_trouble(entry)))
    return shown.get()


def test_what_somebody_has_to_do_is_not_called_nothing_to_do() -> None:
    paused = told(reason_code="account_paused", reason="It is paused.", remedy="Resume it.")
    assert "What to do: Resume it." in paused
    assert "nothing to do" not in paused
    assert "there is nothing to do" in told()


@pytest.mark.parametrize(
    ("reason_code", "triggered_by", "offered"),
    [
        ("number_taken", "event", True),
        ("event_field_missing", "dead_letter", False),
        ("overtaken", "event", False),
        ("event_id_reused", "event", False),
        ("record_unreadable", "source", False),
    ],
)
def test_a_retry_is_offered_where_it_can_work(reason_code: str, triggered_by: str, offered: bool) -> None:
    shown = told(state="failed", reason_code=reason_code, triggered_by=triggered_by)
    assert ("sbx retry --id e-1" in shown) == offered

"""What ``sbx explain`` says of the steps of an action."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from log_projection.story import Record, Story
from sbx.cli.explain import screen, to_json

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

ENTRY: dict[str, Any] = {
    "entry_id": "e1",
    "account": "acme",
    "entity": "invoice",
    "record_id": "r1",
    "record_number": "1042",
    "party_name": "Widgets & Co",
    "action": "created",
    "amount": None,
    "currency": "CAD",
    "state": "completed",
    "outcome": "posted",
    "reason": "",
    "reason_code": None,
    "remedy": "",
    "next_attempt_at": None,
    "event_time": NOW,
    "queued_at": NOW,
    "triggered_by": "event",
    "actor": "",
    "warnings": [],
    "salesbinder_url": "",
}
CALL: dict[str, Any] = {
    "attempt_id": "c1",
    "entry_id": "e1",
    "step": "invoice",
    "method": "PUT",
    "path": "/Invoices",
    "status": 400,
    "refusal": "",
}


def step(minutes: int, word: str, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"reason": "", "reason_code": None, "actor": "", "outcome": None, "detail": None}
    return {"entry_id": "e1", "at": NOW + timedelta(minutes=minutes), "step": word, **plain, **more}


STEPS = (
    step(0, "received"),
    step(1, "call", detail={"attempt_id": "c1"}),
    step(2, "failed", reason="The account is missing.", reason_code="payment_account_missing"),
    step(3, "setting_changed", actor="bob", detail={"setting": "payment_account", "old": None, "new": "090"}),
    step(4, "retried", actor="ann"),
    step(5, "failed", reason="The period is locked.", reason_code="period_locked"),
    step(6, "held", reason="Paused by bob.", reason_code="account_paused"),
    step(7, "retried", actor="bob"),
    step(8, "completed", outcome="posted"),
)
STORY = Story(Record("acme", "invoice", "r1"), [ENTRY], [CALL], [], STEPS)


def test_every_step_is_a_line_with_its_time() -> None:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(screen(STORY))
    lines = [line.strip() for line in captured.get().splitlines()]
    wanted = [
        "2026-03-02 09:01:00 invoice: PUT /Invoices → 400",
        "2026-03-02 09:02:00 failed: The account is missing. (payment_account_missing)",
        "2026-03-02 09:03:00 setting payment_account changed from the default to 090 by bob",
        "2026-03-02 09:04:00 retried by ann",
        "2026-03-02 09:05:00 failed: The period is locked. (period_locked)",
        "2026-03-02 09:06:00 account held: Paused by bob. (account_paused)",
        "2026-03-02 09:07:00 retried by bob",
        "2026-03-02 09:08:00 completed: posted",
    ]
    assert [line for line in lines if line in wanted] == wanted


def test_scripts_get_the_rows() -> None:
    assert to_json(STORY)["steps"] == list(STEPS)

"""Which differences are sent again all at once: those that can be fixed so, and none that would fail."""

from typing import Any, cast

from sbx.actions.drift import State, possible
from sbx.cli.drift import _counted, _wanted


def difference(number: str, **more: Any) -> dict[str, Any]:
    row = {"kind": "invoice", "field": "total", "xero_status": "DRAFT", "information": False}
    return {**row, "id": number, "proposal": "resend", "note": "", **more}


ROWS = [
    difference("draft"),
    difference("approved", xero_status="AUTHORISED", note="fails while edit_authorised is refuse"),
    difference("known", information=True, proposal="adopt", note="nothing of ours was changed"),
]


def test_what_would_fail_is_not_counted_among_what_can_be_sent_again() -> None:
    state = cast(State, type("S", (), {"differences": ROWS})())
    assert possible(state, "resend") == ["draft"]
    assert possible(state, "adopt") == ["draft", "approved"]
    assert [row["id"] for row in _wanted(ROWS, "resend")] == ["draft"]
    assert len(_wanted(ROWS, "adopt")) == 3


def test_one_is_one() -> None:
    assert [_counted(1, "difference"), _counted(2, "difference"), _counted(2, "information")] == [
        "1 difference",
        "2 differences",
        "2 information",
    ]

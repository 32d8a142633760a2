"""Steps that the ledger tells the log once more, up to a hundred of an entry in one message."""

from typing import Any

import pytest

from connections.addresses import Addresses
from contracts.results import encode_result
from sinks.ledger.entries import result_of, step_of_row
from streams.topics import MAX_MESSAGE_BYTES
from tests.unit.planner.pure import command, entry
from tests.unit.resolve.books import NOW


def row(**changes: Any) -> dict[str, Any]:
    failed = {"version": 1, "at": NOW, "step": "failed", "outcome": None, "reason_code": "xero_refused"}
    said = {"reason_args": {"message": "No."}, "warnings": [], "triggered_by": "", "actor": ""}
    return {**failed, **said, **changes}


def test_a_step_says_why_in_words() -> None:
    assert "No." in step_of_row(entry(command("edited"), 1), row()).reason


@pytest.mark.parametrize(
    "long",
    [
        {"reason_args": {"message": "Ж" * 100_000}},
        {"step": "skipped", "warnings": [{"code": "skipped", "text": "Ж" * 100_000}]},
    ],
)
def test_however_long_xeros_words_are_the_steps_fit_a_message(long: dict[str, Any]) -> None:
    """Else the broker refused it, and all results behind it waited with it."""
    failed = entry(command("edited"), 1)
    steps = [step_of_row(failed, row(**long, version=version)) for version in range(100)]

    assert len(encode_result(result_of(failed, Addresses(), steps))) < MAX_MESSAGE_BYTES / 2

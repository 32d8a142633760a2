"""How `sbx log` writes entries: as a table, with ids on request, and as lines while it follows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console

from sbx.cli.log import entries_table, line


def row(**more: Any) -> dict[str, Any]:
    return {
        "entry_id": "11111111-2222-5333-8444-555555555555",
        "queued_at": datetime(2026, 3, 2, 9, 5, tzinfo=UTC),
        "started_at": None,
        "finished_at": None,
        "account": "acme",
        "entity": "invoice",
        "record_number": "5001",
        "record_id": "inv-1",
        "action": "payment_applied",
        "party_name": "Widgets & Co",
        "amount": Decimal("1234.50"),
        "currency": "USD",
        "state": "queued",
        "outcome": None,
        "reason": None,
        "remedy": None,
        "warnings": [],
        "next_attempt_at": None,
        "topic": "salesbinder.invoices",
        "partition": 3,
        "offset": 120,
        **more,
    }


def printed(ids: bool) -> str:
    console = Console(width=240)
    with console.capture() as told:
        console.print(entries_table([row()], ids=ids))
    return told.get()


def test_ids_and_places_are_shown_on_request() -> None:
    assert "11111111" not in printed(ids=False)
    assert "11111111-2222-5333-8444-555555555555" in printed(ids=True)
    assert "salesbinder.invoices/3/120" in printed(ids=True)


def test_a_change_is_one_line() -> None:
    ended = datetime(2026, 3, 2, 9, 6, tzinfo=UTC)
    failed = row(state="failed", reason="The number\nis taken.", finished_at=ended)
    assert line(failed, ids=False) == (
        "03-02 09:06:00  acme  invoice 5001 payment applied  Widgets & Co  1,234.50 USD  failed  "
        "The number is taken."
    )
    assert "salesbinder.invoices/3/120" in line(failed, ids=True)
    assert line(row(state="completed", outcome="not_needed"), ids=False).endswith("completed (not needed)")

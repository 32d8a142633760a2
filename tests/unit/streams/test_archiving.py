"""What a bite writes: every row of an action in the file of one month."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.environment import Environment
from sinks.archive.bite import Chosen
from sinks.archive.rows import month_of
from streams.archiving import archiving_of, lines_of
from tests.unit.archive.test_rows import CUSTOMER, INVOICE, OLD, PAYMENT, element, row

POOL: Any = None


def told(lines: list[bytes]) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in lines]
    return [
        (
            one["row"],
            str(one.get("command_id") or one.get("attempt_id") or one.get("entry_id") or one.get("kind")),
        )
        for one in rows
    ]


def test_an_action_its_entry_and_its_calls_stand_together() -> None:
    ids = [CUSTOMER.command_id, INVOICE.command_id]
    entries = [{"entry_id": one} for one in reversed(ids)]
    attempts = [{"attempt_id": f"{n}:{one}", "entry_id": one} for one in ids for n in (1, 2)]
    lines = lines_of(Chosen([row(CUSTOMER), row(INVOICE)]), entries, attempts)
    assert {month: told(several) for month, several in lines.items()} == {
        month_of(OLD): [
            line
            for one in ids
            for line in (("command", one), ("entry", one), ("attempt", f"1:{one}"), ("attempt", f"2:{one}"))
        ]
    }


def test_what_was_sent_goes_with_its_document_and_of_contacts_with_its_own_month() -> None:
    later = OLD + timedelta(days=31)
    of_invoice = element("invoice", {"Total": 1}, record_id=INVOICE.record_id)
    of_contact = element("contact", {"Name": "A"}, days=100)
    lines = lines_of(Chosen([row(INVOICE), row(PAYMENT, later)], [of_invoice, of_contact]), [], [])
    assert {month: told(several) for month, several in lines.items()} == {
        month_of(later): [
            ("command", INVOICE.command_id),
            ("command", PAYMENT.command_id),
            ("element", "invoice"),
        ],
        month_of(of_contact["created_at"]): [("element", "contact")],
    }


def test_an_action_that_the_log_does_not_have_goes_all_the_same() -> None:
    lines = lines_of(Chosen([row(INVOICE)]), [], [])
    assert told(lines[month_of(OLD)]) == [("command", INVOICE.command_id)]


@pytest.mark.parametrize(
    ("variables", "days"),
    [
        ({}, None),
        ({"SBX_KEEP": "forever"}, None),
        ({"SBX_KEEP": "forever", "SBX_ARCHIVE_DIR": "/a"}, None),
        ({"SBX_ARCHIVE_DIR": "/a"}, 400),
        ({"SBX_ARCHIVE_DIR": "/a", "SBX_KEEP": "90"}, 90),
    ],
)
def test_nothing_goes_without_a_directory_to_go_to(variables: dict[str, str], days: int | None) -> None:
    archiving = archiving_of(POOL, Environment.read(variables))
    assert (archiving and archiving.keep_days) == days
    assert archiving is None or archiving.archive.directory == Path("/a")

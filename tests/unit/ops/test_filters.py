"""Options of `sbx log`, `sbx retry` and `sbx skip` as filters."""

import inspect
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from log_projection.queries import Filters
from sbx.actions.refused import ActionRefused
from sbx.cli.commands.log import log
from sbx.cli.commands.retry import retry, skip
from sbx.cli.errors import BadUsage, in_words
from sbx.cli.filter_options import Options
from sbx.cli.filters import filters


def test_all_commands_have_all_filters() -> None:
    names = {one.name for one in fields(Options)}
    for command in (log, retry, skip):
        assert names < set(inspect.signature(command).parameters)


def test_every_filter_can_be_given() -> None:
    given: dict[str, Any] = {
        "account": "acme",
        "state": "failed",
        "entity": "invoice",
        "action": "created",
        "reason": "number_taken",
        "issue": "0123456789ab",
        "number": "1",
        "record": "r",
        "entry": "e",
        "text": "t",
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00+00:00",
        "period": None,
        "topic": "salesbinder.invoices",
        "partition": 3,
        "offset": "5-9",
    }
    assert set(given) == {one.name for one in fields(Options)}
    made = filters(Options(**given))
    of_the_page = {"entry_ids", "accounts", "not_after"}
    assert {one.name for one in fields(Filters) if getattr(made, one.name) is None} == of_the_page
    assert (made.entry_id, made.offset_from, made.offset_to) == ("e", 5, 9)
    assert made.since == datetime(2026, 1, 1, tzinfo=UTC)


def test_nothing_given_is_everything() -> None:
    assert filters(Options()) == Filters()


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [("120", 120, 120), ("120-180", 120, 180), ("7-7", 7, 7), ("0-", 0, 2**63 - 1)],
)
def test_offsets(written: str, first: int, last: int) -> None:
    made = filters(Options(offset=written))
    assert (made.offset_from, made.offset_to) == (first, last)


def test_a_time_ago() -> None:
    made = filters(Options(since="2h", until="30m"))
    assert made.since is not None
    assert made.until is not None
    assert timedelta(minutes=89) < made.until - made.since < timedelta(minutes=91)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"state": "done"}, "queued, running, completed, failed"),
        ({"entity": "order"}, "customer, supplier, invoice, purchase_order"),
        ({"action": "paid"}, "payment_applied"),
        ({"reason": "tax_unmapped"}, "tax_rate_unmapped"),
        ({"reason": "?"}, "docs/reasons.md"),
        ({"topic": "invoices"}, "salesbinder.invoices"),
        ({"issue": "12"}, "12 characters"),
        ({"offset": "9-5"}, "backwards"),
        ({"offset": "-5"}, "120-180"),
        ({"offset": "9999999999999999999"}, "larger"),
        ({"since": "1h", "until": "2h"}, "is not after"),
        ({"since": "2026-01-02", "until": "2026-01-02"}, "is not after"),
        ({"period": "lately"}, "last_month"),
        ({"text": "x" * 256}, "255"),
        ({"since": "soon"}, "2h"),
        ({"since": "999999w"}, "2h"),
        ({"until": "0001-01-01"}, "2h"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(given: dict[str, Any], says: str) -> None:
    with pytest.raises((BadUsage, ActionRefused)) as refused:
        filters(Options(**given))
    assert (words := in_words(refused.value)) is not None and words.exit_code == 2
    assert says in f"{words.problem}; {words.remedy}"

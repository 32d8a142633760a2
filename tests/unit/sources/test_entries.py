"""The log's entries of records that cannot be read."""

from datetime import timedelta
from typing import get_args

import pytest

from contracts.reasons import CATALOGUE
from contracts.results import EntryResult, decode_result
from sources.entries import entry, has_entry
from sources.problems import Problem, ProblemCode
from tests.unit.sources.records import ACCOUNT, INVOICE, NOON

PROBLEM = Problem(
    "sums_disagree", "invoice", INVOICE, "total_transactions", "60", "none are there", "Compare."
)


def read(raw: bytes) -> EntryResult:
    found = decode_result(raw)
    assert isinstance(found, EntryResult)
    return found


@pytest.mark.parametrize("code", get_args(ProblemCode))
def test_every_problem_is_a_reason_of_the_catalogue(code: str) -> None:
    assert CATALOGUE[code].kind == "source"


def test_a_problem_is_one_entry_that_completes_once_it_is_over() -> None:
    topic, key, value = entry(ACCOUNT, PROBLEM, NOON)
    begun = read(value)
    assert (topic, key) == ("integration.results", f"{ACCOUNT}/{INVOICE}".encode())
    assert (begun.state, begun.reason_code, begun.remedy) == ("failed", "sums_disagree", "Compare.")
    assert f"invoice {INVOICE}" in begun.reason
    assert entry(ACCOUNT, PROBLEM, NOON)[2] == value
    ended = read(entry(ACCOUNT, PROBLEM, NOON, NOON + timedelta(hours=1))[2])
    assert (ended.entry_id, ended.version, ended.state, ended.outcome) == (
        begun.entry_id,
        1,
        "completed",
        "not_needed",
    )
    again = read(entry(ACCOUNT, PROBLEM, NOON + timedelta(days=1))[2])
    assert again.entry_id != begun.entry_id


@pytest.mark.parametrize(
    ("entity", "code", "has"),
    [
        ("invoice", "sums_disagree", True),
        ("invoices", "list_odd", False),
        ("invoices", "rows_not_shown", False),
        ("invoice", "status_unknown", False),
    ],
)
def test_lists_and_what_needs_nothing_have_no_entry(entity: str, code: str, has: bool) -> None:
    assert has_entry(entity, code) is has

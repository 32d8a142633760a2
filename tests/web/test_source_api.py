"""What the API says of sources and of comparisons with Xero."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import msgspec
import psycopg
import pytest

from sbx.web.api.openapi import description
from sources.batch import Batch
from sources.problems import Problem
from sources.reconcile import runs
from sources.reconcile.reconciler import BY_SCHEDULE
from sources.reconcile.result import Result
from sources.store import keeping
from tests.web.office import Client, Office
from tests.web.sample import connect
from tests.web.test_reconcile import FAILED, RIGHT, compared, read

PROBLEM = Problem("record_unclear", "invoice", "d1", "total_price", "'abc'", "no number", "Correct it.")


@pytest.fixture
def program(office: Office) -> Client:
    office.user("ann")
    connect(office)
    return office.api("ann")


def checked(answer: Any, schema: str) -> Any:
    """The answer's JSON, which is as it is described."""
    assert answer.status == 200, answer.text
    whole = description()["components"]
    jsonschema.validate(answer.json, whole["schemas"][schema] | {"components": whole})
    return answer.json


def differing(number: int, day: date | None) -> Result:
    one = msgspec.structs.replace(FAILED.compared, record_id=f"d{number:03}", day=day)
    return msgspec.structs.replace(FAILED, compared=one)


def test_a_source_says_how_it_is_read_and_what_to_do(office: Office, program: Client) -> None:
    assert program.get("/api/v1/accounts/acme/source").status == 404
    assert checked(program.get("/api/v1/sources"), "Sources") == {"sources": []}
    read(office)

    async def problem(connection: psycopg.AsyncConnection[Any]) -> None:
        await keeping.keep(connection, "acme", Batch(problems=[PROBLEM]), datetime.now(UTC))

    office.do(problem)
    source = checked(program.get("/api/v1/accounts/acme/source"), "Source")
    assert (source["state"], source["reason"], source["problem_count"]) == ("read", "", 1)
    assert source["problems"][0]["remedy"] == "Correct it."
    assert "key" not in source
    office.rows(
        "UPDATE source.accounts SET trouble = 'salesbinder_blocked', trouble_since = now() RETURNING 1"
    )
    (source,) = checked(program.get("/api/v1/sources"), "Sources")["sources"]
    assert source["state"] == "no_answers"
    assert "too many calls" in source["reason"]
    assert source["remedy"]
    assert program.get("/api/v1/sources", full="1").status == 400


def test_a_comparison_is_told_month_by_month_and_difference_by_difference(
    office: Office, program: Client
) -> None:
    empty = checked(program.get("/api/v1/accounts/acme/reconcile"), "Comparison")
    assert (empty["last"], empty["months"]) == (None, [])
    assert "not connected to SalesBinder" in empty["obstacle"]
    read(office)
    days = [date(2026, 1, 5), date(2026, 1, 5), date(2026, 2, 1), None]
    compared(office, RIGHT, *(differing(n, day) for n, day in enumerate(days)))
    found = checked(program.get("/api/v1/accounts/acme/reconcile"), "Comparison")
    assert found["last"]["actor"] == BY_SCHEDULE
    assert sum(each["differing"] for each in found["months"]) == 4
    assert all(isinstance(each["xero"]["total"], str) for each in found["months"])
    assert [each["agrees"] for each in found["lines"]].count(False) == 3

    path, shown, cursor = "/api/v1/accounts/acme/reconcile/differences", [], None
    while True:
        given = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = checked(program.get(path, **given), "DifferingDocuments")
        shown += page["differences"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [each["record_id"] for each in shown] == ["d000", "d001", "d002", "d003"]
    first = shown[0]
    assert (first["reason"], first["entry_id"], first["expected"]["total"]) == ("failed", "e1", "108.00")
    assert first["remedy"].startswith("Retry it")
    of_january = program.get(path, since="2026-01-01", until="2026-01-31").json["differences"]
    assert [each["record_id"] for each in of_january] == ["d000", "d001"]

    answer = program.get("/api/v1/accounts/acme/reconcile.csv", until="2026-01-31")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["date"] for row in rows if row["reason"] == "failed"} == {"2026-01-05"}
    assert rows[0]["salesbinder_number"].startswith("'="), "no formula"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "2026"}, "since"),
        ({"until": "2026-01-31T00:00:00Z"}, "until"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"cursor": "?"}, "cursor"),
        ({"cursor": "WyJhIl0"}, "cursor"),
        ({"limit": "501"}, "limit"),
        ({"state": "failed"}, "state"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    program: Client, query: dict[str, str], field: str
) -> None:
    answer = program.get("/api/v1/accounts/acme/reconcile/differences", **query)
    assert (answer.status, answer.json["error"]["field"]) == (400, field)


def test_a_comparison_that_broke_off_says_why(office: Office, program: Client) -> None:
    read(office)

    async def broken(connection: psycopg.AsyncConnection[Any]) -> None:
        run_id = await runs.ask(connection, "acme", "ann")
        await runs.finish(connection, "acme", run_id, "an internal error: odd\0one")

    office.do(broken)
    found = checked(program.get("/api/v1/accounts/acme/reconcile"), "Comparison")
    assert (found["last"], found["error"]["error"]) == (None, "an internal error: odd\ufffdone")
    assert program.get("/api/v1/accounts/acme/source").json["comparison"]["error"] == found["error"]["error"]


def test_others_accounts_are_not_there(office: Office, program: Client) -> None:
    read(office)
    office.user("eve", accounts=["other"])
    eve = office.api("eve")
    assert eve.get("/api/v1/sources").json == {"sources": []}
    for path in ("source", "reconcile", "reconcile/differences", "reconcile.csv"):
        assert eve.get(f"/api/v1/accounts/acme/{path}").status == 404, path

"""SalesBinder and Xero side by side on the page."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from typer.testing import CliRunner

from sbx.cli.command_line import app
from sbx.notify import worker
from sbx.web import comparison_csv
from sources.reconcile import runs
from sources.reconcile.months import Months
from sources.reconcile.result import Result
from sources.reconcile.why import Reason
from sources.store import store
from tests.unit.sources.reconcile_papers import book, paid, shop, side_by_side
from tests.web.drifted import delivering
from tests.web.office import Client, Office
from tests.web.sample import connect

PATH = "/accounts/acme/reconcile"
_TAKEN = """
INSERT INTO source.scans (account, key, finished)
SELECT 'acme', 'all/' || listing,
       convert_to('{"started": "2026-03-01T00:00:00Z", "asked": "2026-03-01T00:00:00Z", "count": 1}', 'UTF8')
FROM unnest(ARRAY['customers', 'suppliers', 'invoices', 'orders']) AS listing RETURNING 1
"""
_READ = "INSERT INTO source.leases VALUES ('acme', 1, 1, now() + interval '1 hour') RETURNING 1"


@pytest.fixture
def client(office: Office) -> Iterator[Client]:
    office.user("ann")
    connect(office)
    with delivering(office):
        yield office.client("ann")


def read(office: Office) -> None:
    """The account's SalesBinder is connected, its lists are read, and a worker reads it."""

    async def connected(connection: psycopg.AsyncConnection[Any]) -> None:
        await store.connect(connection, "acme", b"key")

    office.do(connected)
    office.rows(_TAKEN)
    office.rows(_READ)


def compared(office: Office, *results: Result) -> None:
    """A comparison that has ended with these results."""
    months = Months()
    for each in results:
        months.add(each.compared)

    async def keep(connection: psycopg.AsyncConnection[Any]) -> None:
        run_id = await runs.ask(connection, "acme", "reconcile_every")
        await runs.open_run(connection, "acme")
        await runs.keep_results(connection, "acme", run_id, results, ("", ""), months.all())
        await runs.finish(connection, "acme", run_id, None)

    office.do(keep)


FAILED = Result(
    compared=side_by_side(paid("108.00", number="=5001", party="<Bolt>"), book()),
    reason=Reason(code="failed", text="it failed", remedy="Retry it: 'sbx retry'.", entry_id="e1"),
)
RIGHT = Result(compared=side_by_side(shop(), book()), reason=None)


def test_what_cannot_be_compared_says_why(office: Office, client: Client) -> None:
    page = client.get(PATH).text
    assert "never been compared" in page
    assert "not connected to SalesBinder" in page
    answer = client.form(PATH, {"form_token": client.mark()})
    assert (answer.status, "not connected to SalesBinder" in answer.text) == (409, True)
    assert office.rows("SELECT 1 FROM source.reconciliations") == []


def test_it_is_compared_once_however_often_it_is_asked_for_and_written_down(
    office: Office, client: Client
) -> None:
    read(office)
    for _ in range(2):
        assert client.form(PATH, {"form_token": client.mark()}).status == 303
    assert "In progress" in client.get(PATH).text
    assert len(office.rows("SELECT 1 FROM source.reconciliations")) == 1
    acts = office.rows("SELECT actor, target->>'account' AS account FROM web.acts WHERE act = 'reconcile'")
    assert {(row["actor"], row["account"]) for row in acts} == {("ann", "acme")}


def test_a_month_that_agrees_is_one_line(office: Office, client: Client) -> None:
    read(office)
    compared(office, RIGHT)
    page = client.get(PATH).text
    assert "2026-03: agrees, 1 invoice 108.00 NZD" in page
    assert "Nothing differs." in page
    assert "by the schedule" in page


def test_what_differs_is_shown_with_its_reason_and_what_to_do(office: Office, client: Client) -> None:
    read(office)
    compared(office, FAILED)
    page = client.get(PATH).text
    assert "2026-03: 1 of 1 document differs" in page
    assert "&lt;Bolt&gt;" in page
    assert "It failed" in page
    assert "/entries/e1" in page
    assert "<code>sbx retry</code>" in page
    answer = client.get(f"{PATH}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = answer.text.splitlines()
    assert len(lines) == 2
    assert "'=5001" in lines[1]


@pytest.mark.parametrize("chunk", [1, 2, 3, 500])
def test_a_file_that_goes_over_pages_holds_each_document_once(
    office: Office, client: Client, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(comparison_csv, "_CHUNK", chunk)
    read(office)
    ids = [f"i{number}" for number in range(4)]
    each = [msgspec.structs.replace(FAILED.compared, record_id=one) for one in ids]
    compared(office, *(msgspec.structs.replace(FAILED, compared=one) for one in each))
    rows = list(csv.DictReader(client.get(f"{PATH}.csv").data.decode("utf-8-sig").splitlines()))
    assert [row["salesbinder_url"].rpartition("/")[2] for row in rows] == ids


def test_others_accounts_are_not_shown(office: Office, client: Client) -> None:
    read(office)
    compared(office, FAILED)
    office.user("bob", accounts=["other"])
    other = office.client("bob")
    assert [other.get(path).status for path in (PATH, f"{PATH}.csv")] == [404, 404]


def test_the_command_prints_a_line_per_month_and_each_difference(
    office: Office, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SBX_DATABASE_URL", office.database_url)
    monkeypatch.setenv("SBX_DATA_DIR", str(office.data_dir))

    def sbx(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["reconcile", "acme", *arguments])
        return done.exit_code, done.stdout

    read(office)
    assert "were never compared" in sbx("--last")[1]
    early = side_by_side(shop(id="i0", created=datetime(2025, 1, 1, tzinfo=UTC)))
    reason = Reason(code="before_cutoff", text="old", remedy="None.")
    compared(office, FAILED, Result(compared=msgspec.structs.replace(early, record_id="i0"), reason=reason))
    code, said = sbx("--last", "--csv", str(tmp_path / "all.csv"))
    assert code == 0
    assert said.splitlines()[0] == (
        "2026-03: 1 of 1 document differs; 1 from before the cut-off, not meant to be in Xero"
    )
    assert "it failed (entry e1)" in said
    assert len((tmp_path / "all.csv").read_text("utf-8-sig").splitlines()) == 3
    lines = [json.loads(line) for line in sbx("--last", "--json", "--check")[1].splitlines()]
    assert [(line["kind"], line.get("reason")) for line in lines] == [
        ("invoice", "before_cutoff"),
        ("invoice", "failed"),
        ("summary", None),
    ]
    assert lines[1]["xero"]["paid"] == "0.00"
    assert (lines[2]["differences"], lines[2]["unknown"], lines[2]["months"][0]["differing"]) == (2, 0, 1)
    assert sbx("--last", "--from", "2026-03-03")[1] == "there are no documents to compare\n"
    unknown = msgspec.structs.replace(FAILED, reason=Reason(code="unknown", text="no", remedy="Look."))
    compared(office, unknown)
    assert sbx("--last", "--check")[0] == 1
    assert sbx("--last", "--check", "--to", "2026-03-01")[0] == 0


def test_people_are_notified_of_what_is_new_once(office: Office, client: Client) -> None:
    def told() -> list[tuple[int, list[str]]]:
        with psycopg.connect(office.database_url) as connection:
            rows = connection.execute(worker._SQL["reconciled"]).fetchall()
        return [(row[2], row[3]) for row in rows]

    read(office)
    compared(office, FAILED)
    assert told() == [(1, ["5001"])]
    compared(office, FAILED)
    rows = office.rows("SELECT news FROM source.reconciliations ORDER BY finished_at")
    assert [row["news"] for row in rows] == [1, 0]
    assert told() == [(1, ["5001"])], "it stays what people were told of"
    compared(office, RIGHT)
    assert told() == []

"""`sbx preview` with a database and nothing else: no Kafka, no worker, no Xero."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connections import store
from tests.integration.ops.sbx import Done, Sbx, environ
from tests.unit.resolve.books import FACTS

SETTINGS = {"payment_account": "090", "sales_tax.8": "OUTPUT", "purchase_tax.8": "INPUT"}


@pytest.fixture
def sbx(database_url: str, tmp_path: Path) -> Sbx:
    return Sbx(environ(tmp_path / "data", SBX_DATABASE_URL=database_url))


async def connect(database_url: str, **settings: str) -> None:
    """Connect acme; no secret of it can be read."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await store.save_connection(
            connection,
            account="acme",
            tenant_id="t",
            tenant_name="Demo",
            client_id="c",
            client_secret_encrypted=b"nobody reads this",
            actor="test",
            enabled_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await store.set_settings(connection, "acme", SETTINGS | settings, "test")


@pytest.fixture
async def connected(database_url: str) -> None:
    """Account acme with facts of its organisation."""
    await connect(database_url)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        facts = replace(FACTS, fetched_at=datetime.now(UTC), item_codes=frozenset({"SB-ITEM"}))
        await store.save_facts(connection, "acme", facts)


def rows(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.fixture
def events(shared_dir: Path) -> str:
    return str(shared_dir / "examples" / "events.jsonl")


@pytest.mark.usefixtures("connected")
def test_examples(sbx: Sbx, events: str) -> None:
    done = sbx("preview", events, "--json")
    assert done.code == 0, done.err + done.out
    *lines, total = rows(done)
    assert [line["line"] for line in lines] == list(range(1, 24))
    assert {line["kind"] for line in lines} == {"event"}
    assert total["kind"] == "summary"
    assert (total["events"], total["would_fail"], total["reasons"]) == (23, 0, {})
    made = lines[2]
    [call] = [call for call in made["calls"] if call["step"] == "invoice"]
    assert (call["method"], call["path"]) == ("PUT", "Invoices")
    assert call["body"]["Invoices"][0]["InvoiceNumber"] == "5001"
    assert {c["call"] for line in lines for c in line["calls"]} == set(range(1, total["calls"] + 1))


@pytest.mark.usefixtures("connected")
def test_words_for_people(sbx: Sbx, events: str) -> None:
    done = sbx("preview", events)
    assert done.code == 0, done.err + done.out
    assert "line 3 · invoice created · 5001 · " in done.out
    assert "PUT Invoices   invoice (call " in done.out
    assert '"InvoiceID": "(new invoice 5001)"' in done.out
    assert done.out.count('"Name": "Widgets & Company"') == 1, "line 9 needs the same contact"
    assert "the same as for line 3" in done.out
    assert done.out.splitlines()[-1].startswith("23 events; ")
    assert "planned for Demo as Xero described it" in done.err


@pytest.mark.usefixtures("connected")
def test_what_would_fail_is_explained(sbx: Sbx, events: str) -> None:
    assert sbx("settings", "set", "acme", "sales_tax.8=").code == 0
    done = sbx("preview", events)
    assert done.code == 1
    assert "would fail: tax_rate_unmapped: " in done.out
    assert "  remedy: " in done.out
    assert "tax_rate_unmapped" in done.out.splitlines()[-1]
    assert not [line for line in done.err.splitlines() if line.startswith("error")]


@pytest.mark.usefixtures("connected")
def test_one_account_of_a_file(sbx: Sbx, events: str) -> None:
    own = Path(events).read_text(encoding="utf-8")
    first = own.splitlines()[0]
    text = f"{first.replace('/salesbinder/acme', '/salesbinder/other')}\n{first}\n{first}\n"
    done = sbx("preview", "-", "--account", "acme", "--json", stdin=text)
    assert done.code == 0, done.err
    new, again, total = rows(done)
    assert (new["line"], new["known"], len(new["calls"])) == (2, "", 1)
    assert (again["line"], again["known"], again["same_as_line"], again["calls"]) == (3, "repeated", 2, [])
    assert (total["events"], total["nothing_new"]) == (2, 1)
    everything = sbx("preview", "-", stdin=text)
    assert everything.code == 1
    assert "sbx connect other" in everything.err
    assert everything.out == ""


async def test_what_must_be_done_before(sbx: Sbx, database_url: str, events: str) -> None:
    done = sbx("preview", events)
    assert (done.code, done.out) == (1, "")
    assert "sbx connect acme" in done.err
    await connect(database_url)
    done = sbx("preview", events)
    assert (done.code, done.out) == (1, "")
    assert "sbx settings check acme" in done.err


def test_bad_lines_are_named(sbx: Sbx, events: str) -> None:
    first = Path(events).read_text(encoding="utf-8").splitlines()[0]
    done = sbx("preview", "-", stdin=f"{first}\nno json\n")
    assert (done.code, done.out) == (1, "")
    assert "stdin:2: " in done.err
    assert "1 bad line" in done.err
    assert sbx("preview", "nowhere.jsonl").code == 2

"""Live updates, and a database that goes away and comes back."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from sbx.web import database, live
from tests.integration.sinks.shops import PATIENCE
from tests.web.office import Client, Office, entry, serving


def news(events: list[dict[str, str]]) -> list[str]:
    return [json.loads(event["data"])["entry_id"] for event in events]


def test_a_stream_goes_on_behind_the_last_event_seen(office: Office) -> None:
    office.user("ann")
    program = office.api("ann")
    office.log(entry("a"), entry("b"))
    first = program.events("/api/v1/stream?after=0", 2)
    assert news(first) == ["a", "b"]
    assert [event["event"] for event in first] == ["entry", "entry"]
    office.log(entry("a", 1, "running"))

    [again] = program.events("/api/v1/stream", 1, **{"Last-Event-ID": first[-1]["id"]})
    assert json.loads(again["data"])["state"] == "running"
    assert int(again["id"]) > int(first[-1]["id"])


def test_what_changes_arrives_without_asking_again(office: Office) -> None:
    office.user("ann")
    program = office.api("ann")
    office.log(entry("old"))
    heard: list[dict[str, str]] = []
    listener = threading.Thread(
        target=lambda: heard.extend(program.events("/api/v1/stream?state=failed", 2)), daemon=True
    )
    listener.start()
    until = time.monotonic() + PATIENCE
    number = 0
    while listener.is_alive() and time.monotonic() < until:
        number += 1
        office.log(entry(f"q{number}"), entry(f"f{number}", 1, "failed", reason_code="x"))
        listener.join(0.2)

    assert len(heard) == 2
    assert all(entry_id.startswith("f") for entry_id in news(heard))


def test_page_gets_ready_rows_what_is_gone_and_the_counts(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    office.log(entry("a", 1, "failed", reason_code="x"), entry("b"))
    [event] = client.events("/live?state=failed&after=0", 1)
    message = json.loads(event["data"])

    assert [row["id"] for row in message["rows"]] == ["a"]
    assert 'id="e-a"' in message["rows"][0]["html"]
    assert message["gone"] == ["b"]
    assert (message["tally"]["failed"], message["tally"]["all"], message["reload"]) == (1, 2, False)


def test_who_is_far_behind_is_told_to_read_anew(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    office.log(*(entry(f"e{n}") for n in range(live.MOST + 1)))
    [event] = client.events("/live?after=0", 1)

    assert json.loads(event["data"])["reload"] is True


@contextmanager
def database_away(office: Office) -> Iterator[None]:
    """Nobody gets into the database, and whoever was in it is out."""
    server, _, name = office.database_url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        nobody = "SELECT count(pg_terminate_backend(pid)) = 0 FROM pg_stat_activity WHERE datname = %s"
        until = time.monotonic() + PATIENCE
        # One that was let in before may not be there to be thrown out yet.
        while connection.execute(nobody, [name]).fetchone() != (True,):
            assert time.monotonic() < until
            time.sleep(0.05)
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def wait_for(client: Client, path: str, status: int) -> None:
    until = time.monotonic() + PATIENCE
    while (answer := client.get(path)).status != status:
        assert time.monotonic() < until, answer.text
        time.sleep(0.2)


@pytest.fixture
def impatient(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """A page that waits for a database as long as people are asked to."""
    with serving(database_url, tmp_path, database._PATIENCE_SECONDS) as running:
        yield running


def test_without_a_database_it_says_so_and_recovers_by_itself(impatient: Office) -> None:
    office = impatient
    office.user("ann")
    client, program = office.client("ann"), office.api("ann")
    [entry_id] = office.failed_invoices(1)
    mark = client.mark()
    with database_away(office):
        page = client.get("/")
        assert (page.status, "The database is not responding" in page.text) == (503, True)
        assert int(page.headers["retry-after"]) > 0
        answer = program.get("/api/v1/entries")
        assert (answer.status, answer.json["error"]["code"]) == (503, "database_away")
        assert program.get("/api/v1/entries.csv").status == 503
        assert client.form("/act", {"form_token": mark, "do": "retry", "entry": entry_id}).status == 503
        assert client.get("/healthz").status == 200

    wait_for(client, "/", 200)
    wait_for(program, "/api/v1/entries", 200)
    until = time.monotonic() + PATIENCE
    while (done := client.form("/act", {"form_token": mark, "do": "retry", "entry": entry_id})).status == 503:
        assert time.monotonic() < until, done.text
    assert done.status == 303
    # The listener is back, too: a change is heard of without anybody asking.
    heard: list[dict[str, str]] = []
    follower = threading.Thread(target=lambda: heard.extend(program.events("/api/v1/stream", 1)), daemon=True)
    follower.start()
    for number in range(1000):
        office.log(entry(f"n{number}"))
        follower.join(0.2)
        if not follower.is_alive():
            break
    assert len(heard) == 1


def test_a_connection_that_rests_for_seconds_is_kept(office: Office) -> None:
    """A proxy sends its next request on it."""
    kept = HTTPConnection(urlsplit(office.url).netloc, timeout=PATIENCE)
    try:
        for pause in (7, 0):  # servers close after five seconds unless they are told otherwise
            kept.request("GET", "/healthz")
            answer = kept.getresponse()
            assert (answer.status, answer.read()) == (200, Client(office.url).get("/healthz").data)
            time.sleep(pause)
    finally:
        kept.close()


def test_without_tables_it_says_what_to_do(office: Office) -> None:
    with psycopg.connect(office.database_url) as connection:
        connection.execute("DROP SCHEMA web CASCADE")
    answer = Client(office.url, token="sbx_any").get("/api/v1/entries")

    assert (answer.status, answer.json["error"]["code"]) == (503, "database_not_migrated")
    assert "sbx migrate" in answer.json["error"]["message"]

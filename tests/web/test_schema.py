"""The page before a database of another version than its own program's: it says so, and goes on by itself."""

import time

import psycopg

from tests.integration.sinks.shops import PATIENCE
from tests.web.office import Client, Office

_ADD = "INSERT INTO public.sbx_migrations (package, name, checksum, breaks) VALUES ('sinks', %s, 'x', %s)"
_REMOVE = "DELETE FROM public.sbx_migrations WHERE package = %s AND name = %s RETURNING *"


def _wait_for(client: Client, path: str, status: int) -> None:
    until = time.monotonic() + PATIENCE
    while (found := client.get(path).status) != status:
        assert time.monotonic() < until, found
        time.sleep(0.1)


def test_a_newer_database_that_this_program_cannot_live_with(office: Office) -> None:
    office.user("ann")
    client, program = office.client("ann"), office.api("ann")
    with psycopg.connect(office.database_url, autocommit=True) as connection:
        connection.execute(_ADD.encode(), ["990_later.sql", True])
        _wait_for(client, "/", 503)
        page = client.get("/")
        assert "newer than this program" in page.text
        assert "sinks/990_later.sql" in page.text
        assert "start the version that brought it" in page.text
        assert int(page.headers["retry-after"]) > 0
        answer = program.get("/api/v1/entries")
        assert (answer.status, answer.json["error"]["code"]) == (503, "database_not_migrated")
        assert client.get("/healthz").status == 200
        connection.execute(_REMOVE.encode(), ["sinks", "990_later.sql"])
    _wait_for(client, "/", 200)


def test_an_older_database(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    with psycopg.connect(office.database_url, autocommit=True) as connection:
        row = connection.execute(_REMOVE.encode(), ["web", "001_users.sql"]).fetchone()
        assert row is not None
        _wait_for(client, "/", 503)
        assert "older than this program" in client.get("/").text
        assert "sbx migrate" in client.get("/").text
        connection.execute(_ADD.replace("'sinks'", "'web'").encode(), ["001_users.sql", False])
    _wait_for(client, "/", 200)


def test_a_newer_database_that_only_has_more_is_fine(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    with psycopg.connect(office.database_url, autocommit=True) as connection:
        connection.execute(_ADD.encode(), ["990_later.sql", False])
    until = time.monotonic() + 7  # longer than the page believes what it saw
    while time.monotonic() < until:
        assert client.get("/").status == 200
        time.sleep(0.5)


def test_a_read_only_database_is_told_from_one_that_is_away(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    mark = client.mark()
    admin, _, name = office.database_url.rpartition("/")
    with psycopg.connect(f"{admin}/postgres", autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
    until = time.monotonic() + PATIENCE
    while True:
        answer = client.form("/act", {"form_token": mark, "do": "retry", "entry": "0" * 32})
        if "accepts no changes" in answer.text:
            break
        assert time.monotonic() < until, answer.text
        time.sleep(0.2)
    assert answer.status == 503

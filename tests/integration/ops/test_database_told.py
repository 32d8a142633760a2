"""What ``sbx status`` and other commands say of a database that is there and does not serve."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.ops.sbx import Sbx, environ

_LATER = "INSERT INTO public.sbx_migrations (package, name, checksum, breaks) VALUES ('sinks', %s, 'x', %s)"


@pytest.fixture
def sbx(database_url: str, tmp_path: Path) -> Sbx:
    """The command with a database alone."""
    return Sbx(environ(tmp_path / "data", SBX_DATABASE_URL=database_url))


def _execute(url: str, statement: str, *parameters: object) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode(), parameters)


def _read_only(url: str) -> None:
    admin, _, name = url.rpartition("/")
    _execute(f"{admin}/postgres", f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')


def _older(url: str) -> None:
    _execute(url, "DELETE FROM public.sbx_migrations WHERE package = 'sinks' AND name LIKE %s", "002%")


def _newer(url: str) -> None:
    _execute(url, _LATER, "990_later.sql", True)


def _without_tables(url: str) -> None:
    _execute(url, "DROP TABLE public.sbx_migrations")


@pytest.mark.parametrize(
    ("spoil", "problem", "remedy"),
    [
        (_read_only, "takes no changes: it is read-only", "point SBX_DATABASE_URL at the primary"),
        (_older, "is older than this program: it lacks sinks/002", "run 'sbx migrate'"),
        (_newer, "cannot work with sinks/990_later.sql", "start the version that brought it"),
        (_without_tables, "is older than this program: it lacks", "run 'sbx migrate'"),
    ],
)
def test_status_says_what_is_wrong_and_what_to_do(
    spoil: Callable[[str], None], problem: str, remedy: str, sbx: Sbx, database_url: str
) -> None:
    assert not _of_the_database(sbx)
    spoil(database_url)
    found = sbx("status", "--json")
    assert found.code == 1
    [told] = _of_the_database(sbx)
    assert f"the database postgresql://sbx@127.0.0.1:{urlsplit(database_url).port}" in told
    assert problem in told
    assert told.endswith(remedy) or remedy in told.rpartition(";")[2]


def test_accounts_are_shown_while_the_database_takes_no_changes(sbx: Sbx, database_url: str) -> None:
    _execute(database_url, "INSERT INTO web.setups (account, steps_left) VALUES ('acme', 3)")
    _read_only(database_url)
    assert [one["name"] for one in sbx("status", "--json").json["accounts"]] == ["acme"]


def test_status_says_nothing_of_a_newer_database_that_older_programs_can_live_with(
    sbx: Sbx, database_url: str
) -> None:
    _execute(database_url, _LATER, "990_later.sql", False)
    assert not _of_the_database(sbx)


def _of_the_database(sbx: Sbx) -> list[str]:
    return [line for line in sbx("status", "--json").json["problems"] if line.startswith("the database")]


def test_an_organisation_whose_name_holds_a_nul_is_connected(sbx: Sbx, database_url: str) -> None:
    with FakeXeroServer() as xero:
        tenant = xero.admin.add_tenant("Nul\0 & Sons")
        xero.admin.connections(client_id=xero.client_id, connect=[tenant])
        done = sbx(
            *("connect", "acme", "--client-id", xero.client_id, "--tenant", tenant),
            SBX_XERO_API_URL=xero.url,
            SBX_XERO_IDENTITY_URL=xero.url,
            SBX_XERO_CLIENT_SECRET=xero.client_secret,
        )
    assert "acme is connected" in done.out, done.err
    with psycopg.connect(database_url) as connection:
        [[name]] = connection.execute("SELECT tenant_name FROM connections.accounts").fetchall()
    assert name == "Nul\ufffd & Sons"

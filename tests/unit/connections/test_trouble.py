"""Whose an error is, by SQLSTATE class."""

import psycopg
import pytest
from psycopg_pool import PoolTimeout
from structlog.testing import capture_logs

from runtime.schema import difference
from runtime.spells import REMIND_SECONDS, Spell
from runtime.trouble import SchemaDiffers, Withheld, about_the_schema, in_words, whose


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        *((state, "data") for state in ("22P05", "22001", "23505", "21000", "44000", "54000")),
        *(
            (state, "database")
            for state in [
                "08006",
                "25006",
                "25P03",
                "25P02",
                "28P01",
                "28000",
                "3D000",
                "3F000",
                "40001",
                "40P01",
                "42501",
                "42P01",
                "42703",
                "53000",
                "53100",
                "53200",
                "53300",
                "55P03",
                "55006",
                "57014",
                "57P01",
                "57P02",
                "57P03",
                "58030",
                "58P01",
                "XX000",
                "XX001",
                "F0000",
                "26000",
                "0A000",
            ]
        ),
        *((state, "ours") for state in ("42601", "42P02", "2F000", "P0001", "34000", "42702")),
    ],
)
def test_by_class(state: str, expected: str) -> None:
    error = psycopg.errors.lookup(state)("said") if state in psycopg.errors._sqlcodes else _unknown(state)
    assert whose(error) == expected


def _unknown(state: str) -> psycopg.Error:
    error = psycopg.DatabaseError("said")
    error.sqlstate = state
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("server closed the connection"), "database"),
        (psycopg.InterfaceError("the connection is closed"), "database"),
        (PoolTimeout("couldn't get a connection"), "database"),
        (ConnectionResetError(), "database"),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), "data"),
        (ValueError("year 10000"), "data"),
        (psycopg.ProgrammingError("the query has 2 placeholders"), "ours"),
        (psycopg.OperationalError("number of parameters must be between 0 and 65535"), "data"),
        (KeyError("x"), "ours"),
    ],
)
def test_without_a_state(error: Exception, expected: str) -> None:
    assert whose(error) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('connection failed: FATAL:  password authentication failed for user "sbx"', "login"),
        ('FATAL:  database "gone" does not exist', "no_database"),
        ("FATAL:  sorry, too many clients already", "full"),
        ('FATAL:  too many connections for role "sbx"', "full"),
        ('FATAL:  too many connections for database "sbx"', "full"),
        ('FATAL:  role "sbx" does not exist', "login"),
        ("FATAL:  the database system is starting up", "ending"),
        ("connection refused", "away"),
    ],
)
def test_words_of_what_libpq_says_without_a_state(text: str, kind: str) -> None:
    assert in_words(psycopg.OperationalError(text)).kind == kind


def test_what_the_database_cannot_hold_is_no_database_that_is_away() -> None:
    """A remedy that says to start PostgreSQL would be wrong."""
    words = in_words(psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"))
    assert "cannot hold what was sent" in words.problem
    assert "start" not in words.remedy


@pytest.mark.parametrize(
    ("applied", "remedy"),
    [({}, "run 'sbx migrate'"), ({"a/1": False, "a/2": True}, "start the version that brought it")],
)
def test_a_schema_that_differs_has_the_remedy_of_its_side(applied: dict[str, bool], remedy: str) -> None:
    words = in_words(SchemaDiffers(difference(applied, ["a/1"])))
    assert (words.kind, words.remedy) == ("schema", remedy)
    assert remedy not in words.problem


def test_what_is_withheld_is_waited_for_in_its_own_words() -> None:
    error = Withheld("the ledger is behind what was sent from it; run 'sbx recover'")
    assert whose(error) == "database"
    assert in_words(error) == ("held", "the ledger is behind what was sent from it", "run 'sbx recover'")


def test_a_database_without_tables_is_of_another_schema() -> None:
    assert about_the_schema(psycopg.errors.UndefinedTable("x"))
    assert not about_the_schema(psycopg.errors.ReadOnlySqlTransaction("x"))


def test_a_spell_is_told_once_then_once_a_minute() -> None:
    now = [0.0]
    spell = Spell(lambda: now[0])
    with capture_logs() as logs:
        for _ in range(1000):
            spell.trouble(psycopg.errors.ReadOnlySqlTransaction("x"))
            now[0] += REMIND_SECONDS / 500
        spell.trouble(psycopg.errors.DiskFull("x"))
        spell.over()
        spell.over()
    assert [line["log_level"] for line in logs] == ["warning"] * 3 + ["info"]
    assert "read-only" in logs[0]["problem"]
    assert "disk" in logs[2]["problem"]


def test_what_comes_and_goes_is_told_every_ten_seconds_at_most() -> None:
    now = [0.0]
    spell = Spell(lambda: now[0])
    with capture_logs() as logs:
        for _ in range(200):
            spell.trouble(psycopg.errors.QueryCanceled("x"))
            spell.over()
            now[0] += 0.1
    assert [line["log_level"] for line in logs] == ["warning", "info"] * 2


@pytest.mark.parametrize(
    ("applied", "said"),
    [
        ({"a/001": False, "a/002": False}, ""),
        ({"a/001": False, "a/002": False, "a/003": False}, ""),
        ({"a/001": False, "a/002": False, "a/003": True}, "newer than this program"),
        ({"a/001": False}, "older than this program: it lacks a/002"),
        ({}, "it lacks a/001 and 1 more"),
    ],
)
def test_which_databases_a_program_can_work_with(applied: dict[str, bool], said: str) -> None:
    found = difference(applied, ["a/001", "a/002"])
    assert said in found
    assert bool(said) == bool(found)

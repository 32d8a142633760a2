"""Classify an error of the database by SQLSTATE class: the data's fault, the database's, or ours. Pure.

The classes are those of PostgreSQL's appendix "Error Codes". An error of the data occurs again with the same
data and with no other. An error of the database will be over some day, whichever data is sent, so the process
waits in place. Everything else is a bug in this program.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

Whose = Literal["data", "ours", "database"]

_DATA = frozenset({"21", "22", "23", "44", "54"})
"""Cardinality, data and integrity violations, a view's check, limits such as an index row that is too long:
the fault of the data, whether one row is too large or the whole batch.
"""
_DATABASE = frozenset({"08", "25", "28", "3D", "3F", "40", "53", "55", "57", "58", "72", "F0", "XX"})
"""Connection, transaction state (read-only, ended while idle), login, no such database or schema,
serialization and deadlock, resources (disk, memory, connections), object not ready (lock timeout),
intervention (ending, starting, statement timeout), system errors, snapshot too old, configuration, internal
errors and corruption."""
_NOT_AS_EXPECTED = frozenset(
    {"42501", "42P01", "42703", "42704", "42883", "42P10", "42804", "26000", "0A000"}
)
"""The database has other tables than this program knows, denies access to them, or has plans from before a
migration: somebody is migrating, restoring or granting, and it will be over.
"""
_TOO_MANY_PARAMETERS = "number of parameters must be between"
"""libpq's own words for a statement with more than 65,535 of them; psycopg calls it an operational error."""
_NO_ANSWER = (psycopg.InterfaceError, PoolTimeout, PoolClosed, TooManyRequests, OSError)
_SCHEMA = frozenset({"3F000", "42P01", "42703", "42883", "42P10", "42804"})


class Withheld(psycopg.OperationalError):
    """The database serves, but may not be used for now. ``str()`` says why and, after a semicolon, what to
    do.
    """


class SchemaDiffers(Withheld):
    """The database's tables are of another version than the one that this program works with."""


class Words(NamedTuple):
    """Trouble in one line. ``kind`` stays the same for as long as the trouble does."""

    kind: str
    problem: str
    remedy: str


def whose(error: BaseException) -> Whose:
    """Return whose fault an exception is that was met while working with the database."""
    if not isinstance(error, psycopg.Error):
        if isinstance(error, _NO_ANSWER):
            return "database"
        # psycopg's own checks of its parameters: a NUL in a text, a date that PostgreSQL does not know
        return "data" if isinstance(error, ValueError | TypeError) else "ours"
    state = error.sqlstate
    if state is None:
        if _TOO_MANY_PARAMETERS in str(error):
            return "data"
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return "database"
        return "data" if isinstance(error, psycopg.DataError | psycopg.IntegrityError) else "ours"
    if state[:2] in _DATA:
        return "data"
    return "database" if state[:2] in _DATABASE or state in _NOT_AS_EXPECTED else "ours"


def about_the_database(error: BaseException) -> bool:
    """Return True if waiting is right: the same again comes through once the database serves."""
    return whose(error) == "database"


def about_the_schema(error: BaseException) -> bool:
    """Return True if tables or columns are not those that this program knows."""
    return isinstance(error, SchemaDiffers) or (
        isinstance(error, psycopg.Error) and error.sqlstate in _SCHEMA
    )


def in_words(error: BaseException) -> Words:
    """Return in words what is wrong with the database, and how to fix it."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Withheld):
        problem, _, remedy = text.partition("; ")
        kind = "schema" if isinstance(error, SchemaDiffers) else "held"
        return Words(kind, problem, remedy or "see 'sbx status'")
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if whose(error) == "data":
        return Words("refuses", *_WORDS["refuses"](text))
    if state is None:
        said = text.lower()
        for needle, kind in _WITHOUT_STATE:
            if needle in said:
                return Words(kind, *_WORDS[kind](text))
        return Words("away", *_WORDS["away"](text))
    for known, kind in _KINDS:
        if state.startswith(known):
            return Words(kind, *_WORDS[kind](text))
    return Words("unknown", *_WORDS["unknown"](text))


_WITHOUT_STATE = (
    # libpq gives connection errors no SQLSTATE, only the server's words
    ("password authentication failed", "login"),
    ("pg_hba.conf", "login"),
    ("too many connections", "full"),
    ('role "', "login"),
    ("too many clients", "full"),
    ("remaining connection slots", "full"),
    ('database "', "no_database"),
    ("starting up", "ending"),
    ("shutting down", "ending"),
    ("recovery mode", "ending"),
)
_KINDS = (
    ("25006", "read_only"),
    ("25P03", "ended"),
    ("28", "login"),
    ("3D", "no_database"),
    ("3F", "schema"),
    ("40", "conflict"),
    ("42501", "denied"),
    ("42", "schema"),
    ("53100", "disk"),
    ("53200", "memory"),
    ("53300", "full"),
    ("53", "resources"),
    ("55P03", "locked"),
    ("57014", "timeout"),
    ("57P03", "ending"),
    ("57", "ending"),
    ("58", "system"),
    ("08", "away"),
    ("XX", "system"),
)
_WORDS: dict[str, Callable[[str], tuple[str, str]]] = {
    "read_only": lambda _: (
        "the database takes no changes: it is read-only",
        "point SBX_DATABASE_URL at the primary, or end its read-only mode",
    ),
    "ended": lambda _: ("the database has ended an idle transaction of ours", "nothing: it is done again"),
    "login": lambda text: (
        f"the database refuses the login: {text}",
        "correct user and password in SBX_DATABASE_URL, or pg_hba.conf",
    ),
    "no_database": lambda text: (
        f"there is no such database: {text}",
        "create or restore it, or correct SBX_DATABASE_URL",
    ),
    "schema": lambda _: ("the database schema is missing or out of date", "run 'sbx migrate'"),
    "conflict": lambda text: (f"the database asks for another try: {text}", "nothing: it is done again"),
    "denied": lambda text: (
        f"the database denies our user something: {text}",
        "let the user of SBX_DATABASE_URL own the schemas, or grant it what is named",
    ),
    "disk": lambda _: ("the disk of the database is full", "free some space there"),
    "memory": lambda _: ("the database is out of memory", "give it more, or let it do less"),
    "full": lambda _: (
        "the database takes no more connections",
        "raise its max_connections, or run fewer processes, or lower SBX_DATABASE_CONNECTIONS",
    ),
    "resources": lambda text: (f"the database lacks something: {text}", "see the database's log"),
    "locked": lambda text: (
        f"the database waits for a lock: {text}",
        "end what holds it; see pg_stat_activity",
    ),
    "timeout": lambda text: (
        f"the database ended a statement of ours: {text}",
        "raise its statement_timeout for our user, or see what slows it down",
    ),
    "ending": lambda text: (f"the database is starting or ending: {text}", "wait, or start it"),
    "system": lambda text: (f"the database has a fault of its own: {text}", "see the database's log"),
    "away": lambda text: (
        f"the database does not answer: {text}",
        "start PostgreSQL, or correct SBX_DATABASE_URL; see 'sbx status'",
    ),
    "refuses": lambda text: (f"the database cannot hold what was sent: {text}", "correct that value"),
    "unknown": lambda text: (f"the database refuses: {text}", "see the database's log"),
}

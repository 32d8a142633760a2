"""Say who keeps a migration waiting, while it waits: never wait silently."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

Say = Callable[[str], None]

_SESSION = """
SELECT pid, application_name, client_addr::text, state,
       to_char(xact_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS since,
       to_char(query_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS query_since,
       left(regexp_replace(query, '\\s+', ' ', 'g'), 80) AS query
FROM pg_stat_activity WHERE pid = ANY({})"""
_BLOCKING = _SESSION.format("pg_blocking_pids(%(waiting)s)")
_HOLDING = _SESSION.format(
    "ARRAY(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = 0 "
    "AND objid = %(lock)s AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def holders(connection: psycopg.Connection[Any], lock: int) -> str:
    """Return the sessions that hold an advisory lock; blank if none does."""
    return _in_words(connection.execute(_HOLDING, {"lock": lock}).fetchall())


def blockers(connection: psycopg.Connection[Any], waiting: int) -> str:
    """Return the sessions that ``waiting`` (a process id) waits for; blank if it does not wait."""
    return _in_words(connection.execute(_BLOCKING, {"waiting": waiting}).fetchall())


@contextmanager
def watched(arguments: dict[str, Any], waiting: int, say: Say) -> Iterator[list[str]]:
    """Tell who blocks a session while the block runs; the list holds the last one seen."""
    seen: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        try:
            with psycopg.connect(**arguments, autocommit=True) as connection:
                while not ended.wait(1.0 if seen else 0.2):
                    found = blockers(connection, waiting)
                    if found and seen[-1:] != [found]:
                        say(f"waiting for a lock that is held by {found}")
                        seen.append(found)
        except psycopg.Error as error:
            seen.append(f"somebody (who, the database does not say: {' '.join(str(error).split())})")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _in_words(rows: list[Any]) -> str:
    told = []
    for pid, name, address, state, since, query_since, query in rows:
        said = f"process {pid} ({name or 'no name'}, from {address or 'this machine'}, {state}"
        said += f", in a transaction since {since}" if since else ""
        told.append(said + f", its last query since {query_since}: {query})")
    return "; ".join(told)

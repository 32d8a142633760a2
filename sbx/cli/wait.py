"""``sbx wait --idle``: wait until every event published so far has ended."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import psycopg
from kafka.errors import KafkaError
from psycopg.rows import dict_row

from runtime.environment import Environment
from runtime.sql import load_queries
from sbx.actions.lag import Look, lag
from sbx.cli import environment
from sbx.cli.errors import BadUsage, OperationFailed, of_a_service
from sbx.cli.terminal import plural, say, steps
from streams.broker import Broker

_SQL = load_queries(__file__)
_LOOK_SECONDS = 0.2


def wait(idle: bool, timeout: float) -> None:
    """Run ``sbx wait``."""
    if not idle:
        raise BadUsage("nothing to wait for", "write: sbx wait --idle")
    used = environment.required(kafka=True, database=True)
    with steps() as shown:
        wait_until_idle(used, timeout, lambda still_open: shown(f"Waiting: {still_open}"))
    say("all events have ended", "green")


def wait_until_idle(used: Environment, timeout: float, progress: Callable[[str], None]) -> None:
    """Return when everything published by now has ended. ``progress`` is called with the open work.

    Raises:
        OperationFailed: it has not within ``timeout`` seconds; says what is open.
    """
    until = time.monotonic() + timeout
    with closing(_through_trouble(used)) as phases:
        for still_open in phases:
            progress(still_open)
            if time.monotonic() >= until:
                raise OperationFailed(
                    f"not all events have ended after {timeout:g} s: {still_open}",
                    "see 'sbx status' and 'sbx log --state queued', or wait longer with --timeout",
                )
            time.sleep(_LOOK_SECONDS)


def _through_trouble(used: Environment) -> Generator[str]:
    """Yield the open work until there is none; start again after the broker or the database was
    unavailable.
    """
    while True:
        try:
            yield from _phases(used)
        except (KafkaError, psycopg.Error, OSError) as error:
            if (trouble := of_a_service(error)) is None:
                raise
            yield trouble
        else:
            return


def _phases(used: Environment) -> Generator[str]:
    """Yield the open work, repeatedly, until there is none: stage by stage, in the direction of the flow.

    Each stage's target is set when the stage before it has finished, so that nothing is missed and new events
    are not waited for.
    """
    with (
        Broker(environment.kafka_client(used)) as broker,
        psycopg.connect(**used.psycopg("sbx wait"), autocommit=True, row_factory=dict_row) as database,
    ):
        yield from _until_blank(lag(broker, "transform"))
        yield from _until_blank(lag(broker, "deliver"))
        yield from _until_blank(_ledger(database))
        yield from _until_blank(_outbox(database))
        yield from _until_blank(lag(broker, "project"))


def _until_blank(look: Look) -> Iterator[str]:
    while still_open := look():
        yield still_open


def _ledger(database: psycopg.Connection[dict[str, Any]]) -> Look:
    marks = database.execute(_SQL["marks"]).fetchone()

    def look() -> str:
        rows = database.execute(_SQL["open"], marks).fetchall()
        return ", ".join(
            f"{plural(row['commands'], 'action')} of {row['account']}"
            + (f" ({row['waiting']:,} waiting for another attempt)" if row["waiting"] else "")
            for row in rows
        )

    return look


def _outbox(database: psycopg.Connection[dict[str, Any]]) -> Look:
    mark = database.execute(_SQL["last_outbox"]).fetchone()

    def look() -> str:
        row = database.execute(_SQL["outbox"], mark).fetchone()
        count = row["results"] if row else 0
        return f"{plural(count, 'result')} to be published" if count else ""

    return look

"""Check every few seconds for alerts, and deliver them until the receiver has them."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row

from runtime import schema
from runtime.environment import Environment
from runtime.spells import Spell
from runtime.sql import load_queries
from runtime.trouble import about_the_database
from sbx.notify.alerts import Alert, changes, standing
from sbx.notify.channels import Message, NotDelivered, Told, deliver
from sbx.notify.settings import NotifySettings

LOOK_EVERY = 10.0
"""Seconds. Alerts that begin within one check go out in one message."""
_FIRST_WAIT = 10.0
_LONGEST_WAIT = 900.0
_LOOKED_AT = ("issues", "accounts", "waiting", "reconciled", "sources", "lists", "broken_off")

_SQL = load_queries(__file__)
Connection = psycopg.Connection[dict[str, Any]]

log = structlog.stdlib.get_logger(__name__)


def run(
    environment: Environment, settings: NotifySettings, stop: threading.Event, beat: Callable[[], None]
) -> None:
    """Work until ``stop`` is set, through any failure of database and receivers; ``beat`` at each check."""
    spell = Spell()
    while not stop.is_set():
        beat()
        try:
            with psycopg.connect(**environment.psycopg("sbx-notify"), row_factory=dict_row) as connection:
                schema.check_now(connection)
                while not stop.is_set():
                    look(connection, settings)
                    tell(connection, settings)
                    spell.over()
                    beat()
                    stop.wait(LOOK_EVERY)
        except (psycopg.Error, OSError) as error:
            if not about_the_database(error):
                raise
            spell.trouble(error)
            stop.wait(LOOK_EVERY)


def look(connection: Connection, settings: NotifySettings) -> None:
    """Bring the alerts up to date, in one transaction. Of several workers, one checks at a time.

    Raises:
        psycopg.Error: the database is unavailable; nothing was changed.
    """
    with connection.transaction():
        if not _alone(connection):
            return
        rows = {name: connection.execute(_SQL[name]).fetchall() for name in _LOOKED_AT}
        now = standing(
            rows["issues"],
            rows["accounts"],
            rows["waiting"],
            rows["reconciled"],
            settings.oldest_waiting,
            rows["sources"],
            rows["lists"],
            rows["broken_off"],
        )
        known = [row["key"] for row in connection.execute(_SQL["open"])]
        begun, over = changes(now, known)
        connection.execute(_SQL["end"], [over])
        _begin(connection, begun)
        connection.execute(_SQL["owe"], [settings.channels])
    for alert in begun:
        log.info("alert", kind=alert.kind, account=alert.account, key=alert.key)
    for key in over:
        log.info("alert is over", key=key)


def _alone(connection: Connection) -> bool:
    """Return True if no other worker is checking; holds until the transaction ends."""
    (row,) = connection.execute(_SQL["lock"]).fetchall()
    return bool(row["locked"])


def _begin(connection: Connection, begun: Sequence[Alert]) -> None:
    for alert in begun:
        parameters = {name: getattr(alert, name) for name in Alert.__slots__}
        connection.execute(_SQL["begin"], parameters)


def tell(connection: Connection, settings: NotifySettings) -> None:
    """Send the due alerts, one message per channel.

    The message is committed before it is sent, with its own id. If the process dies between sending and
    recording that, the same message goes out again with the same id, by which the receiver can recognise it.

    Raises:
        psycopg.Error: the database is unavailable.
    """
    for channel in settings.channels:
        with connection.transaction():
            if _alone(connection):
                connection.execute(_SQL["compose"], {"channel": channel})
        with connection.transaction():
            for row in connection.execute(_SQL["due"], [channel]).fetchall():
                _send(connection, channel, row, settings)


def _send(connection: Connection, channel: str, row: dict[str, Any], settings: NotifySettings) -> None:
    message_id = row["message_id"]
    alerts = [Told(**told) for told in connection.execute(_SQL["told"], [message_id])]
    try:
        deliver(channel, Message(message_id, row["made_at"], alerts), settings)
    except NotDelivered as error:
        wait = min(_FIRST_WAIT * 2 ** min(row["tries"], 10), _LONGEST_WAIT)
        connection.execute(_SQL["failed"], {"error": str(error), "wait": wait, "message_id": message_id})
        log.warning("a message waits", channel=channel, problem=str(error), wait_seconds=wait)
        return
    connection.execute(_SQL["sent"], [message_id])
    log.info("told", channel=channel, message=message_id, alerts=len(alerts))

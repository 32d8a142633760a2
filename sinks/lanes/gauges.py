"""The sink's gauges: the limits left to its lanes, the backlog of the ledger, and the duration of calls."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

from runtime import metrics
from runtime.sql import load_queries
from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.client import Answer, NoAnswer
from sinks.xero.responses import trouble_of

_SQL = load_queries(__file__)


class Left(Protocol):
    """The rest of the limits, for one account."""

    @property
    def in_flight(self) -> int:
        """Calls in progress."""

    @property
    def day_left(self) -> int | None:
        """Calls left in the day; None if Xero has not reported it yet."""

    def minute_left_at(self, now: float) -> int:
        """Return calls left in the minute."""


async def measured(route: str, call: Awaitable[Answer]) -> Answer:
    """Make a call and return its response, counted and timed.

    Raises:
        NotSent, NoAnswer: as the call does.
    """
    started = machine_seconds()
    outcome = "no_answer"
    try:
        answer = await call
        outcome = outcome_of(answer.status)
        return answer
    except NotSent:
        outcome = "not_sent"
        raise
    except NoAnswer:
        raise
    finally:
        metrics.XERO_CALLS.labels(route, outcome).inc()
        if outcome != "not_sent":
            metrics.XERO_CALL_SECONDS.labels(route).observe(machine_seconds() - started)


def outcome_of(status: int) -> str:
    """Return the class of an HTTP status, as the metric names it."""
    trouble = trouble_of(status)
    if trouble in ("unauthorised", "forbidden"):
        return "unauthorised"
    return trouble if trouble == "limit" else f"{status // 100}xx"


def measure_lanes(budgets: Mapping[str, Left]) -> None:
    """Set the gauges of the lanes of this process, by account."""
    metrics.LANES.set(len(budgets))
    metrics.XERO_CALLS_LEFT.clear()
    metrics.XERO_CALLS_UNDER_WAY.clear()
    now = machine_seconds()
    for account, budget in budgets.items():
        metrics.XERO_CALLS_LEFT.labels(account, "minute").set(max(0, budget.minute_left_at(now)))
        if budget.day_left is not None:
            metrics.XERO_CALLS_LEFT.labels(account, "day").set(max(0, budget.day_left))
        metrics.XERO_CALLS_UNDER_WAY.labels(account).set(budget.in_flight)


def measure_ledger(connection: psycopg.Connection[Any]) -> None:
    """Set the gauges of the ledger's backlog.

    Raises:
        psycopg.Error: the database is away; the gauges stay as they are.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        accounts = cursor.execute(_SQL["accounts"]).fetchall()
        (outbox,) = cursor.execute(_SQL["outbox"]).fetchall()
    metrics.OUTBOX.set(outbox["results"])
    for gauge in (metrics.WAITING, metrics.OLDEST_WAITING, metrics.FAILED, metrics.HELD):
        gauge.clear()
    for row in accounts:
        account = row["account"]
        metrics.WAITING.labels(account, "queued").set(row["queued"])
        metrics.WAITING.labels(account, "running").set(row["running"])
        metrics.OLDEST_WAITING.labels(account).set(row["oldest_waiting"])
        metrics.FAILED.labels(account).set(row["failed"])
        if row["held"] is not None:
            metrics.HELD.labels(account, row["held"]).set(1)

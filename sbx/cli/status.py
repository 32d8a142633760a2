"""What is running, what is waiting, what is left of Xero's limits, for ``sbx status``."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from kafka import TopicPartition
from kafka.errors import KafkaError
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.rows import dict_row

from log_projection import losses, queries
from log_projection.losses import Removed
from runtime import schema
from runtime.environment import Environment
from runtime.sql import load_queries
from runtime.trouble import in_words
from sandbox import too_full
from sbx.actions.setup import setups
from sbx.actions.source_report import as_object
from sbx.cli import environment, lost, page_address, targets
from sbx.cli.acting import actor
from sbx.cli.terminal import plural
from sources.store.overview import overviews
from streams import STAGES, StageName
from streams.broker import Broker, behind
from streams.standings import Standings, removed_unread
from streams.topics import TOPICS_OF, group_of

_SQL = load_queries(__file__)

UNKNOWN_SHOWN = timedelta(days=7)
"""How long a refusal that the catalogue does not know is reported."""
_ASKED_AT_ONCE = 16
DEAD_LETTERS_BOUND = 10
"""More dead letters than this in one day raise an alarm."""


@dataclass
class StageStatus:
    """One stage. ``lag`` is the number of messages it has not finished."""

    processes: int
    lag: int
    working: bool
    """True if every partition of its topics has a process."""
    undecided: int = 0
    """Messages of open transactions and those behind them, which cannot be read yet."""


@dataclass
class Status:
    """The whole status, as far as it could be determined."""

    environment: Environment
    page: str | None = None
    """Address of the page; None if ``sbx up`` never served it here."""
    problems: list[str] = field(default_factory=list)
    stages: dict[StageName, StageStatus] = field(default_factory=dict)
    workers: list[dict[str, Any]] = field(default_factory=list)
    """Workers of this data directory's ``sbx up``: name, stage, metrics address, whether ready."""
    accounts: list[dict[str, Any]] = field(default_factory=list)
    deliver_workers: list[dict[str, Any]] = field(default_factory=list)
    """Deliver workers on every machine: name, how many accounts each has, when it began, and the seconds
    since it last said that it works.
    """
    unknown_refusals: list[dict[str, Any]] = field(default_factory=list)
    """Recent refusals by Xero that the catalogue of reasons does not know."""
    ledger: dict[str, Any] = field(default_factory=dict)
    """Number of the ledger's generation, since when it is held (None: it is not), and why."""
    archive: dict[str, Any] = field(default_factory=dict)
    """Why nothing can go to the archive (``problem``, ``""``: it can), since when, and the remedy."""
    sources: list[dict[str, Any]] = field(default_factory=list)
    """How each account is read from SalesBinder: ``sbx.actions.source_report.as_object``."""
    dead_letters: int | None = None
    """Of the last 24 hours; None if the database does not respond."""
    lost_commands: list[dict[str, Any]] = field(default_factory=list)
    """As ``log_projection.losses.lost_commands``, at most ``sbx.cli.lost.SHOWN``."""
    removed: list[Removed] = field(default_factory=list)
    """The offsets that were removed from topics before a stage had read them, now or in the last few days."""

    @property
    def ready(self) -> bool:
        """True if all stages are running and no service is unavailable."""
        return not self.problems and all(stage.working for stage in self.stages.values())

    @property
    def alarms(self) -> list[str]:
        """The things that somebody should look at although everything is running."""
        told = [one.in_words() for one in self.removed]
        told += [_source_alarm(one) for one in self.sources if one["needs_somebody"]]
        if self.lost_commands:
            told.append(lost.in_words(self.lost_commands))
        if self.archive.get("problem"):
            since = self.archive["problem_at"].astimezone(UTC)
            told.append(
                f"nothing can go to the archive since {since:%Y-%m-%d %H:%M} UTC, so the database grows: "
                f"{self.archive['problem']}; {self.archive['remedy']}"
            )
        if self.dead_letters is None or self.dead_letters <= DEAD_LETTERS_BOUND:
            return told
        return [
            *told,
            f"{self.dead_letters:,} dead letters in the last 24 hours (an alarm above "
            f"{DEAD_LETTERS_BOUND}): messages that cannot be read; 'sbx log --state failed --since 1d' says "
            f"why for each: have the publisher fixed, then publish the events again",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the shape that scripts rely on."""
        return {
            "ready": self.ready,
            "problems": self.problems,
            "kafka": {"bootstrap_servers": self.environment.kafka_bootstrap_servers},
            "database": {"url": self.environment.database_url_shown},
            "data_dir": str(self.environment.data_dir),
            "page": self.page,
            "stages": {
                name: {
                    "processes": stage.processes,
                    "lag": stage.lag,
                    "working": stage.working,
                    "undecided": stage.undecided,
                }
                for name, stage in self.stages.items()
            },
            "workers": self.workers,
            "accounts": self.accounts,
            "deliver_workers": self.deliver_workers,
            "unknown_refusals": self.unknown_refusals,
            "ledger": self.ledger,
            "archive": self.archive,
            "sources": self.sources,
            "dead_letters": self.dead_letters,
            "lost_commands": self.lost_commands,
            "removed_unread": [asdict(one) for one in self.removed],
            "alarms": self.alarms,
        }


def gather(used: Environment) -> Status:
    """Ask every service; one that does not respond becomes a problem in the result."""
    status = Status(used, page_address.kept(used.data_dir))
    missing = [
        name
        for name, value in (("Kafka", used.kafka_bootstrap_servers), ("PostgreSQL", used.database_url))
        if value is None
    ]
    if missing:
        status.problems.append(
            f"{' and '.join(missing)} not configured, and nothing is running in {used.data_dir}: run 'sbx up'"
        )
    if used.data_dir.is_dir() and (full := too_full(used.data_dir)):
        status.problems.append(f"{full}: free some space")
    if used.kafka_bootstrap_servers:
        try:
            with Broker(environment.kafka_client(used)) as broker:
                _ask_broker(broker, status)
        except KafkaError as error:
            status.problems.append(f"Kafka at {used.kafka_bootstrap_servers} does not respond: {error}")
    if used.database_url:
        try:
            asyncio.run(_ask_database(used, status))
        except psycopg.Error as error:
            status.problems.append(_of_the_database(used, error))
    return status


def ask_workers(status: Status) -> None:
    """Ask the workers of ``sbx up`` whether they are ready, all at once; this takes longer than the rest."""
    listed = targets.read(status.environment.data_dir)
    with ThreadPoolExecutor(max_workers=max(1, min(len(listed), _ASKED_AT_ONCE))) as asking:
        status.workers = list(asking.map(_worker, listed))


def _worker(target: targets.Target) -> dict[str, Any]:
    ready, says = targets.ask_ready(target)
    return {
        "name": target.worker,
        "stage": target.stage,
        "metrics": f"http://{target.address}/metrics",
        "ready": ready,
        "says": says,
    }


def _ask_broker(broker: Broker, status: Status) -> None:
    wanted = [topic for topics in TOPICS_OF.values() for topic in topics]
    missing = sorted(set(wanted) - broker.topics())
    if missing:
        status.problems.append(f"topics are missing: {', '.join(missing)}; run 'sbx topics create'")
    status.stages = {stage: stage_status(broker, stage) for stage in STAGES}
    stands: dict[str, Standings] = {
        stage: broker.standings(group_of(stage), TOPICS_OF[stage]) for stage in STAGES
    }
    status.removed = removed_unread(stands)
    for name, stage in status.stages.items():
        if not stage.working:
            status.problems.append(
                f"{name} is not running: start it with 'sbx up' or 'sbx worker {name}'"
                if not stage.processes
                else f"{name} is assigning its partitions: wait a moment"
            )


def stage_status(broker: Broker, stage: StageName) -> StageStatus:
    """Return one stage as the broker sees it."""
    topics, group = TOPICS_OF[stage], group_of(stage)
    readable, ends = broker.readable_ends(topics), broker.ends(topics)
    found = broker.group(group)
    return StageStatus(
        processes=found.members,
        lag=behind(readable, broker.committed(group), broker.starts(topics)),
        working=bool(ends) and found.assigned >= set[TopicPartition](ends),
        undecided=behind(ends, readable, {}),
    )


async def _ask_database(used: Environment, status: Status) -> None:
    async with await psycopg.AsyncConnection.connect(
        **used.psycopg("sbx status"), row_factory=dict_row
    ) as connection:
        await schema.check(connection)
        if await _is_read_only(connection):
            status.problems.append(_of_the_database(used, ReadOnlySqlTransaction()))
        else:
            # Noted with each account, as it stands now: the first document may have arrived since.
            await setups.counted(connection, actor())
        cursor = await connection.execute(_SQL["accounts"])
        status.accounts = [_account(row) async for row in cursor]
        cursor = await connection.execute(_SQL["deliver_workers"])
        status.deliver_workers = [_deliver_worker(row) async for row in cursor]
        since = datetime.now(UTC) - UNKNOWN_SHOWN
        status.unknown_refusals = await queries.unknown_refusals(connection, since)
        cursor = await connection.execute(_SQL["ledger"])
        [status.ledger] = await cursor.fetchall()
        if status.ledger["held_at"] is not None:
            status.problems.append(
                f"nothing is being sent for any account: the database is older than what was sent from it "
                f"({status.ledger['why']}): run 'sbx recover'"
            )
        cursor = await connection.execute(_SQL["archive"])
        [status.archive] = await cursor.fetchall()
        status.sources = [as_object(one) for one in await overviews(connection, None)]
        cursor = await connection.execute(_SQL["dead_letters"])
        [row] = await cursor.fetchall()
        status.dead_letters = row["count"]
        status.lost_commands = await losses.lost_commands(connection, limit=lost.SHOWN)
        found = [*status.removed, *await losses.removed_unread(connection)]
        # Retention goes on while a stage is down: of two with the same beginning, the longer one is newer.
        status.removed = sorted({(r.stage, r.topic, r.partition, r.first): r for r in sorted(found)}.values())


async def _is_read_only(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Return whether the database answers queries and accepts no writes, as after a fail-over."""
    cursor = await connection.execute("SELECT current_setting('transaction_read_only') AS read_only")
    row = await cursor.fetchone()
    return row is not None and dict(row)["read_only"] == "on"


def _of_the_database(used: Environment, error: psycopg.Error) -> str:
    words = in_words(error)
    problem = words.problem.replace("the database", f"the database {used.database_url_shown}", 1)
    return f"{problem}; {words.remedy}"


def unknown_in_words(refusals: list[dict[str, Any]]) -> str:
    """Report refusals that have no reason in the catalogue yet."""
    times = sum(row["calls"] for row in refusals)
    return (
        f"Xero refused {plural(times, 'call')} in the last {UNKNOWN_SHOWN.days} days with "
        f"{plural(len(refusals), 'message')} that we do not know, such as: {refusals[0]['example']} (all: "
        f"the view integrations_log.unknown_refusals)"
    )


def _account(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "paused": row["paused"],
        "paused_reason": row["paused_reason"],
        "connected": row["connected"],
        "organisation": row["tenant_name"],
        "queued": row["queued"],
        "running": row["running"],
        "failed": row["failed"],
        "oldest_age": None if row["oldest_age"] is None else round(row["oldest_age"], 1),
        "calls_left": {"minute": row["minute_left"], "day": row["day_left"]},
        "setup_steps_left": row["setup_steps_left"],
        "settings_missing": row["settings_missing"] if row["connected"] else [],
        "held": row["held"],
        "held_until": row["held_until"],
        "worker": row["worker"],
        "drift": {
            "differences": row["differences"] or 0,
            "read_at": row["read_at"],
            "reading": bool(row["reading"]),
        },
    }


def _deliver_worker(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "silent": round(row["silent"], 1)}


def _source_alarm(one: dict[str, Any]) -> str:
    return f"SalesBinder of '{one['account']}': {one['reason']} {one['remedy']}"

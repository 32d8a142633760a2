"""The whole pipeline on this machine: services, topics, tables, and supervised processes of every stage."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psycopg
from kafka import TopicPartition
from kafka.errors import KafkaError

from runtime.addresses import host_and_port
from runtime.environment import Environment
from sandbox import EmbeddedStack, Progress
from sbx.actions.accounts import delivering
from sbx.cli import environment as resolving
from sbx.cli import interrupt, page_address, targets
from sbx.cli.acting import connected
from sbx.cli.errors import OperationFailed, of_a_service
from sbx.cli.local import child
from sbx.cli.local.child import GRACE_SECONDS
from sbx.cli.local.forked import Forked, ended_unless_released, fork, no_signals
from sbx.cli.local.forked import possible as forking_is_possible
from sbx.cli.local.supervisor import (
    Command,
    Report,
    Supervisor,
    notify_command,
    stage_command,
    web_command,
)
from sbx.cli.topics import create_tables
from sbx.notify.settings import NotifySettings
from streams import STAGES, StageName
from streams.broker import Broker
from streams.topics import TOPICS_OF, create_topics, group_of

_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_LOOKS_PER_CHECK = 6


@dataclass(frozen=True)
class Running:
    """A running pipeline. ``environ`` holds its processes' variables."""

    environment: Environment
    environ: Mapping[str, str]
    embedded: tuple[str, ...]
    """Which of Kafka and PostgreSQL are the embedded ones."""
    logs: Path
    workers: int
    web_port: int

    @property
    def web_url(self) -> str:
        """Address of the page."""
        return page_address.at(self.web_port)

    def lost_service(self) -> str | None:
        """Return an embedded service that no longer listens, or None."""
        addresses = {
            "Kafka": str(self.environment.kafka_bootstrap_servers),
            "PostgreSQL": urlsplit(str(self.environment.database_url)).netloc.rpartition("@")[2],
        }
        return next((name for name in self.embedded if not _listens(addresses[name])), None)


@dataclass(frozen=True)
class _Processes:
    """The pipeline's processes, and where each serves its metrics."""

    commands: tuple[Command, ...]
    listed: tuple[targets.Target, ...]
    page: socket.socket

    @property
    def web_port(self) -> int:
        return int(self.page.getsockname()[1])


@contextmanager
def running(
    environ: Mapping[str, str],
    stack: EmbeddedStack,
    *,
    workers: int,
    web_port: int | None,
    wait: float,
    progress: Progress,
    report: Report,
    forks: Callable[[], None] | None = None,
) -> Iterator[Running]:
    """Run the pipeline while the block runs; all of its processes have ended when the block has.

    Args:
        environ: variables of the pipeline.
        stack: the embedded services, which have begun.
        workers: processes of each stage.
        web_port: where the page listens; None as ``page_address.listening``.
        wait: how many seconds external services may be unavailable at the start.
        forks: called before this process is forked for the first processes, where that is possible; ends
            what would be in the way. None: each is an interpreter of its own from the beginning.

    Raises:
        SandboxError: an embedded service cannot be started.
        OperationFailed: a configured service cannot be reached.
    """
    configured = Environment.read(environ)
    used = replace(configured, data_dir=stack.data_dir)
    with ExitStack() as ending:
        page = ending.enter_context(page_address.listening(web_port, used.data_dir, report))
        processes = _processes(used, NotifySettings.read(environ), page, workers)
        held: dict[str, Forked] = {}
        ending.enter_context(ended_unless_released(held))
        if forks is not None:
            _fork(held, processes.commands, forks)
        gc.enable()
        used, ours = _with_services(used, stack, wait, progress, report)
        targets.write(used.data_dir, processes.listed)
        ending.callback(targets.remove, used.data_dir)
        child_environ = variables_of(used, environ)
        supervisor = Supervisor(processes.commands, child_environ, report, held)
        ending.callback(_stop, supervisor, progress)
        supervisor.start()
        yield Running(used, child_environ, ours, used.data_dir / "logs", workers, processes.web_port)


def variables_of(used: Environment, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the pipeline's processes: those of ``environ``, with the services in use."""
    others = {name: value for name, value in environ.items() if name != "SBX_DATABASE_URL_FILE"}
    return {
        **others,
        "SBX_DATA_DIR": str(used.data_dir),
        "SBX_KAFKA_BOOTSTRAP_SERVERS": str(used.kafka_bootstrap_servers),
        "SBX_DATABASE_URL": str(used.database_url),
        "SBX_ARCHIVE_DIR": str(used.archive_dir or used.data_dir / "archive"),
    }


def _processes(used: Environment, notifying: NotifySettings, page: socket.socket, workers: int) -> _Processes:
    logs = used.data_dir / "logs"
    named: list[tuple[str, int]] = [(stage, number) for stage in STAGES for number in range(1, workers + 1)]
    # One is enough: it reads all accounts, and each has its own limits.
    named.append(("source", 1))
    stages = [*(stage for stage, _ in named), "web", *(["notify"] if notifying.channels else [])]
    ports = _metrics_ports(used, len(stages))
    commands = [
        stage_command(stage, number, logs, metrics_port)
        for (stage, number), metrics_port in zip(named, ports, strict=False)
    ]
    commands.append(web_command(page, logs, ports[len(named)]))
    if notifying.channels:
        page_url = notifying.page_url or page_address.at(page.getsockname()[1])
        commands.append(notify_command(page_url, logs, ports[-1]))
    listed = [
        targets.Target(command.name, stage, host_and_port(used.metrics_host, metrics_port))
        for command, stage, metrics_port in zip(commands, stages, ports, strict=True)
    ]
    return _Processes(tuple(commands), tuple(listed), page)


def _fork(held: dict[str, Forked], commands: Sequence[Command], clear: Callable[[], None]) -> None:
    """Fork the processes, to be held, and put them into ``held`` by name; none where that is not possible."""
    child.preload(notifications=any(command.name == "notify" for command in commands))
    interrupt.look()
    clear()
    if forking_is_possible():
        gc.freeze()  # what is there now is never collected, so that its memory stays shared
        with no_signals():
            for command in commands:
                run = partial(child.main, *command.arguments)
                with suppress(OSError):  # the supervisor tries it, and says what is refused
                    held[command.name] = fork(command.argv, run, command.log, command.inherited)


def _with_services(
    used: Environment, stack: EmbeddedStack, wait: float, progress: Progress, report: Report
) -> tuple[Environment, tuple[str, ...]]:
    """Wait for the services, and create what is missing in them; return their addresses, and which of them
    are embedded.
    """
    ours: list[str] = []
    if used.kafka_bootstrap_servers is not None:
        _wait_for("Kafka", used.kafka_bootstrap_servers, partial(_ask_kafka, used), wait, progress)
    if used.database_url is not None:
        _wait_for("the database", str(used.database_url_shown), partial(_ask_database, used), wait, progress)
    stack.finish_postgres()
    if stack.database_url:
        used = replace(used, database_url=stack.database_url)
        ours.append("PostgreSQL")
    progress("Creating topics and tables", None)
    create_tables(used)
    stack.finish_kafka()
    if stack.bootstrap_servers:
        used = replace(used, kafka_bootstrap_servers=stack.bootstrap_servers)
        ours.insert(0, "Kafka")
    for outcome in create_topics(resolving.kafka_client(used)):
        for difference in outcome.differences:
            report(f"{outcome.name}: {difference}", True)
    return used, tuple(ours)


def _metrics_ports(used: Environment, count: int) -> list[int]:
    """Return ports for the workers' metrics: from ``SBX_METRICS_PORT`` on if that is set, else free ones."""
    if used.metrics_port is not None:
        return list(range(used.metrics_port, used.metrics_port + count))
    return targets.free_ports(used.metrics_host, count)


def _stop(supervisor: Supervisor, progress: Progress) -> None:
    """Stop the workers; a second Ctrl-C stops them at once."""
    progress("Stopping: workers finish their current work", None)

    def hurry(_number: int, _frame: FrameType | None) -> None:
        supervisor.kill()

    for number in interrupt.listened_to():
        signal.signal(number, hurry)
    supervisor.stop(GRACE_SECONDS)
    progress("Stopping Kafka and PostgreSQL", None)


def wait_until_ready(pipeline: Running, progress: Progress) -> None:
    """Return once every stage has its partitions and its connections, however long that takes.

    Raises:
        OperationFailed: an embedded service has ended.
    """
    used = pipeline.environment
    _look_until(pipeline, lambda: _stages_work(pipeline, progress))
    # By number: a name server that does not know this machine's own name holds nothing up.
    page = f"http://{page_address.LOOPBACK}:{pipeline.web_port}"
    _look_until(pipeline, lambda: _delivers(used, progress) and page_address.answers(page))


def _look_until(pipeline: Running, true: Callable[[], bool]) -> None:
    """Look often whether it is true, and now and then whether the services are still there."""
    looks = 0
    while not true():
        looks += 1
        time.sleep(_LOOK_SECONDS)
        interrupt.look()
        if looks % _LOOKS_PER_CHECK == 0:
            check_services(pipeline)


def _stages_work(pipeline: Running, progress: Progress) -> bool:
    """Wait on one connection until all stages work; return False if the broker, busy with its own start, did
    not answer.
    """
    waiting: list[StageName] = sorted(STAGES)
    try:
        with Broker(resolving.kafka_client(pipeline.environment)) as broker:
            partitions = {stage: broker.partitions(TOPICS_OF[stage]) for stage in waiting}

            def work() -> bool:
                nonlocal waiting
                waiting = [one for one in waiting if not _works(broker, one, partitions[one], pipeline)]
                if waiting:
                    progress(f"Waiting for {', '.join(waiting)}", None)
                return not waiting

            _look_until(pipeline, work)
    except KafkaError as error:
        progress(f"Waiting: {of_a_service(error)}", None)
        return False
    return True


async def _workers(used: Environment) -> int:
    async with connected("sbx up", used) as (_, connection):
        return await delivering(connection)


def _delivers(used: Environment, progress: Progress) -> bool:
    """Return True once deliver holds its session; wait for a database that does not serve yet."""
    try:
        return asyncio.run(_workers(used)) > 0
    except psycopg.Error as error:
        if (text := of_a_service(error)) is None:
            raise
        progress(f"Waiting: {text}", None)
        return False


def check_services(pipeline: Running) -> None:
    """Check that the embedded services are running.

    Raises:
        KeyboardInterrupt: a signal asked us to end, even if the exception was lost earlier.
        OperationFailed: one of them has ended.
    """
    interrupt.look()
    lost = pipeline.lost_service()
    if lost is not None:
        log = "kafka/kafka.log" if lost == "Kafka" else "postgres.log"
        raise OperationFailed(
            f"{lost} has ended unexpectedly; its log is {pipeline.environment.data_dir / log}",
            "nothing is lost: run the command again",
        )


def _works(
    broker: Broker, stage: StageName, partitions: frozenset[TopicPartition], pipeline: Running
) -> bool:
    group = broker.group(group_of(stage))
    return group.members >= pipeline.workers and group.assigned >= partitions


def _wait_for(what: str, address: str, ask: Callable[[], None], seconds: float, progress: Progress) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (KafkaError, psycopg.Error, OSError) as error:
            if (text := of_a_service(error)) is None:
                raise
            if time.monotonic() >= until:
                raise OperationFailed(
                    f"{what} at {address} cannot be reached: {text}",
                    "start it, or correct SBX_KAFKA_BOOTSTRAP_SERVERS or SBX_DATABASE_URL; if unset, the "
                    "embedded one is used",
                ) from error
            progress(f"Waiting for {what} at {address}: {text}", None)
            time.sleep(_RETRY_SECONDS)
            interrupt.look()


def _ask_kafka(used: Environment) -> None:
    Broker(resolving.kafka_client(used)).close()


def _ask_database(used: Environment) -> None:
    psycopg.connect(**used.psycopg("sbx up")).close()


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, int(port))) == 0

"""Apache Kafka itself as a child process: one node, KRaft, loopback only."""

import base64
import secrets
import signal
import socket
from pathlib import Path

from sandbox.class_archive import class_archive
from sandbox.errors import ServiceFailed
from sandbox.java import find_java
from sandbox.kafka_jars import KAFKA_VERSION, kafka_jars
from sandbox.process import Command, Ports, Preparation, Progress, Service, end_leftovers, on_free_ports

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Larger than any event we accept, so that we refuse it with a reason and not the broker."""

START_TIMEOUT = 240.0
"""Seconds. A start takes two; a busy machine may need many times that."""

_JVM = (
    "-Xms128m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ssXXX",
)

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
message.max.bytes={max_bytes}
replica.fetch.max.bytes={max_bytes}
fetch.max.bytes=57671680
"""


class EmbeddedKafka:
    """A Kafka in ``directory`` (created; kept between starts), on its old port if that is free.

    ``advertised_port`` is the one that clients get to see, for a proxy in between.
    """

    def __init__(self, directory: Path, ports: Ports, advertised_port: int | None = None) -> None:
        self._advertised_port = advertised_port
        self._directory = directory
        self._ports = ports
        self._java: list[str] = []
        self._mark = f"-Dsbx.data_dir={directory}"
        self._format: Preparation | None = None
        self._service: Service | None = None
        self.bootstrap_servers = ""

    def start(self, progress: Progress) -> None:
        """Do what ``begin`` and ``finish`` do."""
        self.begin(progress)
        self.finish()

    def begin(self, progress: Progress) -> None:
        """Fetch Kafka if need be, and let it start.

        Raises DownloadFailed.
        """
        jars = kafka_jars(progress)
        java = find_java()
        archive = class_archive(java, jars, progress)
        progress(f"Starting Kafka {KAFKA_VERSION}", None)
        shared = [f"-XX:SharedArchiveFile={archive}"] if archive else []
        self._java = [str(java), *_JVM, *shared, self._mark, "-cp", f"{jars}/*"]
        self._directory.mkdir(exist_ok=True)
        end_leftovers(self._command())
        if (self._directory / "data" / "meta.properties").exists():
            self._launch()
        else:
            self._configure()
            self._format = _format(self._java, self._directory)

    def finish(self) -> None:
        """Return once it answers an admin client.

        Raises ServiceFailed.
        """
        if self._format is not None:
            _formatted(self._format, self._directory)
            self._format = None
        on_free_ports(self._serve, self.stop)

    def _command(self) -> Command:
        return Command(
            name="Kafka",
            argv=[*self._java, "kafka.Kafka", "server.properties"],
            log=self._directory / "kafka.log",
            stop_signal=signal.SIGTERM,
            mark=self._mark,
            cwd=self._directory,
            grace=30.0,  # an end by force costs the next start a recovery of the log
        )

    def _serve(self) -> None:
        service = self._service or self._launch()
        port = int(self.bootstrap_servers.rpartition(":")[2])
        service.wait_until(lambda: _answers(port), START_TIMEOUT)

    def _launch(self) -> Service:
        self._configure()
        self._service = Service(self._command())
        return self._service

    def _configure(self) -> None:
        ports = self._ports.take("kafka", "kafka_controller")
        self.bootstrap_servers = f"127.0.0.1:{ports['kafka']}"
        (self._directory / "server.properties").write_text(
            _PROPERTIES.format(
                port=ports["kafka"],
                advertised=self._advertised_port or ports["kafka"],
                controller=ports["kafka_controller"],
                max_bytes=MAX_MESSAGE_BYTES,
            )
        )

    def stop(self) -> None:
        """End the broker and wait for it; safe to call at any time."""
        if self._format is not None:
            self._format.stop()
            self._format = None
        if self._service is not None:
            self._service.stop()
            self._service = None


def _format(java: list[str], directory: Path) -> Preparation:
    cluster_id = "-"
    while cluster_id.startswith("-"):  # Kafka's tool takes such an id for an option
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    tool = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}"]
    return Preparation([*tool, "-c", "server.properties", "--ignore-formatted"], directory)


def _formatted(preparation: Preparation, directory: Path) -> None:
    code, said = preparation.result()
    if code:
        raise ServiceFailed(
            f"Kafka could not prepare its storage in {directory} (exit code {code}). "
            f"Check that the directory can be written and the disk has space.\n{said[-2000:]}"
        )


def _answers(port: int) -> bool:
    # The socket first: an admin client logs an error for every refused connection.
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)):
            return False
    # Imported here: the broker starts meanwhile.
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=5000)
        try:
            return bool(admin.describe_cluster()["brokers"])
        finally:
            admin.close()
    except KafkaError:
        return False

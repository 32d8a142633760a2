"""Find Kafka and the database: as configured, else the embedded ones of the data directory."""

import getpass
import os
import socket
from dataclasses import replace
from typing import Any

from runtime.environment import Environment
from sandbox import find_running
from sbx.cli.errors import OperationFailed

_AWAY_MS = 5_000
_BUSY_MS = 20_000
"""How long a command waits for a first response where no broker listens, and where one does."""


def read() -> Environment:
    """Return the environment with running embedded services filled in; a missing service stays None.

    Raises:
        InvalidEnvironment: a variable has an invalid value.
    """
    environment = Environment.read(os.environ)
    if environment.kafka_bootstrap_servers and environment.database_url:
        return environment
    running = find_running(environment.data_dir)
    if running is None:
        return environment
    return replace(
        environment,
        kafka_bootstrap_servers=environment.kafka_bootstrap_servers or running.bootstrap_servers or None,
        database_url=environment.database_url or running.database_url or None,
    )


def required(*, kafka: bool = False, database: bool = False) -> Environment:
    """Return the environment with the services that the command needs.

    Raises:
        OperationFailed: a service is neither configured nor running.
        InvalidEnvironment: a variable has an invalid value.
    """
    environment = read()
    needs = {
        "SBX_KAFKA_BOOTSTRAP_SERVERS": kafka and not environment.kafka_bootstrap_servers,
        "SBX_DATABASE_URL": database and not environment.database_url,
    }
    missing = [name for name, lacking in needs.items() if lacking]
    if missing:
        raise OperationFailed(
            f"{' and '.join(missing)} not set, and nothing is running in the data directory "
            f"{environment.data_dir}",
            "start it with 'sbx up' in another terminal, or set SBX_DATA_DIR to its data directory",
        )
    return environment


def kafka_client(environment: Environment) -> dict[str, Any]:
    """Return arguments for kafka-python's clients in a command that somebody waits for."""
    arguments = environment.kafka_python()
    patience = _BUSY_MS if any(map(_listens, arguments["bootstrap_servers"])) else _AWAY_MS
    return {**arguments, "bootstrap_timeout_ms": patience}


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except (OSError, ValueError):  # a ValueError is a server that is not written as one: the client says so
        return False
    return True


def actor() -> str:
    """Return who runs this command, for the history."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"cli:{os.getuid()}"

"""Where Kafka and the database are: as configured, else the embedded ones of the data directory."""

import getpass
import os
from dataclasses import replace
from typing import Any

from runtime.environment import Environment
from sandbox import find_running
from sbx.cli.errors import OperationFailed

_BOOTSTRAP_MS = 5000
"""How long a command waits for the first answer of a broker."""


def read() -> Environment:
    """The environment with the embedded services filled in where they run; what is missing stays none.

    Raises:
        InvalidEnvironment: a variable has a value that it cannot have.
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
    """The environment, with what the command needs.

    Raises:
        OperationFailed: neither configured nor running.
        InvalidEnvironment: a variable has a value that it cannot have.
    """
    environment = read()
    needs = {
        "SBX_KAFKA_BOOTSTRAP_SERVERS": kafka and not environment.kafka_bootstrap_servers,
        "SBX_DATABASE_URL": database and not environment.database_url,
    }
    missing = [name for name, lacking in needs.items() if lacking]
    if missing:
        raise OperationFailed(
            f"{' and '.join(missing)} not set, and nothing runs in the data directory {environment.data_dir}",
            "start it with 'sbx up' in another terminal, or name the data directory with SBX_DATA_DIR",
        )
    return environment


def kafka_client(environment: Environment) -> dict[str, Any]:
    """Arguments of kafka-python's clients for a command that somebody waits for."""
    return {**environment.kafka_python(), "bootstrap_timeout_ms": _BOOTSTRAP_MS}


def actor() -> str:
    """Who runs this command, for the history."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"cli:{os.getuid()}"

"""Find Kafka and the database: as configured, else the embedded ones of the data directory."""

import getpass
import os
from dataclasses import replace
from typing import Any

from runtime.environment import Environment
from sandbox import find_running
from sbx.cli.errors import OperationFailed

_BOOTSTRAP_MS = 5000
"""How long a command waits for a broker's first response."""


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
    return {**environment.kafka_python(), "bootstrap_timeout_ms": _BOOTSTRAP_MS}


def actor() -> str:
    """Return who runs this command, for the history."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"cli:{os.getuid()}"

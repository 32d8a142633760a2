"""The end of a command that cannot do what was asked: a message, a remedy and an exit code."""

import errno

import psycopg
from kafka.errors import KafkaError
from psycopg_pool import PoolTimeout

from connections.settings import InvalidSetting
from connections.store import ConnectionRefused
from runtime.archive import ArchiveProblem
from runtime.environment import InvalidEnvironment
from runtime.secrets import SecretKeyError
from runtime.trouble import about_the_database
from runtime.trouble import in_words as of_the_database
from sandbox import SandboxError
from sbx.actions.refused import ActionRefused
from sbx.migrations import MigrationError
from sinks.xero.tenants import CredentialsUnusable, TenantUnclear

FAILED = 1
BAD_USAGE = 2


class OperationFailed(Exception):
    """A command could not do what was asked. ``str()`` says what and why, ``remedy`` what to do."""

    exit_code = FAILED

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


class BadUsage(OperationFailed):
    """The request makes no sense: an argument names nothing, or options cannot be combined."""

    exit_code = BAD_USAGE


def in_words(error: Exception) -> OperationFailed | None:
    """Describe an expected failure; return None for a bug, whose traceback is wanted."""
    match error:
        case OperationFailed():
            return error
        case ActionRefused():
            kind = BadUsage if error.code == "bad_request" else OperationFailed
            return kind(error.problem.rstrip("."), error.remedy)
        case TenantUnclear():
            return BadUsage(error.problem, "name the organisation with --tenant ID")
        case CredentialsUnusable():
            return OperationFailed(error.problem, error.remedy)
        case InvalidEnvironment():
            shown = f"{error.variable}={error.value}" if error.value else error.variable
            return BadUsage(f"{shown} {error.problem}", error.remedy)
        case InvalidSetting():
            shown = f"{error.key}={error.value}" if error.value else error.key
            return BadUsage(f"{shown}: {error.problem}", error.remedy)
        case ArchiveProblem():
            return OperationFailed(str(error), error.remedy)
        case ConnectionRefused() | SandboxError() | MigrationError() | SecretKeyError():
            return OperationFailed(str(error))
        case psycopg.Error() | PoolTimeout():
            words = of_the_database(error)
            return OperationFailed(words.problem, words.remedy)
        case KafkaError():
            return OperationFailed(
                f"Kafka does not respond as it should: {error}",
                "see 'sbx status'; start the broker, or correct SBX_KAFKA_BOOTSTRAP_SERVERS",
            )
        case OSError() if error.errno == errno.ENOSPC:
            return OperationFailed(f"the disk is full: {error}", "free some space, then run it again")
        case OSError():
            return OperationFailed(str(error), "check the path, and that this user may read and write it")
        case _:
            return None


def of_a_service(error: Exception) -> str | None:
    """Return the failure if a broker or a database that is away raised the error, else None."""
    if isinstance(error, KafkaError):
        return " ".join(str(error).split())
    return of_the_database(error).problem if about_the_database(error) else None

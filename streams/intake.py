"""The intake with its mark, which shows outside of the database that a batch is in it."""

from collections.abc import Callable, Sequence

import psycopg
import structlog

from contracts.commands import Command
from runtime.trouble import Withheld
from sinks.ledger.generation import INTAKE, Mark, MarkNotStored, Marks, Told
from sinks.ledger.intake import Raised, take_in
from sinks.ledger.store import Connection, LedgerBehind
from streams.liveness import Liveness

log = structlog.stdlib.get_logger(__name__)

_TRY_AGAIN_SECONDS = 1.0


class MarkedIntake:
    """Takes commands in, unless the ledger is older than its marks in Kafka."""

    def __init__(self, marks: Marks, suspect: Callable[[], None]) -> None:
        """Take in commands; ``suspect`` is called if the ledger looks older than it should be."""
        self._marks = marks
        self._suspect = suspect
        self._told: Told | None = None
        self._raised: Raised | None = None
        self._published: Raised | None = None

    async def take_in(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Take commands in, as ``sinks.ledger.intake.take_in`` does.

        Raises:
            LedgerHeld: nothing may be taken in now.
            psycopg.Error: database or broker are away; nothing was taken in.
        """
        try:
            if self._told is None:
                self._told = await self._marks.told()
            raised: list[Raised] = []
            await take_in(connection, commands, raised=lambda one: raised.append(self._checked(one)))
        except LedgerBehind:
            self._told = None
            self._suspect()
            raise
        except psycopg.Error:
            # The database may have gone back meanwhile: compare with what others have raised.
            self._told = None
            raise
        except MarkNotStored as error:
            raise Withheld(f"{error}; start Kafka where it is away") from error
        self._raised = raised[0] if raised else self._raised

    async def publish(self, liveness: Liveness) -> None:
        """Have Kafka keep the intake's mark; wait until it does.

        Raises:
            Stopped: the stage was asked to end.
        """
        while (one := self._raised) is not None and one is not self._published:
            try:
                await self._marks.publish(one.number, INTAKE, Mark(one.generation, one.mark))
            except MarkNotStored as error:
                log.warning("waiting for Kafka to keep the ledger's mark", error=str(error))
                await liveness.wait(_TRY_AGAIN_SECONDS)
            else:
                self._published = one

    def _checked(self, one: Raised) -> Raised:
        told, before = self._told, self._raised
        assert told is not None
        another = told.number > one.number or (
            told.number == one.number and told.generation != one.generation
        )
        known = told.of(one.generation, INTAKE)
        if before is not None and before.generation == one.generation:
            known = max(known, before.mark)
        if another or one.mark <= known:
            raise LedgerBehind("the ledger has taken in less than what Kafka knows that it did")
        return one

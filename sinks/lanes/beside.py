"""What a lane has under way beside its own turns: calls, and steps that others have asked for."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class WorkBeside:
    """Tasks whose end wakes their lane, and whose first error ends it."""

    def __init__(self, wake: asyncio.Event) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._wake = wake
        self._crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # If the lane itself fails at that moment, nobody awaits the task: its error is not worth a report.
        self._crash.add_done_callback(lambda crash: crash.cancelled() or crash.exception())

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the work go on beside the lane."""
        task = asyncio.create_task(self.guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        self._wake.set()

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """End the lane after an error in the work: it starts again from the ledger."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again by the lane itself
            if not self._crash.done():
                self._crash.set_exception(error)
            self._wake.set()

    async def rest(self, seconds: float) -> None:
        """Wait for something to happen.

        Raises:
            Exception: the one that ended a task.
        """
        waking: asyncio.Future[Any] = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait([waking, self._crash], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()
        if self._crash.done():
            self._crash.result()

    async def end(self, seconds: float) -> None:
        """Wait until what is under way has ended, for so many seconds at most."""
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=seconds)

    def cancel(self) -> None:
        """Leave what is under way."""
        for task in self.tasks:
            task.cancel()

"""A TCP proxy whose connections can be cut and stalled."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Self


class Proxy:
    """Passes bytes on between clients and ``target`` (host, port), in a thread of its own.

    ``port`` is fixed for its life; ``target`` may be set later and changed, or asked for at each connection.
    """

    def __init__(self, target: tuple[str, int] | Callable[[], tuple[str, int]] | None = None) -> None:
        self.target = target
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)
        self._loop.close()

    def cut(self) -> None:
        """End all connections there are; new ones work."""
        self._do(self._abort())

    def refuse(self) -> None:
        """End all connections, and new ones at once, until ``go_on``."""
        self._refusing = True
        self.cut()

    def stall(self) -> None:
        """Let no byte pass, in old connections and new ones, until ``go_on``: nothing is closed."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def go_on(self) -> None:
        """The end of ``refuse`` and ``stall``."""
        self._refusing = False
        self._loop.call_soon_threadsafe(self._flowing.set)

    def _do(self, what: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(120)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _abort(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await self._abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing or self.target is None:
            writer.transport.abort()
            return
        try:
            target = self.target() if callable(self.target) else self.target
            back, forth = await asyncio.open_connection(*target)
        except OSError:
            writer.transport.abort()
            return
        both = [(reader, forth), (back, writer)]
        self._open |= {writer, forth}
        tasks = [self._loop.create_task(self._pass(source, sink)) for source, sink in both]
        self._tasks |= set(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for each in (writer, forth):
            each.transport.abort()
        self._open -= {writer, forth}
        self._tasks -= set(tasks)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
            sink.write_eof()
        except OSError:
            return  # one side has gone: both end

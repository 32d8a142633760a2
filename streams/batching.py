"""Batches from a stream, which grow with the backlog."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from typing import Any

BATCH = 500
LINGER_SECONDS = 0.01
"""How long a batch waits for one more message: the floor of the latency of an idle stage."""
GATHER_SECONDS = 0.1
"""How long messages that keep coming are gathered at most."""


async def batches(stream: Any) -> AsyncGenerator[list[Any], None]:
    """Yield batches of the stream's events. A batch is acknowledged when the next one is asked for.

    While a batch is handled, the next one is read. Faust's ``take_events`` reads for a fixed time between two
    batches, one message per turn of the event loop: on a busy machine, or beside the lanes, it finds a few
    messages each time, however many wait.
    """
    stream.enable_acks = False
    waiting: deque[Any] = deque()
    came, taken = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        async for event in stream.events():
            waiting.append(event)
            waiting.extend(_at_hand(stream, BATCH - len(waiting)))
            came.set()
            while len(waiting) >= BATCH:
                taken.clear()
                await taken.wait()

    reading = stream.add_future(read())
    try:
        while not await stream.wait_for_stopped(came):
            await _gathered(waiting)
            batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
            taken.set()
            if not waiting:
                came.clear()
            yield batch
            while batch:  # none is kept, since some are large
                await stream.ack(batch.pop(0))
    finally:
        reading.cancel()


def _at_hand(stream: Any, most: int) -> Iterator[Any]:
    """Return the events that the stream would bring in its next turns, taken over as the stream itself does
    it.
    """
    app, queue = stream.app, stream.channel.queue
    for _ in range(min(most, queue.qsize())):
        event = queue.get_nowait()
        message = event.message
        # Events from before a rebalance are read again by the process that has their partition now.
        if app.flow_control.is_active() and message.generation_id == app.consumer_generation_id:
            message.tracked = True
            app.consumer.track_message(message)
            yield event


async def _gathered(waiting: deque[Any]) -> None:
    """Return once no more come, or they have come for long enough."""
    turn = asyncio.get_running_loop()
    ends = turn.time() + GATHER_SECONDS
    seen = 0
    while seen < len(waiting) < BATCH and turn.time() < ends:
        seen = len(waiting)
        await asyncio.sleep(LINGER_SECONDS)

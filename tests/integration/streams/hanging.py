"""A process for tests that hangs in one of four ways under the watchdog's eyes.

Usage: python hanging.py loop|lag|bare|back|fine BOOTSTRAP_SERVERS GROUP TOPIC
"""

import asyncio
import sys
import time

from streams.liveness import Liveness, Watchdog

PATIENCE = 600.0
"""Seconds; a check asks the broker, and twelve of them may take long on a busy machine."""


async def main(way: str, servers: str, group: str, topic: str) -> None:
    """Hang for as long as somebody waits; "bare" has no partitions. "back" and "fine" turn their loops and
    mark progress instead; the broker of "back" went back, and "fine" ends after two seconds.
    """
    liveness = Liveness()
    turning = asyncio.create_task(_turn(liveness, marks=way in ("fine", "back")))
    watchdog = Watchdog(
        liveness,
        lambda: set() if way == "bare" else {(topic, 0)},
        group,
        [topic],
        {"bootstrap_servers": servers},
        instance="one",
        gone_back=lambda: ["t/0"] if way == "back" else [],
        check_seconds=0.1,
    )
    watchdog.start()
    await asyncio.sleep(0.2)
    if way == "loop":
        time.sleep(PATIENCE)  # noqa: ASYNC251 - the point of it
    await asyncio.sleep(2 if way == "fine" else PATIENCE)
    watchdog.end()
    turning.cancel()


async def _turn(liveness: Liveness, marks: bool) -> None:
    while True:
        liveness.turns += 1
        liveness.signs_of_life += marks
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

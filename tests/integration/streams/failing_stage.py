"""A stage for tests: notes what it gets in a file, fails at one message until a second file exists.

Usage: python failing_stage.py GROUP TOPIC NOTES MENDED
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.environment import Environment
from runtime.logs import configure_logging
from streams.faust_app import StageSpec, build_app, serve
from streams.liveness import Liveness, Watchdog
from streams.reading_ahead import ReadingAhead
from streams.records import Record
from streams.topic_ids import TopicsRead


async def main(group: str, topic: str, notes: Path, mended: Path) -> None:
    """Run until told to stop."""
    environment = Environment.read(os.environ)
    app = build_app(group, environment, TopicsRead())
    liveness = Liveness()

    async def handle(records: Sequence[Record]) -> None:
        for record in records:
            if record.value == b"fail" and not mended.exists():  # noqa: ASYNC240 - a stat of a local file
                raise RuntimeError("as the test wants it")
            with notes.open("ab") as file:
                file.write((record.value or b"") + b"\n")

    watchdog = Watchdog(liveness, set, group, [topic], environment.kafka_python())
    ahead = ReadingAhead(app, environment.kafka_python())
    await serve(app, StageSpec(topics=(topic,), handle=handle), liveness, watchdog, ahead)


if __name__ == "__main__":
    configure_logging(stage="failing")
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))

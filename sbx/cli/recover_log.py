"""What the log knew before a restore: its entries are read again from the results' topic."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from contracts.results import EntryResult, decode_result
from log_projection.projection import apply
from runtime.environment import Environment
from sbx.cli import environment
from sbx.cli.broker import Broker
from sbx.cli.replay.topics import Range, Reader
from sbx.cli.terminal import bar
from streams.topics import RESULTS


async def put_back(used: Environment, database: psycopg.AsyncConnection[Any]) -> None:
    """Entries as the topic has them, dead letters too, which no event would bring back. The highest version
    of each counts, so what the log has already stays. What held accounts is out of date.
    """
    kafka = environment.kafka_client(used)
    with Broker(kafka) as broker:
        starts, ends = broker.starts([RESULTS]), broker.ends([RESULTS])
    ranges = [
        Range(tp.topic, tp.partition, starts[tp], end, starts[tp])
        for tp, end in sorted(ends.items())
        if starts[tp] < end
    ]
    base, length = sum(r.first for r in ranges), sum(r.end - r.first for r in ranges)
    with Reader(kafka, ranges) as reader, bar("reading the log's entries", length) as shown:
        before: list[int] | None = None
        while True:
            messages, nexts = reader.read()
            if not messages and nexts == before:
                return
            before = nexts
            if results := _entries(messages):
                await apply(database, results)
            shown.at(sum(nexts) - base)


def _entries(messages: Sequence[Any]) -> list[EntryResult]:
    found = []
    for message in messages:
        try:
            result = decode_result(message.value or b"")
        except msgspec.DecodeError:
            continue
        if isinstance(result, EntryResult):
            found.append(result)
    return found

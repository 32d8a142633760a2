"""Restore the log after a restore of the database: its entries are read again from the results topic."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from contracts.results import EntryResult, decode_result
from log_projection.projection import apply
from log_projection.steps import dated
from sbx.actions.actors import Connection
from sbx.actions.replay.screen import Bars
from sbx.actions.replay.topics import Reader, first_of, length_of, whole
from streams.topics import RESULTS


async def put_back(kafka: Mapping[str, Any], database: Connection, bars: Bars) -> None:
    """Read entries from the topic, including dead letters, which no event would bring back. The highest
    version of each wins, so newer entries in the log stay. Holds of accounts are out of date.
    """
    ranges = whole(kafka, [RESULTS])
    base = first_of(ranges)
    with Reader(kafka, ranges) as reader, bars("reading the log's entries", length_of(ranges)) as shown:
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
            found.append(dated(result, (message.timestamp or 0) / 1000))
    return found

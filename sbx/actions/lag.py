"""Ask how much a stage has not finished yet, again and again until it has."""

from collections.abc import Callable

from sbx.actions.words import plural
from streams import StageName
from streams.broker import Broker, behind
from streams.topics import TOPICS_OF, group_of

Look = Callable[[], str]
"""Describes the unfinished work; blank if there is none."""


def lag(broker: Broker, stage: StageName) -> Look:
    """Count the messages present now that the stage has not finished.

    Messages of an open transaction count: they are published or dropped when it
    ends, at the latest after the publisher's ``transaction.timeout.ms``. Messages behind them wait with them.
    """
    topics = TOPICS_OF[stage]
    targets, starts = broker.ends(topics), broker.starts(topics)

    def look() -> str:
        count = behind(targets, broker.committed(group_of(stage)), starts)
        if not count:
            return ""
        readable = broker.readable_ends(topics)
        undecided = behind(targets, readable, {})
        if undecided >= count:
            return f"{plural(count, 'message')} in or behind a transaction that is still open"
        running = broker.group(group_of(stage)).members
        return f"{plural(count, 'message')} before {stage}" + ("" if running else ", which is not running")

    return look

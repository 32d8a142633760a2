"""End a worker that does no work any more, so that its supervisor starts a new one.

Faust and aiokafka can stay alive without consuming (their own detectors only log). Two signs are watched from
a thread of its own: the event loop turns, and where messages wait for this worker, batches are finished.
"""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, Protocol, TypeVar

import structlog
from kafka import TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError

from runtime import metrics
from streams.standings import standings
from streams.topic_ids import admin_of

EXIT_RESTART = 70
"""EX_SOFTWARE: ended on purpose without committing unfinished work; to be started again."""

_CHECK_SECONDS = 10.0
_LOOP_CHECKS = 6
_LAG_CHECKS = 12
_BARE_CHECKS = 3
_BACK_CHECKS = 2

T = TypeVar("T")
log = structlog.stdlib.get_logger(__name__)


def die(event: str, **details: object) -> NoReturn:
    """End the process at once with ``EXIT_RESTART``, committing nothing.

    The only way out of a failure in the middle of a batch that loses no message: everything gentler
    acknowledges the batch first. Called from an ``except`` block it logs the exception.
    """
    log.critical(event, exc_info=sys.exc_info()[0] is not None, exit_code=EXIT_RESTART, **details)
    sys.stderr.flush()
    os._exit(EXIT_RESTART)


class Stopped(Exception):
    """Asked to stop while a batch waited for something that is away. The batch is not committed."""


class Liveness:
    """The event loop's signs of life for the watchdog: counters, which a suspended machine does not upset."""

    def __init__(self) -> None:
        self.turns = 0
        self.signs_of_life = 0
        self.stopping = asyncio.Event()
        """Set once the stage accepts no more messages; waits for a service then stop."""
        self.turned_at = time.monotonic()
        """When the event loop last turned, as ``time.monotonic``; so are the next two."""
        self.progress_at = time.monotonic()
        """When a batch was last finished; before the first, the time of the start."""
        self.uncommitted_since: float | None = None
        """Since when a finished batch has been waiting for its commit."""

    def batch_done(self) -> None:
        """Note that a batch is finished and its results are stored."""
        self.progress_at = time.monotonic()
        if self.uncommitted_since is None:
            self.uncommitted_since = self.progress_at
        metrics.LAST_PROGRESS.set_to_current_time()

    def committed(self) -> None:
        """Note that offsets were committed."""
        self.uncommitted_since = None
        metrics.LAST_COMMIT.set_to_current_time()

    def mark(self) -> None:
        """Note that a batch is done, or is knowingly waiting for a service (the database)."""
        self.signs_of_life += 1

    async def wait(self, seconds: float) -> None:
        """Wait before something that is away is tried again.

        Raises:
            Stopped: the stage is ending; waiting on would keep it from that for ever.
        """
        self.mark()
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return
        raise Stopped

    async def turn(self) -> None:
        """Show that the event loop turns. Runs until cancelled."""
        while True:
            self.turns += 1
            self.turned_at = time.monotonic()
            await asyncio.sleep(1)


class Assigned(Protocol):
    """The watchdog's question about the consumer."""

    def __call__(self) -> Collection[tuple[str, int]]:
        """Return topic and partition of everything assigned to this process."""


class Watchdog(threading.Thread):
    """Ends the process when its event loop is stuck, its messages wait without progress, its topics were
    made again (``made_again`` names them), so that they are read from their beginning, or the broker forgot
    how far partitions were read (``gone_back`` names them), so that they are read from where it stands.

    Time is counted in checks of 10 s, not read from a clock, so that a machine that was asleep is not taken
    for a program that hangs: 60 s for the event loop, 120 s for messages that wait, 20 s for a broker that
    went back, 30 s where nobody in the group has partitions; then ``instance``, the worker's name in the
    group, is given up as well.
    """

    def __init__(
        self,
        liveness: Liveness,
        assigned: Assigned,
        group: str,
        topics: Collection[str],
        kafka: Mapping[str, Any],
        *,
        instance: str | None = None,
        made_again: Callable[[], list[str]] = list,
        gone_back: Callable[[], list[str]] = list,
        check_seconds: float = _CHECK_SECONDS,
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._liveness = liveness
        self._assigned = assigned
        self._group = group
        self._topics = topics
        self._kafka = kafka
        self._instance = instance
        self._made_again = made_again
        self._gone_back = gone_back
        self._check_seconds = check_seconds
        self._ended = threading.Event()

    def end(self) -> None:
        """Stop watching: the process is about to shut down cleanly."""
        self._ended.set()

    def run(self) -> None:
        """Watch until ``end``."""
        turns = signs = -1
        still = idle = bare = back = 0
        waiting: dict[TopicPartition, int] = {}
        while not self._ended.wait(self._check_seconds):
            still = still + 1 if self._liveness.turns == turns else 0
            if still >= _LOOP_CHECKS:
                faulthandler.dump_traceback(sys.stderr)
                die("the event loop is stuck")
            if topics := _answer(self._made_again):
                die("topics were made again; they are read from their beginning", topics=topics)
            partitions = _answer(self._gone_back)
            back = back + 1 if partitions else 0
            if back >= _BACK_CHECKS:
                die("the broker went back; reading goes on where it stands", partitions=partitions)
            if self._liveness.signs_of_life == signs:
                before, waiting = waiting, self._waiting()
                stuck = {tp for tp, committed in waiting.items() if before.get(tp) == committed}
                idle = idle + 1 if self._ours(stuck) else 0
                if idle >= _LAG_CHECKS:
                    die("messages wait and nothing is done about them", partitions=sorted(map(str, stuck)))
                bare = bare + 1 if stuck and not self._assigned() and self._nobody_has_any() else 0
                if bare >= _BARE_CHECKS:
                    self._leave()
                    die("messages wait and nobody in the group has partitions", group=self._group)
            else:
                idle, bare, waiting = 0, 0, {}
            turns, signs = self._liveness.turns, self._liveness.signs_of_life

    def _ours(self, stuck: Collection[TopicPartition]) -> bool:
        """Return True if this process should have worked on them: they are its own, or it has none at all.

        A worker that fell out of its group has no partitions and does not come back by itself.
        """
        assigned = set(self._assigned())
        return bool(stuck) and (not assigned or any((tp.topic, tp.partition) in assigned for tp in stuck))

    def _nobody_has_any(self) -> bool:
        """Return True if the broker holds the group for settled though none of its members has a partition.

        A leader that had no topics in sight, since the broker had only just started, gives nobody anything.
        Members with a name of their own (``group.instance.id``) then get the same nothing at every start.
        """

        def asked() -> bool:
            with admin_of(self._kafka) as admin:
                found = admin.describe_groups([self._group])[self._group]
            return found["group_state"] == "Stable" and not any(
                member["member_assignment"]["assigned_partitions"] for member in found["members"]
            )

        return _answer(asked) or False

    def _leave(self) -> None:
        """Give up our name in the group, so that its partitions are assigned again."""
        if not self._instance:
            return
        try:
            with admin_of(self._kafka) as admin:
                admin.remove_group_members(self._group, [MemberToRemove(group_instance_id=self._instance)])
        except (KafkaError, OSError) as error:
            log.warning("the group could not be left", error=str(error))

    def _waiting(self) -> dict[TopicPartition, int]:
        """Return the committed offset of each partition of the group that has later messages."""
        found = _answer(lambda: standings(self._kafka, self._group, self._topics)) or {}
        return {tp: one.reached for tp, one in found.items() if one.waiting > 0}


def _answer(ask: Callable[[], T]) -> T | None:
    """Return the broker's answer; None if it does not answer."""
    try:
        return ask()
    except (KafkaError, OSError) as error:
        log.warning("the watchdog cannot ask the broker", error=str(error))
        return None

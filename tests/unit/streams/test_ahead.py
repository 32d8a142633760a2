"""What is handled ahead of its place in a backlog: in order, in fair turns, once, and nothing is left out."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import ahead
from streams.ahead import SHARE, TURN, AheadQueue, account_of
from streams.records import Record

TOPIC = "salesbinder.invoices"
FLOOD, OTHER = "flood", "other"


def message(
    account: str, offset: int, *, partition: int = 0, record: str = "1", value: bytes = b"v"
) -> Record:
    return Record(TOPIC, partition, offset, f"{account}/{record}".encode(), value)


SMALL = message(OTHER, 0)
LARGE = bytes(900_000)


def waiting(queue: AheadQueue) -> int:
    return sum(len(one.records) for one in queue._waiting.values())


class Cycle(NamedTuple):
    read: int
    """Messages that the reader offers."""
    turn: int
    batch: int
    """Messages of the consumer; with 0, the process ends after what it handled ahead."""
    again: bool = False
    """The reader starts over."""


class Worker:
    """A stage at work on one partition from ``committed`` on, as ``streams.faust_app`` does it.

    What it handles is appended to ``handled``, which others may share with it.
    """

    def __init__(self, partition: list[Record], committed: int, handled: list[Record]) -> None:
        self.done = self._read = committed
        self._partition, self._handled = partition, handled
        self._queue = AheadQueue()

    def work(self, cycle: Cycle) -> None:
        """Let the reader offer some, handle a turn ahead, then the consumer's batch."""
        read, turn, batch, again = cycle
        if again:
            self._read = self._queue.look_again().get((TOPIC, 0), self._read)
        for record in self._partition[self._read : self._read + read]:
            self._queue.offer(record)
        self._read = min(len(self._partition), self._read + read)
        early = self._queue.turn(turn)
        self._handled += early
        self._queue.handled(early)
        events = self._partition[self.done : self.done + batch]
        self._handled += self._queue.rest_of(events)
        for event in events:
            self._queue.passed((event.topic, event.partition), event.offset)
        self.done += len(events)


cycles = st.builds(
    Cycle, read=st.integers(0, 200), turn=st.integers(1, 40), batch=st.integers(0, 60), again=st.booleans()
)
backlogs = st.tuples(
    st.integers(0, 2 * SHARE), st.lists(st.sampled_from(["a", "b", "c", FLOOD]), max_size=120)
)


def backlog(drawn: tuple[int, list[str]]) -> list[Record]:
    floods, others = drawn
    return [message(account, offset) for offset, account in enumerate([FLOOD] * floods + others)]


def first_times(handled: list[Record]) -> dict[bytes, list[int]]:
    """By account, the offsets in the order in which they were handled for the first time."""
    found: dict[bytes, dict[int, None]] = defaultdict(dict)
    for record in handled:
        found[account_of(record.key)].setdefault(record.offset)
    return {account: list(offsets) for account, offsets in found.items()}


@settings(max_examples=300)
@given(drawn=backlogs, steps=st.lists(cycles, min_size=1, max_size=8))
def test_each_is_handled_once_in_the_order_of_its_account(
    drawn: tuple[int, list[str]], steps: list[Cycle]
) -> None:
    partition = backlog(drawn)
    handled: list[Record] = []
    worker = Worker(partition, 0, handled)
    number = 0
    while worker.done < len(partition):
        cycle = steps[number % len(steps)]
        worker.work(cycle._replace(batch=max(1, cycle.batch)))
        assert set(range(worker.done)) <= {record.offset for record in handled}, "done, and not handled"
        number += 1
    assert Counter(record.offset for record in handled) == Counter(range(len(partition)))
    assert all(offsets == sorted(offsets) for offsets in first_times(handled).values())


@settings(max_examples=300)
@given(
    drawn=backlogs,
    lives=st.lists(st.tuples(st.lists(cycles, max_size=6), st.integers(0, 80)), min_size=1, max_size=5),
)
def test_a_crash_at_any_moment_repeats_and_neither_loses_nor_reorders(
    drawn: tuple[int, list[str]], lives: list[tuple[list[Cycle], int]]
) -> None:
    """What is known of the messages handled ahead is lost, and the last commits may be."""
    partition = backlog(drawn)
    handled: list[Record] = []
    committed = 0
    for steps, uncommitted in lives:
        worker = Worker(partition, committed, handled)
        for step in steps:
            worker.work(step)
        committed = max(committed, worker.done - uncommitted)
    Worker(partition, committed, handled).work(Cycle(read=0, turn=1, batch=len(partition)))
    assert {record.offset for record in handled} == set(range(len(partition)))
    assert all(offsets == sorted(offsets) for offsets in first_times(handled).values())


@settings(max_examples=300)
@given(drawn=backlogs, steps=st.lists(st.tuples(st.integers(0, 2), cycles), min_size=1, max_size=25))
def test_workers_that_have_the_same_partition_for_a_while_keep_the_order(
    drawn: tuple[int, list[str]], steps: list[tuple[int, Cycle]]
) -> None:
    """In a rebalance, a worker may go on with what it has while its successor has begun."""
    partition = backlog(drawn)
    handled: list[Record] = []
    workers = [Worker(partition, 0, handled)]
    for newer, step in steps:
        if newer == len(workers):
            workers.append(Worker(partition, workers[-1].done, handled))
        workers[min(newer, len(workers) - 1)].work(step)
    workers[-1].work(Cycle(read=0, turn=1, batch=len(partition)))
    assert {record.offset for record in handled} == set(range(len(partition)))
    assert all(offsets == sorted(offsets) for offsets in first_times(handled).values())


@given(floods=st.integers(SHARE, 2000), cycles=st.integers(0, 20), flooded_after=st.integers(0, 3 * SHARE))
def test_next_message_behind_a_flood_is_in_the_next_turn(
    floods: int, cycles: int, flooded_after: int
) -> None:
    queue = AheadQueue()
    owners = [FLOOD] * floods + [OTHER] + [FLOOD] * flooded_after
    for offset, account in enumerate(owners):
        queue.offer(message(account, offset))
    for _ in range(cycles):  # the flood's own share may have been handled, or not
        queue.handled(queue.turn(7))
    taken = [account_of(record.key).decode() for record in queue.turn(2 * TURN)]
    assert OTHER in taken or cycles > 2 * TURN / 7 - 1


@given(counts=st.lists(st.integers(1, SHARE), min_size=1, max_size=20))
def test_nobody_waits_for_more_than_the_turns_of_others(counts: list[int]) -> None:
    queue = AheadQueue()
    offset = 0
    for number, count in enumerate(counts):  # the worst order: one account's all before the next one's
        for _ in range(count):
            queue.offer(message(f"shop-{number}", offset))
            offset += 1
    taken = queue.turn(100_000)
    assert len(taken) == sum(counts)
    seen: Counter[bytes] = Counter()
    for place, record in enumerate(taken):
        account = account_of(record.key)
        rounds = seen[account] // TURN + 1
        assert place < rounds * TURN * len(counts)
        seen[account] += 1


def test_a_flood_has_its_share_and_no_more() -> None:
    queue = AheadQueue()
    for offset in range(5000):
        queue.offer(message(FLOOD, offset))
    assert [record.offset for record in queue.turn(10_000)] == list(range(SHARE))
    assert not waiting(queue)


def test_what_follows_a_message_that_is_left_waits_until_the_consumer_is_past_it() -> None:
    queue = AheadQueue()
    for offset in range(SHARE + 1):
        queue.offer(message(FLOOD, offset))
    queue.handled(queue.turn(SHARE))
    queue.offer(message(FLOOD, SHARE + 1))
    assert not waiting(queue), f"offset {SHARE} is left to the consumer, and not handled"

    queue.offer(message(FLOOD, 0, partition=1))
    assert waiting(queue), "another partition has other records"
    queue.handled(queue.turn(SHARE))

    for offset in range(SHARE + 2):
        queue.passed((TOPIC, 0), offset)
    queue.offer(message(FLOOD, SHARE + 2))
    assert [record.offset for record in queue.turn(10)] == [SHARE + 2]


def test_a_second_look_serves_those_with_more_than_a_share() -> None:
    queue = AheadQueue()
    owners = [FLOOD] * 3000 + [OTHER] * (2 * SHARE + 5)
    backlog = [message(account, offset) for offset, account in enumerate(owners)]
    others = []
    for look in range(3):
        for record in backlog:
            queue.offer(record)
        assert queue.others_are_left == (look < 2), "a flood alone is served by the consumer"
        taken = queue.turn(10_000)
        queue.handled(taken)
        others += [record for record in taken if account_of(record.key) == OTHER.encode()]
        assert queue.look_again() == {(TOPIC, 0): 0}
    assert others == backlog[3000:]


def test_a_look_through_the_backlog_passes_over_what_is_in_hand() -> None:
    queue = AheadQueue()
    records = [message(OTHER, offset) for offset in range(4)]
    for record in records[:3]:
        queue.offer(record)
    in_hand = queue.turn(2)
    queue.look_again()
    for record in records:
        queue.offer(record)
    queue.handled(in_hand)
    assert queue.turn(10) == records[2:]


def test_the_consumer_passes_over_what_is_handled_and_does_what_only_waits() -> None:
    queue = AheadQueue()
    records = [message(OTHER, offset, record=str(offset)) for offset in range(4)]
    for record in records:
        queue.offer(record)
    queue.handled(queue.turn(2))
    assert queue.rest_of(records[:3]) == records[2:3]
    for record in records[:3]:
        queue.passed((TOPIC, 0), record.offset)
    assert queue.turn(10) == records[3:]
    assert not queue.rest_of([]) and queue._remembered == 0


def test_an_offset_that_means_another_message_is_not_passed_over() -> None:
    queue = AheadQueue()
    queue.offer(message(OTHER, 7, value=b"before the broker went back"))
    queue.handled(queue.turn(1))
    other = message(OTHER, 7, value=b"after")
    assert queue.rest_of([other]) == [other]
    headed = replace(message(OTHER, 7, value=b"before the broker went back"), headers=(("ce_id", b"2"),))
    assert queue.rest_of([headed]) == [headed]


def test_offsets_that_come_again_end_the_reading_ahead_of_their_partition() -> None:
    queue = AheadQueue()
    for offset in (5, 6, 6, 7):
        queue.offer(message(OTHER, offset))
    assert [record.offset for record in queue.turn(10)] == [5, 6]
    queue.passed((TOPIC, 0), 7)
    queue.offer(message(OTHER, 8))
    assert not waiting(queue)


def test_nothing_goes_ahead_of_what_cannot_be_read() -> None:
    queue = AheadQueue()
    queue.close((TOPIC, 0), 9)
    queue.offer(message(OTHER, 10))
    assert not waiting(queue)
    queue.passed((TOPIC, 0), 9)
    queue.offer(message(OTHER, 11))
    assert not waiting(queue), "offset 10 was left"
    queue.passed((TOPIC, 0), 11)
    queue.offer(message(OTHER, 12))
    assert [record.offset for record in queue.turn(1)] == [12]


@pytest.mark.parametrize("large", [replace(SMALL, value=LARGE), replace(SMALL, headers=(("h", LARGE),))])
def test_memory_is_bounded(large: Record) -> None:
    queue = AheadQueue()
    for offset in range(2 * SHARE):
        queue.offer(replace(large, offset=offset, key=b"shop-%d/1" % (offset % 8)))
    assert queue._size < ahead.ROOM_BYTES + 1_000_000
    assert len(queue.turn(10_000)) == 8, "one that is large is taken, the second one is left"


def test_accounts_with_messages_left_are_bounded() -> None:
    queue = AheadQueue()
    for offset in range(ahead.LEFT_ACCOUNTS + 10):
        for _ in range(2):
            queue._leave(queue._partition(message("a", 0)), str(offset).encode(), offset)
    queue.offer(message("nobody-knows", ahead.LEFT_ACCOUNTS + 10))
    assert not waiting(queue), "too many to remember: closed to all"
    queue.passed((TOPIC, 0), ahead.LEFT_ACCOUNTS + 10)
    queue.offer(message("nobody-knows", ahead.LEFT_ACCOUNTS + 11))
    assert waiting(queue)


def test_beyond_what_is_remembered_messages_are_handled_twice() -> None:
    queue = AheadQueue()
    queue._remembered = ahead.REMEMBERED
    record = message(OTHER, 3)
    queue.offer(record)
    queue.handled(queue.turn(1))
    assert queue.rest_of([record]) == [record]


def test_whose_a_message_is() -> None:
    assert account_of(b"acme/17") == b"acme"
    assert account_of(b"acme") == b"acme"
    assert account_of(None) == account_of(b"") == b""
    assert len(account_of(b"x" * 4_000_000)) == 64
    longest = b"a" * 63
    assert account_of(longest + b"/17") == longest

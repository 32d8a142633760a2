"""Decide which messages of a backlog are handled ahead of their place in it: the pure part, without I/O.

A partition holds the messages of all accounts, so one account's flood stands before everybody else's next
message. A second reader therefore looks through the backlog ahead of the consumer, and keeps up to ``SHARE``
messages of each account here. They are handled in turns between the consumer's batches; when the consumer
comes to such a message, it passes over it. What goes beyond an account's share is *left* to the consumer,
together with all that follows of that account in that partition, until the consumer is past it or the reader
looks through the backlog again.

So nothing depends on what is kept here. The consumer alone says how far a partition is done, and reads
everything; if this memory is lost, messages are handled twice, which every stage takes anyway. What must hold
is the order: a message is handled only when all earlier ones of its account in its partition have been.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from streams.records import Record

SHARE = 100
"""Messages of one account that wait to be handled ahead, in all partitions together."""
SHARE_BYTES = 1024 * 1024
"""Bytes of them, if there is more than one."""
ROOM_BYTES = 8 * 1024 * 1024
"""Bytes of all accounts together, past which the reader waits."""
TURN = 10
"""Messages of one account that are handled before it is the next one's turn."""
REMEMBERED = 50_000
"""Messages handled ahead that the consumer has not come to yet. Beyond these they are handled twice."""
LEFT_ACCOUNTS = 10_000
"""Accounts of one partition with messages left to the consumer. Beyond these it is closed to all of them."""
_FOR_GOOD = 2**63
_ACCOUNT_BYTES = 64
"""An account's name and the ``/`` behind it, at most."""
_OVERHEAD, _HEADER_OVERHEAD = 500, 150
"""About how many bytes a message takes besides its content, and each header besides its own."""

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(slots=True)
class _Waiting:
    """One account's messages in the order in which they were read."""

    records: deque[Record] = field(default_factory=deque)
    size: int = 0


@dataclass(slots=True)
class _Partition:
    done: int = 0
    """All offsets below are handled, as far as the consumer has told."""
    first: int = -1
    """The reader's first offset."""
    seen: int = -1
    """The reader's last offset."""
    closed: int = -1
    """Up to this offset everything is left to the consumer, of every account."""
    left: dict[bytes, int] = field(default_factory=dict)
    """By account, the last offset that is left to the consumer."""
    ahead: dict[int, int] = field(default_factory=dict)
    """Offsets that are handled although the consumer has not come to them, with a digest of the content: a
    broker that went back to an older copy gives an offset to another message.
    """

    def saw(self, offset: int) -> None:
        """Note what the reader has come to."""
        self.seen = offset
        if self.first < 0:
            self.first = offset


class AheadQueue:
    """Holds what is handled ahead during one backlog.

    It must be given every message of a partition, from the first one on that is not handled.
    """

    def __init__(self) -> None:
        self._partitions: dict[Place, _Partition] = {}
        self._waiting: dict[bytes, _Waiting] = {}
        """Accounts in the order of their turns."""
        self._in_hand: set[tuple[str, int, int]] = set()
        """Places of what is being handled ahead."""
        self._size = 0
        self._remembered = 0

    @property
    def full(self) -> bool:
        """True while the reader must wait."""
        return self._size >= ROOM_BYTES

    # What the reader tells

    def offer(self, record: Record) -> None:
        """Take a message, or leave it to the consumer."""
        partition = self._partition(record)
        if record.offset <= partition.seen:
            partition.closed = _FOR_GOOD  # what its offsets mean now is not known
            return
        partition.saw(record.offset)
        if self._needs_nothing(partition, record):
            return
        account = account_of(record.key)
        waiting = self._waiting.get(account)
        if self._must_wait(partition, account) or (waiting and _is_full(waiting, record)):
            self._leave(partition, account, record.offset)
            return
        waiting = self._waiting.setdefault(account, _Waiting())
        waiting.records.append(record)
        waiting.size += _size(record)
        self._size += _size(record)

    def close(self, place: Place, last: int) -> None:
        """Leave everything up to ``last`` to the consumer: nobody knows whose messages these were."""
        partition = self._partitions.setdefault(place, _Partition())
        partition.closed = max(partition.closed, last)
        partition.saw(last)

    @property
    def lead(self) -> int:
        """How many offsets the reader is ahead of the consumer, in all partitions together."""
        return sum(max(0, one.seen + 1 - max(one.done, one.first)) for one in self._partitions.values())

    @property
    def others_are_left(self) -> bool:
        """True if looking again is worth it: more than one account has messages left to the consumer, which
        for one flood alone does nothing but serve it.
        """
        accounts: set[bytes] = set()
        for partition in self._partitions.values():
            if partition.done <= partition.closed < _FOR_GOOD:
                return True
            accounts.update(name for name, last in partition.left.items() if last >= partition.done)
        return len(accounts) > 1

    def look_again(self) -> dict[Place, int]:
        """Return from where the reader must read again, by partition that it has read from; what waits is
        offered again.
        """
        self._waiting.clear()
        self._size = 0
        for partition in self._partitions.values():
            partition.left.clear()
            if partition.closed < _FOR_GOOD:
                partition.seen = partition.closed = -1
        return {place: one.done or one.first for place, one in self._partitions.items() if one.first >= 0}

    # What the stage asks

    def turn(self, most: int) -> list[Record]:
        """Return the next messages to be handled ahead, up to ``most``: ``TURN`` of each account, then of
        each again.

        They must be handled, and reported with ``handled``, before the next ones are asked for.
        """
        taken: list[Record] = []
        while self._waiting and len(taken) < most:
            account = next(iter(self._waiting))
            waiting = self._waiting.pop(account)
            turn = 0
            while waiting.records and turn < TURN and len(taken) < most:
                record = waiting.records.popleft()
                waiting.size -= _size(record)
                self._size -= _size(record)
                if record.offset >= self._partition(record).done:
                    taken.append(record)
                    turn += 1
            if waiting.records:
                self._waiting[account] = waiting
        self._in_hand = {_place(record) for record in taken}
        return taken

    def handled(self, records: Iterable[Record]) -> None:
        """Note that all that these messages cause is stored."""
        self._in_hand = set()
        for record in records:
            if self._remembered < REMEMBERED:
                self._partition(record).ahead[record.offset] = _digest(record)
                self._remembered += 1

    def rest_of(self, records: Sequence[Record]) -> list[Record]:
        """Return those of the consumer's messages that are not handled yet."""
        return [record for record in records if not _is_handled(self._partition(record), record)]

    def passed(self, place: Place, offset: int) -> None:
        """Note that the consumer is done with everything up to ``offset``, that one included."""
        partition = self._partitions.setdefault(place, _Partition())
        partition.done = max(partition.done, offset + 1)
        if partition.ahead.pop(offset, None) is not None:
            self._remembered -= 1

    def _partition(self, record: Record) -> _Partition:
        place = record.topic, record.partition
        found = self._partitions.get(place)
        if found is None:
            found = self._partitions[place] = _Partition()
        return found

    def _needs_nothing(self, partition: _Partition, record: Record) -> bool:
        done = record.offset < partition.done
        return done or _place(record) in self._in_hand or _is_handled(partition, record)

    def _must_wait(self, partition: _Partition, account: bytes) -> bool:
        """Return True if the consumer has yet to come past an earlier message of the account."""
        return max(partition.closed, partition.left.get(account, -1)) >= partition.done

    def _leave(self, partition: _Partition, account: bytes, offset: int) -> None:
        partition.left[account] = offset
        if len(partition.left) > LEFT_ACCOUNTS:
            partition.left = {name: last for name, last in partition.left.items() if last >= partition.done}
        if len(partition.left) > LEFT_ACCOUNTS:
            partition.closed = max(partition.closed, offset)
            partition.left.clear()


def account_of(key: bytes | None) -> bytes:
    """Return the account that a key names, blank if there is no key. Of a key that names none, its first
    bytes: any message has a turn.
    """
    return (key or b"")[:_ACCOUNT_BYTES].partition(b"/")[0]


def _place(record: Record) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _is_handled(partition: _Partition, record: Record) -> bool:
    digest = partition.ahead.get(record.offset)
    return digest is not None and digest == _digest(record)


def _is_full(waiting: _Waiting, record: Record) -> bool:
    return len(waiting.records) >= SHARE or waiting.size + _size(record) > SHARE_BYTES


def _size(record: Record) -> int:
    headers = sum(_HEADER_OVERHEAD + len(name) + len(content) for name, content in record.headers)
    return _OVERHEAD + len(record.key or b"") + len(record.value or b"") + headers


def _digest(record: Record) -> int:
    return hash((record.key, record.value, record.headers))

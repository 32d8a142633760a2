"""Read record batches as the broker stores them, so that nothing in them can stop a reader.

The clients' own readers raise for unreadable data, and come back to it for ever. Here it becomes one item
with its offsets and its fault, and the reading goes on behind it. Only committed records are read: aborted
ones and the markers of transactions are skipped.

Formats: https://kafka.apache.org/documentation/#messageformat (magic 2, and 0 and 1 of old brokers).
"""

import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crc32c import crc32c

from streams.codecs import TooLarge, Undecodable, decompress

MAX_DECOMPRESSED = 64 * 1024 * 1024
"""A batch that decompresses to more is set aside."""
MAX_RECORD = 8 * 1024 * 1024
"""A record with more in key, value and headers together is set aside; it can only come compressed."""
MAX_HEADERS = 1000
"""A record with more headers is set aside: headers of two bytes would become a hundred times as large."""
EXCERPT = 1024
"""Bytes of an unreadable record that are kept."""

LOG_HEADER = 12
"""Bytes of the offset and the length with which every batch begins."""
_HEADER = struct.Struct(">qiibIhiqqqhii")
_OLD_HEADER = struct.Struct(">qiIbb")
_CRC_FROM = 21
_OLD_CRC_FROM = 16
_CODEC, _TRANSACTIONAL, _CONTROL, _APPEND_TIME = 0x07, 0x10, 0x20, 0x08
_ABORT = b"\x00\x00\x00\x00"
_INT32 = struct.Struct(">i")
_INT64 = struct.Struct(">q")

Headers = tuple[tuple[str, bytes], ...]
Aborted = tuple[int, int]
"""Producer and first offset of an aborted transaction, as the broker names them in its response."""


class Unreadable(bytes):
    """The value of a record that stands for something unreadable: its first bytes."""

    first: int
    """The first offset that is set aside; the record's own offset is the last."""
    problem: str

    @classmethod
    def of(cls, data: bytes | memoryview, first: int, problem: str) -> "Unreadable":
        """Keep an excerpt of ``data``."""
        made = cls(bytes(data[:EXCERPT]))
        made.first, made.problem = first, problem
        return made


class Passed(bytes):
    """The value of a record that only says that there is nothing more to read up to here."""


PASSED = Passed()


@dataclass(slots=True)  # not frozen, which would double the time that making one takes
class Fetched:
    """One record. ``at`` is its time on the topic in milliseconds since 1970; -1 if it has none."""

    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        held = 500 + len(self.key or b"") + len(self.value or b"")
        for name, content in self.headers:
            held += len(name) + len(content) + 150
        return held


class _Broken(Exception):
    """The bytes are not a batch, or not a record."""


class Records(Iterator[Fetched]):
    """The records of one partition in one answer of the broker, in order.

    ``position`` is the offset to be fetched next, at every moment. Where the answer ends with offsets that
    hold nothing to be read, the last record's value is ``PASSED``, so that code that commits offsets of
    records comes past them too.

    Args:
        data: what the broker sent, which may end in the middle of a batch.
        position: the offset that was asked for; records before it are passed over.
        aborted: transactions that were aborted.
        end: the first offset that nobody could read when the broker looked it up, where that is known; what
            begins there or behind it is left for its next answer.
    """

    def __init__(
        self, data: bytes, position: int, aborted: Iterable[Aborted] = (), end: int | None = None
    ) -> None:
        self.position = position
        self.end = end if end is not None and end > position else None
        self._data = memoryview(data)
        self._waiting = deque(sorted(aborted, key=lambda one: one[1]))
        self._aborting: set[int] = set()
        self._records = self._read()

    def __iter__(self) -> "Records":
        return self

    def __next__(self) -> Fetched:
        record = next(self._records)
        self.position = record.offset + 1
        return record

    def _read(self) -> Iterator[Fetched]:
        at, told = 0, self.position
        while len(self._data) - at >= LOG_HEADER:
            base, length = struct.unpack_from(">qi", self._data, at)
            end = at + LOG_HEADER + length
            if length > 0 and end > len(self._data) and at:
                break  # cut by the fetch's size, which never happens to the first one
            if at and self.end is not None and base >= self.end:
                break  # the broker looks up the end before it reads: this came in between, or is no batch
            batch = self._data[at : max(end, at + LOG_HEADER)]
            broken = False
            for record in self._batch(base, batch, at):
                broken = isinstance(record.value, Unreadable)
                if record.offset >= self.position:
                    told = record.offset + 1
                    yield record
            if broken:
                # What it said about transactions is unknown; the broker's next answer says it again.
                return
            at = end
        if self.position > told:
            yield Fetched(self.position - 1, -1, None, PASSED)

    def _batch(self, base: int, batch: memoryview, at: int) -> Iterator[Fetched]:
        """Yield the batch's records, with a broken part as one ``Unreadable`` at the last of its offsets."""
        first, last = base, self._last(base, batch, at)
        try:
            magic = batch[16] if len(batch) > 16 else -1
            if self.end is not None and base >= self.end:
                raise _Broken(f"it says that it begins at {base}, which is behind the partition's end")
            if magic in (0, 1):
                records = _old_records(batch)
            elif magic == 2:
                records = self._committed(batch)
            else:
                raise _Broken(f"it is of format {magic}, which there is not")
            for record in records:
                first = record.offset + 1
                yield record
        except (_Broken, Undecodable, TooLarge, struct.error, IndexError) as error:
            problem = str(error) or "it ends too early"
            last = max(last, first)
            if self.end is not None and last >= self.end:
                last = first
            if self.end is not None and last >= self.end:
                last = self.position
            last = max(last, self.position)
            yield Fetched(last, -1, None, Unreadable.of(batch, min(first, last), problem))
        else:
            self.position = max(self.position, last + 1)

    def _last(self, base: int, batch: memoryview, at: int) -> int:
        """Return the last offset of a batch, of which nothing but its place is certain yet."""
        following = at + len(batch)
        behind = None
        if len(self._data) - following >= LOG_HEADER:
            [behind] = _INT64.unpack_from(self._data, following)
        if len(batch) < 27 or batch[16] != 2:
            said = base
        else:
            [delta] = _INT32.unpack_from(batch, 23)
            said = base + delta
        if said < base or (behind is not None and said >= behind > base):
            said = base if behind is None or behind <= base else behind - 1
        return said

    def _committed(self, batch: memoryview) -> Iterator[Fetched]:
        """Yield the batch's records; nothing of one that was aborted, or that is a marker."""
        if len(batch) < _HEADER.size:
            raise _Broken("it is shorter than its header")
        (base, length, _, _, crc, attributes, delta, start, end, producer, _, _, count) = _HEADER.unpack_from(
            batch
        )
        if length != len(batch) - LOG_HEADER:
            raise _Broken(f"it says that it has {length:,} bytes, and has {len(batch) - LOG_HEADER:,}")
        if crc32c(batch[_CRC_FROM:]) != crc:
            raise _Broken("its checksum is wrong")
        if delta < 0:
            raise _Broken("it ends before it begins")
        while self._waiting and self._waiting[0][1] <= base + delta:
            self._aborting.add(self._waiting.popleft()[0])
        if attributes & _CONTROL:
            if _is_abort(batch[_HEADER.size :]):
                self._aborting.discard(producer)
            return
        if attributes & _TRANSACTIONAL and producer in self._aborting:
            return
        payload = decompress(attributes & _CODEC, batch[_HEADER.size :], MAX_DECOMPRESSED)
        yield from _records(memoryview(payload), base, delta, count, start, end, attributes & _APPEND_TIME)


def _is_abort(payload: memoryview) -> bool:
    """Return True if a control batch ends a transaction by aborting it: the key is a version and
    a type, 0.
    """
    at = _varint(payload, 0)[1]
    at = _varint(payload, at + 1)[1]
    at = _varint(payload, at)[1]
    size, at = _varint(payload, at)
    return size >= len(_ABORT) and bytes(payload[at + 2 : at + 4]) == _ABORT[2:]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return a zigzag number of up to ten bytes, and the position after it."""
    byte = data[at]
    at += 1
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at
    value, shift = byte & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise _Broken("a length in it has more than ten bytes")


def _records(
    data: memoryview, base: int, last: int, count: int, start: int, end: int, append_time: int
) -> Iterator[Fetched]:
    at, before = 0, -1
    for number in range(count):
        if at >= len(data):
            raise _Broken(f"it says that it has {count:,} records, and has {number:,}")
        length, at = _varint(data, at)
        until = at + length
        if length < 0 or until > len(data):
            raise _Broken(f"a record says that it has {length:,} bytes, which there are not")
        passed, at = _varint(data, at + 1)
        delta, at = _varint(data, at)
        if not before < delta <= last:
            raise _Broken(f"a record has offset {base + delta}, which is none of the batch's")
        before = delta
        yield _record(data[at:until], base + delta, end if append_time else start + passed)
        at = until
    if at < len(data):
        raise _Broken(f"there are {len(data) - at:,} bytes behind its {count:,} records")


def _record(data: memoryview, offset: int, time: int) -> Fetched:
    """Return one record from its key on, which has to end where the bytes do."""
    key, at = _bytes(data, 0)
    if len(data) > MAX_RECORD:
        shown = None if key is None else key[:EXCERPT]
        problem = f"the record has {len(data):,} bytes, the largest that is read has {MAX_RECORD:,}"
        return Fetched(offset, time, shown, Unreadable.of(data[at:], offset, problem))
    value, at = _bytes(data, at)
    number, at = _varint(data, at)
    if number < 0 or number * 2 > len(data) - at:
        raise _Broken(f"a record says that it has {number:,} headers, which there are not")
    if number > MAX_HEADERS:
        shown = None if key is None else key[:EXCERPT]
        problem = f"the record has {number:,} headers, at most {MAX_HEADERS:,} are read"
        return Fetched(offset, time, shown, Unreadable.of(value or b"", offset, problem))
    headers = []
    for _ in range(number):
        name, at = _bytes(data, at)
        content, at = _bytes(data, at)
        if name is None:
            raise _Broken("a header has no name")
        headers.append((name.decode("utf-8", "backslashreplace"), content or b""))
    if at != len(data):
        raise _Broken("a record ends elsewhere than it says")
    return Fetched(offset, time, key, value, tuple(headers))


def _bytes(data: memoryview, at: int) -> tuple[bytes | None, int]:
    size, at = _varint(data, at)
    if size == -1:
        return None, at
    if size < 0 or at + size > len(data):
        raise _Broken(f"something in a record says that it has {size:,} bytes, which there are not")
    return bytes(data[at : at + size]), at + size


def _old_records(message: memoryview) -> Iterator[Fetched]:
    """Yield a message of format 0 or 1, or the messages in it: compressed, one holds a set of them."""
    offset, _, crc, magic, attributes = _OLD_HEADER.unpack_from(message)
    if zlib.crc32(message[_OLD_CRC_FROM:]) != crc:
        raise _Broken("its checksum is wrong")
    codec = attributes & _CODEC
    record = _old_record(message, offset, magic)
    if not codec:
        yield record
        return
    if codec > 3 or record.value is None:
        raise _Broken("it is compressed in a way that its format does not have")
    data = memoryview(decompress(codec, memoryview(record.value), MAX_DECOMPRESSED))
    inner = list(_old_messages(data))
    # Format 1 counts from 0; the outer offset is the last one's.
    last = inner[-1][0] if inner else 0
    for number, one in inner:
        place = offset - last + number if magic else number
        yield _old_record(one, place, one[_OLD_CRC_FROM])


def _old_messages(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(data):
        offset, length = struct.unpack_from(">qi", data, at)
        end = at + LOG_HEADER + length
        if length < 0 or end > len(data):
            raise _Broken("a message in it says that it has bytes which there are not")
        yield offset, data[at:end]
        at = end


def _old_record(message: memoryview, offset: int, magic: int) -> Fetched:
    at, time = 18, -1
    if magic == 1:
        [time] = _INT64.unpack_from(message, at)
        at += 8
    parts: list[bytes | None] = []
    for _ in range(2):
        [size] = _INT32.unpack_from(message, at)
        at += 4
        if size < -1 or at + max(size, 0) > len(message):
            raise _Broken("a message says that it has bytes which there are not")
        parts.append(None if size < 0 else bytes(message[at : at + size]))
        at += max(size, 0)
    return Fetched(offset, time, parts[0], parts[1])

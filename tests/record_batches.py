"""A writer of Kafka's record batches, for what no client writes: every field can be made to lie."""

import gzip
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import cramjam
import lz4.frame
import zstandard
from crc32c import crc32c
from kafka.codec import snappy_encode

Header = tuple[bytes | None, bytes | None]

CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "none": (0, lambda data: data),
    "gzip": (1, lambda data: gzip.compress(data, 6)),
    "gzip in two": (1, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "snappy": (2, lambda data: bytes(cramjam.snappy.compress_raw(data))),
    "snappy of Java": (2, lambda data: bytes(snappy_encode(data))),
    "lz4": (3, lambda data: bytes(lz4.frame.compress(data, block_linked=False))),
    "lz4 with sums": (
        3,
        lambda data: bytes(
            lz4.frame.compress(data, block_checksum=True, content_checksum=True, store_size=False)
        ),
    ),
    "zstd": (4, lambda data: zstandard.ZstdCompressor().compress(data)),
    "zstd without size": (4, lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data)),
}
"""How publishers compress, and the codec's number."""


def varint(number: int) -> bytes:
    """A number as records have it."""
    rest = ((number << 1) ^ (number >> 63)) & (2**64 - 1)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def sized(content: bytes | None) -> bytes:
    """Bytes behind their length."""
    return varint(-1) if content is None else varint(len(content)) + content


def record(
    delta: int,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[Header] = (),
    *,
    time: int = 0,
    length: int | None = None,
    headers_said: int | None = None,
) -> bytes:
    """One record. ``length`` and ``headers_said`` are what it says, where that is to be a lie."""
    said = len(headers) if headers_said is None else headers_said
    body = b"\0" + varint(time) + varint(delta) + sized(key) + sized(value) + varint(said)
    body += b"".join(sized(name) + sized(content) for name, content in headers)
    return varint(len(body) if length is None else length) + body


def batch(
    records: bytes,
    count: int,
    *,
    codec: str = "none",
    attributes: int | None = None,
    base: int = 0,
    last: int | None = None,
    time: int = 1_772_000_000_000,
    end_time: int | None = None,
    producer: int = -1,
    epoch: int = -1,
    sequence: int = -1,
    crc: int | None = None,
    magic: int = 2,
    length: int | None = None,
) -> bytes:
    """A batch of ``records``, which are compressed here. None stands for what is right."""
    number, compress = CODECS[codec]
    header = struct.pack(
        ">hiqqqhii",
        number if attributes is None else attributes,
        count - 1 if last is None else last,
        time,
        time if end_time is None else end_time,
        producer,
        epoch,
        sequence,
        count,
    )
    body = header + compress(records)
    whole = struct.pack(">ibI", 0, magic, crc32c(body) if crc is None else crc) + body
    return struct.pack(">qi", base, len(whole) if length is None else length) + whole


def old_message(
    key: bytes | None,
    value: bytes | None,
    *,
    magic: int = 1,
    offset: int = 0,
    attributes: int = 0,
    crc: int | None = None,
) -> bytes:
    """A message of the format before record batches."""
    import zlib

    body = struct.pack(">bb", magic, attributes) + (struct.pack(">q", 1_772_000_000_000) if magic else b"")
    for part in (key, value):
        body += struct.pack(">i", -1 if part is None else len(part)) + (part or b"")
    body = struct.pack(">I", zlib.crc32(body) if crc is None else crc) + body
    return struct.pack(">qi", offset, len(body)) + body


def marker(producer: int, *, base: int = 0, commit: bool = False) -> bytes:
    """The batch with which the broker ends a transaction."""
    key = struct.pack(">hh", 0, int(commit))
    return batch(
        record(0, key, struct.pack(">hi", 0, 0)), 1, attributes=0x30, base=base, producer=producer, epoch=0
    )


_NO_LEADER_YET = (5, 6)
"""Kafka's LEADER_NOT_AVAILABLE and NOT_LEADER_OR_FOLLOWER."""


class Wire:
    """A connection that sends batches as they are: Produce, version 7 of the protocol."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def produce(self, topic: str, partition: int, data: bytes, transactional_id: str | None = None) -> Any:
        """The broker's error code, 0 for none, and the offset; code -1 when it hung up.

        A topic that was just made has no leader for a moment: it is asked again, as every client does.
        """
        give_up = time.monotonic() + 60
        while True:
            code, offset = self._produce(topic, partition, data, transactional_id)
            if code not in _NO_LEADER_YET or time.monotonic() >= give_up:
                return code, offset
            time.sleep(0.05)

    def _produce(self, topic: str, partition: int, data: bytes, transactional_id: str | None) -> Any:
        name = topic.encode()
        said = transactional_id.encode() if transactional_id is not None else None
        body = struct.pack(">h", -1) if said is None else struct.pack(">h", len(said)) + said
        body += struct.pack(">hii", -1, 30000, 1) + struct.pack(">h", len(name)) + name
        body += struct.pack(">iii", 1, partition, len(data)) + data
        message = struct.pack(">hhi", 0, 7, 7) + struct.pack(">h", 4) + b"wire" + body
        try:
            if self._socket is None:
                host, _, port = self._address.rpartition(":")
                self._socket = socket.create_connection((host, int(port)), timeout=240)
            self._socket.sendall(struct.pack(">i", len(message)) + message)
            answer = self._read(*struct.unpack(">i", self._read(4)))
        except OSError:
            self.close()
            return -1, -1
        at = 8 + 2 + len(name) + 4
        _, code, offset = struct.unpack(">ihq", answer[at : at + 14])
        return code, offset

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read(self, size: int) -> bytes:
        assert self._socket is not None
        out = b""
        while len(out) < size:
            piece = self._socket.recv(size - len(out))
            if not piece:
                raise ConnectionError("the broker hung up")
            out += piece
        return out

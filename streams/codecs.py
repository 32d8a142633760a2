"""Decompress Kafka's codecs piece by piece, so that a small message never takes a large amount of memory.

A decompressor that is asked for everything at once takes as much memory as the message says. Every codec here
gives its output in pieces, and stops at the limit.
"""

import importlib
import zlib
from collections.abc import Callable, Iterator

NAMES = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
"""Codecs by their number in a batch's attributes."""

_LIBRARIES = {"gzip": "zlib", "snappy": "cramjam", "lz4": "lz4.frame", "zstd": "zstandard"}
_PIECE = 256 * 1024
_ZSTD_WINDOW = 2**27
"""Bytes. Publishers use 8 MB at most; 128 MB is the limit of the library itself."""
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16


class Undecodable(Exception):
    """Bytes that their codec cannot have made."""


class TooLarge(Exception):
    """The bytes decompress to more than the limit."""


def missing_libraries() -> list[str]:
    """Return the codecs whose library cannot be imported, each with the library's name."""
    missing = []
    for codec, module in _LIBRARIES.items():
        try:
            importlib.import_module(module)
        except ImportError:
            missing.append(f"{codec} ({module.partition('.')[0]})")
    return missing


def decompress(codec: int, payload: memoryview, limit: int) -> bytearray | memoryview:
    """Return the content of a batch, decompressed; codec 0 gives the payload itself.

    Args:
        codec: its number in the batch's attributes.
        payload: the compressed bytes.
        limit: most bytes that it may become.

    Raises:
        Undecodable: unknown codec, or bytes that are broken or end too early.
        TooLarge: more than ``limit`` bytes.
    """
    if codec == 0:
        return payload
    if codec not in _PIECES:
        raise Undecodable(f"there is no codec {codec}")
    whole = bytearray()
    try:
        for piece in _PIECES[codec](payload, limit):
            if len(whole) + len(piece) > limit:
                raise TooLarge(f"it becomes more than {limit:,} bytes when it is decompressed")
            whole += piece
    except (TooLarge, Undecodable):
        raise
    # Each library has errors of its own, some of them without a common class.
    except Exception as error:
        raise Undecodable(f"{NAMES[codec]} cannot be decompressed: {error}") from error
    return whole


def _gzip(payload: memoryview, limit: int) -> Iterator[bytes]:
    """Yield one or more gzip members; zlib's own framing is taken too, as Java's reader does not mind."""
    rest: bytes | memoryview = payload
    while len(rest):
        member = zlib.decompressobj(32 + zlib.MAX_WBITS)
        while not member.eof:
            piece = member.decompress(rest, _PIECE)
            if not piece and not member.unconsumed_tail and not member.eof:
                raise Undecodable("gzip ends too early")
            yield piece
            rest = member.unconsumed_tail
        rest = member.unused_data


def _snappy(payload: memoryview, limit: int) -> Iterator[bytes]:
    """Yield a raw block, as librdkafka writes it, or the framing of Java's library."""
    if bytes(payload[: len(_XERIAL)]) != _XERIAL:
        yield _snappy_block(payload, limit)
        return
    at, made = _XERIAL_HEADER, 0
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 4], "big")
        block = payload[at + 4 : at + 4 + size]
        if len(block) < size or not size:
            raise Undecodable("snappy ends too early")
        piece = _snappy_block(block, limit - made)
        made += len(piece)
        yield piece
        at += 4 + size


def _snappy_block(block: memoryview, limit: int) -> bytes:
    """Return one block. It begins with its length, which the library takes as memory before it reads on."""
    import cramjam

    length = shift = 0
    for byte in block[:5]:
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    if length > limit:
        raise TooLarge(f"it says that it becomes {length:,} bytes when it is decompressed")
    return bytes(cramjam.snappy.decompress_raw(block))


def _lz4(payload: memoryview, limit: int) -> Iterator[bytes]:
    """Yield one or more frames, with or without content size and checksums, blocks linked or not."""
    import lz4.frame

    rest: bytes | memoryview | None = payload
    while rest:
        frame = lz4.frame.LZ4FrameDecompressor()
        piece = frame.decompress(rest, max_length=_PIECE)
        yield piece
        while not frame.eof:
            piece = frame.decompress(b"", max_length=_PIECE)
            if not piece and not frame.eof:
                raise Undecodable("lz4 ends too early")
            yield piece
        rest = frame.unused_data


def _zstd(payload: memoryview, limit: int) -> Iterator[bytes]:
    """Yield one or more frames, with or without content size."""
    import zstandard

    rest: bytes | memoryview = payload
    while len(rest):
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        # A piece of zstd may become 128 KB for a few bytes: small pieces in keep the pieces out small.
        for at in range(0, len(rest), _ZSTD_INPUT):
            yield frame.decompress(rest[at : at + _ZSTD_INPUT])
            if frame.eof:
                break
        if not frame.eof:
            raise Undecodable("zstd ends too early")
        used = at + min(_ZSTD_INPUT, len(rest) - at) - len(frame.unused_data)
        rest = rest[used:]


_ZSTD_INPUT = 1024

_PIECES: dict[int, Callable[[memoryview, int], Iterator[bytes]]] = {1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}

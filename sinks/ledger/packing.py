"""Pack the bodies that the ledger keeps: JSON of a kilobyte, too small for PostgreSQL to compress.

A packed body is one byte, the number of its dictionary, and then a frame of zstd made with that dictionary:
the file ``packing_N.jsonl``, which has the names that bodies have in the order in which they stand there. A
body that is not packed is JSON, which begins with no such byte, so both are read wherever a body may stand.

A file of a dictionary is never changed, since what was packed with it can only be read with it.
"""

import threading
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from runtime.database import Row

_NEWEST = 1
"""The dictionary with which bodies are packed."""
_LEVEL = 3
"""Higher ones take several times as long, for a twentieth less."""
_LARGEST = 65_536
"""Bytes. What is larger stays as it is: PostgreSQL compresses it itself, and the archive, which takes as many
bodies at once as fit in its memory, counts them by their stored size.
"""


class UnknownDictionary(ValueError):
    """The body was packed by a newer version."""


class _Codec(threading.local):
    """zstd with each dictionary. Its objects must not be used by two threads at once."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(_LEVEL, dict_data=_DICTIONARIES[_NEWEST]).compress
        self.unpack = {
            number: zstandard.ZstdDecompressor(dict_data=dictionary).decompress
            for number, dictionary in _DICTIONARIES.items()
        }


def pack(body: bytes) -> bytes:
    """Return a body, which is JSON, packed; as it is if it is large, or would not become smaller."""
    if len(body) > _LARGEST:
        return body
    packed = bytes((_NEWEST,)) + _codec.pack(body)
    return packed if len(packed) < len(body) else body


def unpack(stored: bytes) -> bytes:
    """Return the body of what ``pack`` made, or of what was never packed, byte for byte.

    Raises:
        UnknownDictionary: a newer version has packed it.
        zstandard.ZstdError: it is damaged.
    """
    if not stored or stored[0] >= _TEXT:
        return stored
    if stored[0] not in _codec.unpack:
        raise UnknownDictionary(f"a body is packed with dictionary {stored[0]}, which this version lacks")
    return _codec.unpack[stored[0]](stored[1:])


def element_body(row: Row) -> Any:
    """Return the body in a row of ``ledger.elements``, which holds it in one of two columns; None if neither
    does.
    """
    return row["body"] if row["packed"] is None else msgspec.json.decode(unpack(bytes(row["packed"])))


_TEXT = 9
"""The lowest byte with which JSON may begin: a tab."""
_DICTIONARIES = {
    1: zstandard.ZstdCompressionDict(
        Path(__file__).with_name("packing_1.jsonl").read_bytes(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
}
_codec = _Codec()

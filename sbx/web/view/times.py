"""Read times that PostgreSQL can hold and Python cannot as the nearest that Python can."""

from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import AdaptContext, Buffer, Loader

_EARLIEST, _LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""A day inside Python's own bounds, so that no time zone exceeds them."""
_NEAREST = {
    "timestamptz": (_EARLIEST, _LATEST),
    "timestamp": (_EARLIEST.replace(tzinfo=None), _LATEST.replace(tzinfo=None)),
    "date": (date(1, 1, 2), date(9999, 12, 30)),
}


def nearest_times(connection: psycopg.AsyncConnection[Any]) -> None:
    """Let this connection read such times. One such row in the log must not break every page."""
    for name, nearest in _NEAREST.items():
        oid = psycopg.adapters.types[name].oid
        for shape in (pq.Format.TEXT, pq.Format.BINARY):
            usual = psycopg.adapters.get_loader(oid, shape)
            if usual is not None:
                connection.adapters.register_loader(oid, _clamped(usual, shape, *nearest))


def _clamped(usual: type[Loader], shape: pq.Format, earliest: date, latest: date) -> type[Loader]:
    class Clamped:
        format = shape

        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            self._usual = usual(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._usual.load(data)
            except psycopg.DataError:
                return earliest if _is_early(bytes(data), shape) else latest

    return Clamped


def _is_early(data: bytes, shape: pq.Format) -> bool:
    """Return True for a time before the year 1. As text: ``-infinity``, ``4713-01-01 BC``, year 1 in a zone;
    in binary: the sign of the count from 2000.
    """
    if shape is pq.Format.BINARY:
        return data[0] >= 0x80
    return data.startswith((b"-", b"0001-")) or data.endswith(b"BC")

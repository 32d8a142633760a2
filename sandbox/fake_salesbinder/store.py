"""The records of one shop, with recent versions for answers that lag."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from .records import Document, Party, Tombstone

LONGEST_LAG = 120.0
"""Seconds for which replaced versions are kept."""
Kind = TypeVar("Kind", Party, Document)


class Records(Generic[Kind]):
    """The accounts, or the documents, of a shop by id. `seconds` is the fake's clock.

    Replaced versions are kept only if something `lags`."""

    def __init__(self, seconds: Callable[[], float], lags: bool) -> None:
        self._seconds, self._lags = seconds, lags
        self._now: dict[str, Kind] = {}
        self._past: dict[str, list[tuple[float, Kind | None]]] = {}
        self._orders: dict[Hashable, list[Kind]] = {}

    def put(self, record: Kind) -> None:
        """Store a new record or version."""
        self._remember(record.id)
        self._now[record.id] = record
        self._orders.clear()

    def remove(self, record_id: str) -> None:
        """Take a record away. Raises KeyError."""
        self._remember(record_id)
        del self._now[record_id]
        self._orders.clear()

    def get(self, record_id: str, lag: float = 0.0) -> Kind | None:
        """Return the record as it was `lag` seconds ago, or None if there was none."""
        if lag:
            moment = self._seconds() - lag
            for until, version in self._past.get(record_id, ()):
                if until > moment:
                    return version
        return self._now.get(record_id)

    def all(self, lag: float = 0.0) -> Iterable[Kind]:
        """Return all records as they were `lag` seconds ago, in the order in which they were made."""
        if not lag:
            return self._now.values()
        self._forget()
        ids = dict.fromkeys([*self._now, *self._past])
        return [record for record_id in ids if (record := self.get(record_id, lag)) is not None]

    def ordered(
        self, name: Hashable, order: Callable[[Iterable[Kind]], list[Kind]], lag: float
    ) -> list[Kind]:
        """Return what `order` makes of all records; kept by its `name` until something changes."""
        found = self.all(lag)
        if lag and self._past:
            return order(found)
        if name not in self._orders:
            self._orders[name] = order(found)
        return self._orders[name]

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._now

    def __len__(self) -> int:
        return len(self._now)

    def _remember(self, record_id: str) -> None:
        if not self._lags:
            return
        self._past.setdefault(record_id, []).append((self._seconds(), self._now.get(record_id)))

    def _forget(self) -> None:
        moment = self._seconds() - LONGEST_LAG
        for record_id in [key for key, versions in self._past.items() if versions[-1][0] <= moment]:
            del self._past[record_id]


class Store:
    """All that a shop holds."""

    def __init__(self, seconds: Callable[[], float], lags: bool = False) -> None:
        self.parties: Records[Party] = Records(seconds, lags)
        self.documents: Records[Document] = Records(seconds, lags)
        self.log: list[Tombstone] = []

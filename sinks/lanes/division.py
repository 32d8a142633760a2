"""Who works on what: accounts with work, divided among the deliver workers that live. Pure.

What is divided is organisations: accounts that are connected to one belong to one worker, where they share
its limits. Every worker decides by the same rules from what it sees. What two of them see may differ for a
moment, so taking is decided by the database, and no account needs these rules to have one worker at most.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

Worker = int
"""A holder's number."""


@dataclass(frozen=True, slots=True)
class Portion:
    """An organisation with work, with all of its accounts."""

    name: str
    holder: Worker | None
    """None: it is free."""
    busy: bool = True
    """False while nothing can be done: it is paused, held, or its commands are not due."""
    lasting: bool = True
    """True when it has been busy for some time: work that is done at once is not worth a change of hands."""
    weight: int = 1
    """Commands that are waiting, as far as that is known."""


def share(portions: int, workers: int) -> int:
    """Return how many portions one of the workers has at most."""
    return -(-portions // workers)


def assign(workers: Collection[Worker], portions: Iterable[Portion]) -> dict[str, Worker]:
    """Return who is to take each free portion: the worker with the least to do among those that have the
    fewest for a fair division. The heaviest portion goes first.

    What can be worked on and what cannot is divided apart, so that nobody has its share in paused accounts.
    What a worker has that does not answer is left out until its lease is over.
    """
    found = list(portions)
    busy = [portion for portion in found if portion.busy]
    rest = [portion for portion in found if not portion.busy]
    return _assigned(workers, busy) | _assigned(workers, rest)


def _assigned(workers: Collection[Worker], portions: Sequence[Portion]) -> dict[str, Worker]:
    counted = [portion for portion in portions if portion.holder is None or portion.holder in workers]
    least, most = len(counted) // len(workers), share(len(counted), len(workers))
    loads = _loads(workers, counted)
    assigned = {}
    for portion in sorted(_free(counted), key=lambda free: (-free.weight, free.name)):
        wanting = [load for load in loads.values() if load.portions < least]
        to = min(wanting or [load for load in loads.values() if load.portions < most], key=_order)
        to.add(portion)
        assigned[portion.name] = to.worker
    return assigned


def to_give(
    me: Worker, workers: Collection[Worker], portions: Iterable[Portion], movable: Collection[str]
) -> str | None:
    """Return the portion that I give back for others to take, or None if nobody has two less than me, once
    what is free is taken.

    It is the one with which the loads come closest to each other. None is given that would come back to me:
    the others have enough to do for the moment; and none while I am to take one.

    Args:
        movable: names of portions that I have had for long enough.
    """
    found = list(portions)
    lasting = [p for p in found if p.busy and p.lasting and (p.holder is None or p.holder in workers)]
    taken = assign(workers, lasting)
    loads = _loads(workers, [replace(p, holder=taken.get(p.name, p.holder)) for p in lasting])
    if me in assign(workers, found).values() or not _has_too_many(me, loads):
        return None
    gap = loads[me].weight - min(load.weight for worker, load in loads.items() if worker != me)
    candidates = [portion for portion in lasting if portion.holder == me and portion.name in movable]
    for portion in sorted(candidates, key=lambda own: (abs(gap - 2 * own.weight), own.name))[:1]:
        given = [replace(p, holder=None) if p.name == portion.name else p for p in found]
        if assign(workers, given)[portion.name] != me:
            return portion.name
    return None


def weights_matter(me: Worker, workers: Collection[Worker], portions: Iterable[Portion]) -> bool:
    """Return True if there is something to take or to give, so that weights should be known."""
    busy = [p for p in portions if p.busy and (p.holder is None or p.holder in workers)]
    free = any(portion.holder is None for portion in busy)
    return len(workers) > 1 and (free or _has_too_many(me, _loads(workers, busy)))


@dataclass(slots=True)
class _Load:
    worker: Worker
    portions: int = 0
    weight: int = 0

    def add(self, portion: Portion) -> None:
        self.portions += 1
        self.weight += portion.weight


def _loads(workers: Collection[Worker], portions: Iterable[Portion]) -> Mapping[Worker, _Load]:
    loads = {worker: _Load(worker) for worker in workers}
    for portion in portions:
        if portion.holder is not None:
            loads[portion.holder].add(portion)
    return loads


def _has_too_many(me: Worker, loads: Mapping[Worker, _Load]) -> bool:
    return loads[me].portions - min(load.portions for load in loads.values()) > 1


def _order(load: _Load) -> tuple[int, int, Worker]:
    return load.weight, load.portions, load.worker


def _free(portions: Iterable[Portion]) -> Iterable[Portion]:
    return (portion for portion in portions if portion.holder is None)

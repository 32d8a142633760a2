"""Accounts divided among workers that come, go and hang: everything has a worker, nobody has more than its
share, and nothing moves that need not.
"""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.lanes.division import Portion, assign, share, to_give

WORKERS = (1, 2, 3, 5)
PORTIONS = (1, 10, 200)


class World:
    """What the database holds: who has what. Each worker looks at it as it is at that moment."""

    def __init__(self, weights: list[int]) -> None:
        self.portions = {f"{n:03}": Portion(f"{n:03}", None, weight=w) for n, w in enumerate(weights)}
        self.workers: list[int] = []
        self.gives = 0

    def look(self, me: int) -> bool:
        """One look of a worker, as ``Leasing`` takes it. True when something changed hands."""
        found = list(self.portions.values())
        mine = [name for name, to in assign(self.workers, found).items() if to == me]
        for name in mine:
            self.portions[name] = replace(self.portions[name], holder=me)
        given = to_give(me, self.workers, found, [p.name for p in found if p.holder == me])
        if given is not None:
            assert not mine, "who has too much takes nothing"
            self.portions[given] = replace(self.portions[given], holder=None)
            self.gives += 1
        return bool(mine) or given is not None

    def settle(self, chance: Random) -> int:
        """Looks of all workers until nothing changes any more; how many rounds that took."""
        for rounds in range(1000):
            order = chance.sample(self.workers, len(self.workers))
            if sum(self.look(worker) for worker in order) == 0:
                return rounds
        raise AssertionError(f"never at rest: {self.counts()}")

    def counts(self) -> dict[int, int]:
        found = [portion.holder for portion in self.portions.values()]
        return {worker: found.count(worker) for worker in self.workers}

    def leave(self, worker: int) -> None:
        self.workers.remove(worker)
        for name, portion in self.portions.items():
            if portion.holder == worker:
                self.portions[name] = replace(portion, holder=None)

    def assert_fair(self) -> None:
        assert all(portion.holder in self.workers for portion in self.portions.values())
        counts = self.counts().values()
        assert max(counts) <= share(len(self.portions), len(self.workers))
        assert max(counts) - min(counts) <= 1


def world(portions: int, chance: Random) -> World:
    return World([chance.choice((1, 1, 2, 10, 1000)) for _ in range(portions)])


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("portions", PORTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_all_are_taken_in_one_look_and_none_is_given_back(workers: int, portions: int, seed: int) -> None:
    chance = Random(seed)
    found = world(portions, chance)
    found.workers = list(range(1, workers + 1))
    for worker in chance.sample(found.workers, workers):
        found.look(worker)
    found.assert_fair()
    assert found.settle(chance) == 0
    assert found.gives == 0


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("portions", PORTIONS)
def test_who_joins_gets_its_share_and_no_more_moves_than_that(workers: int, portions: int) -> None:
    chance = Random(1)
    found = world(portions, chance)
    found.workers = list(range(1, workers + 1))
    found.settle(chance)
    found.workers.append(99)
    found.settle(chance)
    found.assert_fair()
    assert found.gives <= portions // (workers + 1) + 1


@pytest.mark.parametrize("workers", [2, 3, 5])
@pytest.mark.parametrize("portions", PORTIONS)
def test_what_a_dead_worker_had_is_taken_in_one_look(workers: int, portions: int) -> None:
    chance = Random(2)
    found = world(portions, chance)
    found.workers = list(range(1, workers + 1))
    found.settle(chance)
    found.leave(1)
    for worker in found.workers:
        found.look(worker)
    found.assert_fair()
    assert found.gives == 0


@given(st.lists(st.sampled_from(["join", "leave", "ends", "comes"]), max_size=12), st.integers(0, 2**16))
@settings(max_examples=150, deadline=None)
def test_whatever_happens_it_comes_to_rest_and_is_fair(happenings: list[str], seed: int) -> None:
    chance = Random(seed)
    found = world(chance.choice((1, 5, 10, 30)), chance)
    found.workers = [1, 2]
    for number, happening in enumerate(happenings, 3):
        if happening == "join":
            found.workers.append(number)
        elif happening == "leave" and len(found.workers) > 1:
            found.leave(chance.choice(found.workers))
        elif happening == "ends" and len(found.portions) > 1:
            del found.portions[chance.choice(list(found.portions))]
        elif happening == "comes":
            found.portions[f"new {number}"] = Portion(f"new {number}", None, weight=chance.randint(1, 50))
        for worker in chance.sample(found.workers, chance.randint(0, len(found.workers))):
            found.look(worker)
    found.settle(chance)
    found.assert_fair()


def portions_of(*holders: int | None, **how: bool) -> list[Portion]:
    return [Portion(f"{n:03}", holder, **how) for n, holder in enumerate(holders)]


PARTS = st.lists(
    st.builds(
        Portion,
        name=st.uuids().map(str),
        holder=st.sampled_from([None, 1, 2, 3, 66]),
        busy=st.booleans(),
        lasting=st.booleans(),
        weight=st.integers(0, 100),
    ),
    max_size=30,
)


@given(PARTS, st.sampled_from([[1], [1, 2], [1, 2, 3], [1, 2, 3, 4, 5]]))
@settings(max_examples=300, deadline=None)
def test_each_free_portion_is_one_workers_and_nothing_is_given_to_oneself(
    parts: list[Portion], workers: list[int]
) -> None:
    """66 hangs: it has its leases, and no share."""
    assigned = assign(workers, parts)
    assert assigned.keys() == {part.name for part in parts if part.holder is None}
    assert set(assigned.values()) <= set(workers)
    for worker in workers:
        given_back = to_give(worker, workers, parts, [part.name for part in parts])
        if given_back is not None:
            freed = [replace(p, holder=None) if p.name == given_back else p for p in parts]
            assert assign(workers, freed)[given_back] != worker
            assert [p.busy and p.lasting and p.holder == worker for p in parts if p.name == given_back] == [
                True
            ]


def test_the_heavy_ones_do_not_come_together() -> None:
    weights = (1000, 900, 20, 10)
    found = [Portion(f"{n}", None, weight=weight) for n, weight in enumerate(weights)]
    assert assign([1, 2], found) == {"0": 1, "1": 2, "2": 2, "3": 1}


def test_the_one_is_given_that_evens_the_loads() -> None:
    found = [Portion(f"{n}", 1, weight=weight) for n, weight in enumerate((1000, 400, 10, 5))]
    assert to_give(1, [1, 2], found, ["0", "1", "2", "3"]) == "0"
    assert to_give(1, [1, 2], found, ["1", "2", "3"]) == "1"
    assert to_give(1, [1, 2], found, []) is None


def test_work_that_is_done_at_once_moves_nobody() -> None:
    assert to_give(1, [1, 2], portions_of(1, 1, 1, 1, lasting=False), ["000"]) is None
    assert to_give(1, [1, 2], portions_of(1, 1, 1, 1, busy=False), ["000"]) is None


def test_nothing_is_given_while_the_others_have_as_much_to_do_for_a_moment() -> None:
    mine = portions_of(1, 1, 1)
    theirs = [Portion(f"brief {n}", 2, lasting=False) for n in range(3)]
    assert to_give(1, [1, 2], [*mine, *theirs], [p.name for p in mine]) is None
    assert to_give(1, [1, 2], mine, [p.name for p in mine]) == "000"


def test_paused_accounts_are_nobodys_share() -> None:
    held = portions_of(2, 2, 2, 2, busy=False)
    busy = [Portion(f"busy {n}", None) for n in range(4)]
    assert sorted(assign([1, 2], [*held, *busy]).values()) == [1, 1, 2, 2]

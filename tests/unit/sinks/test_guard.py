"""A suspicion that comes while the ledger is compared is not taken for compared."""

from typing import cast

import pytest

from sinks.lanes import guard as module
from sinks.lanes.guard import Guard
from sinks.lanes.session import Pool
from sinks.ledger import store as ledger
from sinks.ledger.generation import Mark, MarkNotStored, Standing, Told
from tests.unit.sinks.quiet_lane import NoDatabase

STANDING = Standing(1, "g-1", 0, None, None, {}, {}, {})


class Kafka:
    """Counts the questions; ``meanwhile`` happens during the first."""

    def __init__(self) -> None:
        self.questions = 0
        self.guard: Guard | None = None
        self.away = False

    async def told(self) -> Told:
        self.questions += 1
        if self.questions == 1 and self.guard is not None:
            self.guard.suspects()
        if self.away:
            raise MarkNotStored("away")
        return Told(1, "g-1")

    async def publish(self, standing_number: int, name: str, mark: Mark) -> None:
        raise AssertionError("nothing is new")


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    async def held(_connection: ledger.Connection, _told: Told) -> bool:
        return False

    async def ours(_connection: ledger.Connection) -> Standing:
        return STANDING

    async def is_held(*_: object) -> list[dict[str, object]]:
        return [{"held": False, "number": 1, "id": "g-1"}]

    monkeypatch.setattr(module, "hold_if_behind", held)
    monkeypatch.setattr(module, "standing", ours)
    monkeypatch.setattr(module, "fetch_all", is_held)
    return Kafka()


@pytest.fixture
def guard(kafka: Kafka) -> Guard:
    return Guard(cast(Pool, NoDatabase()), kafka)


async def test_it_is_compared_again(kafka: Kafka, guard: Guard) -> None:
    kafka.guard = guard
    assert [await guard.holds(), await guard.holds(), await guard.holds()] == [False] * 3
    assert kafka.questions == 2


async def test_what_could_not_be_compared_stays_suspect(kafka: Kafka, guard: Guard) -> None:
    kafka.away = True
    with pytest.raises(MarkNotStored):
        await guard.holds()
    kafka.away = False
    await guard.holds()
    assert kafka.questions == 2

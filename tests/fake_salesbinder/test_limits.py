"""Facts about limits (reference §0, §8)."""

import pytest

from .conftest import Stage


def limited(**given: str) -> Stage:
    stage = Stage(**given)
    stage.world.limiter.minute = stage.world.limiter.burst = None
    return stage


def statuses(stage: Stage, calls: int, pause: float = 0.0, **named: str) -> list[int]:
    found = []
    for _ in range(calls):
        found.append(stage.call("GET", "customers.json", contextId=2, **named).status)  # type: ignore[arg-type]
        stage.later(pause)
    return found


@pytest.mark.parametrize(("setting", "burst", "minute"), [("2026", 15, 50), ("older", 18, 60)])
def test_calls_in_ten_seconds_and_in_a_minute(setting: str, burst: int, minute: int) -> None:
    """§0: "50 calls a minute and 15 in ten seconds, then a block of a minute"; §8: older 60 and 18."""
    assert statuses(limited(rates=setting), burst + 1) == [200] * burst + [429]
    assert statuses(limited(rates=setting), minute + 1, pause=59 / minute) == [200] * minute + [429]


def test_the_pace_that_a_reader_keeps_is_never_blocked() -> None:
    """§8: "stay below (40 a minute, 12 in ten seconds)"."""
    assert set(statuses(limited(), 120, pause=1.5)) == {200}


def test_a_block_lasts_a_minute() -> None:
    """§8: "a minute's block"."""
    stage = limited(calls_in_block="ignored")
    statuses(stage, 16)
    stage.later(59)
    assert statuses(stage, 1) == [429]
    stage.later(1)
    assert statuses(stage, 1) == [200]


@pytest.mark.parametrize(("setting", "status"), [("prolong", 429), ("ignored", 200)])
def test_whether_a_call_prolongs_the_block_is_a_switch(setting: str, status: int) -> None:
    """§8: "Whether calls within a block prolong it: [U], assume yes"; §14 (8); §12.18."""
    stage = limited(calls_in_block=setting)
    statuses(stage, 16)
    stage.later(30)
    statuses(stage, 1)
    stage.later(40)
    assert statuses(stage, 1) == [status]


@pytest.mark.parametrize(("setting", "status"), [("doubles", 429), ("constant", 200)])
def test_repeated_blocks_grow_by_the_switch(setting: str, status: int) -> None:
    """§0: "longer when repeated"."""
    stage = limited(block_growth=setting)
    statuses(stage, 16)
    stage.later(61)
    statuses(stage, 16)
    stage.later(61)
    assert statuses(stage, 1) == [status]


@pytest.mark.parametrize(("setting", "status"), [("never", 200), ("ten_blocks", 403)])
def test_access_may_be_lost_at_last(setting: str, status: int) -> None:
    """§0: "at last loss of access"; §8: "Loss of access after many blocks may look like" 403."""
    stage = limited(access_lost=setting, block_growth="constant")
    for _ in range(10):
        statuses(stage, 16)
        stage.later(61)
    stage.later(4000)
    assert statuses(stage, 1) == [status]


@pytest.mark.parametrize(("setting", "header"), [("absent", None), ("seconds", "60")])
def test_retry_after_is_a_switch(setting: str, header: str | None) -> None:
    """§0: "no `Retry-After` promised"."""
    stage = limited(retry_after=setting)
    statuses(stage, 15)
    reply = stage.get("customers.json", contextId=2)
    assert (reply.status, reply.headers.get("Retry-After")) == (429, header)


@pytest.mark.parametrize(
    ("setting", "other_key", "other_address"),
    [("key", 200, 429), ("account", 429, 429), ("address", 429, 200)],
)
def test_whom_the_limits_count_is_a_switch(setting: str, other_key: int, other_address: int) -> None:
    """§8: "Per what (key, user, account, address): [U] for v2"; §12.25; §14 (8): same from a second key."""
    stage = limited(limited_by=setting, calls_in_block="ignored")
    stage.shop.add_user("second")
    statuses(stage, 16)
    assert statuses(stage, 1, key="second") == [other_key]
    assert statuses(stage, 1, address="10.0.0.9") == [other_address]


def test_v3_has_an_allowance_of_its_own() -> None:
    """§8: "v2's and v3's allowances are separate"."""
    stage = limited()
    statuses(stage, 16)
    assert stage.v3("sync", start="now").status == 200

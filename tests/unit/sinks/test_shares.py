"""Accounts of one organisation: together they never overrun its limits, and each gets its part of them."""

import random
from collections import Counter, deque

import pytest

from sinks.lanes.budget import CONCURRENT
from sinks.lanes.shares import AccountBudget, Shares


class Organisation:
    """Xero's own count of one organisation: 60 in a fixed window, five at once."""

    def __init__(self) -> None:
        self.opened, self.used, self.under_way = float("-inf"), 0, 0

    def begin(self, now: float) -> None:
        assert self.under_way < CONCURRENT, "a sixth call at once"
        self.under_way += 1
        if now >= self.opened + 60.0:
            self.opened, self.used = now, 0
        assert self.used < 60, "a call too many in the minute"
        self.used += 1

    def end(self) -> dict[str, str]:
        self.under_way -= 1
        return {"x-minlimit-remaining": str(60 - self.used), "x-daylimit-remaining": "4000"}


def accounts(*apps: str) -> list[AccountBudget]:
    shares = Shares()
    made = [AccountBudget(f"account {number}", 1.0, shares) for number in range(len(apps))]
    for budget, app in zip(made, apps, strict=True):
        budget.join("tenant", app)
    return made


@pytest.mark.parametrize("apps", [("app",), ("app", "app"), ("app", "app", "app"), ("app", "other")])
@pytest.mark.parametrize("seed", range(8))
def test_backlogs_use_the_whole_minute_and_no_more_in_equal_parts(apps: tuple[str, ...], seed: int) -> None:
    """Also where Xero would count two apps apart: the organisation's own count is not overrun."""
    chance = random.Random(seed)
    xero, budgets = Organisation(), accounts(*apps)
    calls: Counter[str] = Counter()
    under_way: deque[tuple[float, AccountBudget]] = deque()
    now = 0.0
    while now < 300.0:
        while under_way and under_way[0][0] <= now:
            budget = under_way.popleft()[1]
            budget.answered(now, xero.end())
        for budget in chance.sample(budgets, len(budgets)):
            if budget.wait(now) == 0.0:
                budget.sent()
                xero.begin(now)
                calls[budget.account] += 1
                under_way.append((now + chance.uniform(0.05, 3.0), budget))
                under_way = deque(sorted(under_way, key=lambda call: call[0]))
        now += 0.02
    assert calls.total() >= 0.9 * 300
    assert max(calls.values()) - min(calls[b.account] for b in budgets) <= 0.1 * calls.total()


def test_who_comes_late_has_the_last_calls_of_the_minute() -> None:
    busy, other = accounts("app", "app")
    while busy.wait(1.0) == 0.0:
        busy.sent()
        busy.answered(1.0, {"x-minlimit-remaining": str(busy.minute_left)})
    assert busy.minute_left == 5
    assert busy.wait(2.0) == pytest.approx(54.0)
    for _ in range(5):
        assert other.wait(2.0) == 0.0
        other.sent()
        other.answered(2.0, {})
    assert (other.wait(3.0) or 0.0) > 50.0


def test_nothing_is_left_unused_when_the_minute_ends() -> None:
    busy, _ = accounts("app", "app")
    while busy.wait(1.0) == 0.0:
        busy.sent()
        busy.answered(1.0, {"x-minlimit-remaining": str(busy.minute_left)})
    assert busy.wait(56.5) == 0.0


def test_an_account_alone_keeps_nothing_for_others() -> None:
    (alone,) = accounts("app")
    for _ in range(60):
        assert alone.wait(1.0) == 0.0
        alone.sent()
        alone.answered(1.0, {})
    assert (alone.wait(1.0) or 0.0) > 0


def test_a_limit_closes_all_and_trouble_of_one_does_not() -> None:
    one, other = accounts("app", "app")
    one.close(1.0, 10.0, "xero_unavailable")
    assert one.wait(1.0) == pytest.approx(10.3)
    assert other.wait(1.0) == 0.0
    one.sent()
    headers = {"x-rate-limit-problem": "day", "retry-after": "7200"}
    one.answered(1.0, headers)
    assert one.refused(1.0, headers) == "xero_day_limit"
    assert other.wait(1.0) == pytest.approx(7200.3)
    assert other.closed_why == "xero_day_limit"


def test_other_organisations_are_others() -> None:
    shares = Shares()
    here, there = (AccountBudget(name, 1.0, shares) for name in ("here", "there"))
    here.join("one", "app")
    there.join("two", "app")
    for _ in range(CONCURRENT):
        here.sent()
    assert here.wait(1.0) is None
    assert there.wait(1.0) == 0.0
    assert there.minute_left == 60


def test_a_lane_that_ends_gives_its_calls_under_way_back_and_wakes_the_others() -> None:
    broken, other = accounts("app", "app")
    woken: list[str] = []
    other.wake = lambda: woken.append("other")
    for _ in range(CONCURRENT):
        broken.sent()
    assert other.wait(1.0) == 0.5
    broken.leave()
    assert set(woken) == {"other"}
    assert other.wait(1.0) == 0.0


def test_one_that_wanted_to_send_and_is_heard_of_no_more_holds_nobody_up() -> None:
    silent, other = accounts("app", "app")
    for _ in range(CONCURRENT):
        other.sent()
    assert silent.wait(1.0) == 0.5
    for _ in range(CONCURRENT):
        other.answered(1.1, {})
    assert other.wait(1.2) == 0.5
    assert other.wait(2.2) == 0.0

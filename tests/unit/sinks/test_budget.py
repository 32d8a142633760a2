"""Xero's limits are never exceeded by us alone, whatever order calls and answers come in."""

import random
from collections import deque

import pytest

from sinks.lanes.budget import CONCURRENT, KEPT_OF_DAY, KEPT_OF_MINUTE, Budget


class Window:
    """Xero's own count: a fixed window that starts with the first call after the one before has ended."""

    def __init__(self, limit: int = 60) -> None:
        self.limit = limit
        self.opened = float("-inf")
        self.used = 0

    def call(self, now: float) -> dict[str, str]:
        if now >= self.opened + 60.0:
            self.opened, self.used = now, 0
        assert self.used < self.limit, "a call too many"
        self.used += 1
        return {"x-minlimit-remaining": str(self.limit - self.used), "x-daylimit-remaining": "4000"}


@pytest.mark.parametrize("seed", range(20))
def test_no_window_is_overrun_and_most_of_it_is_used(seed: int) -> None:
    chance = random.Random(seed)
    xero, budget = Window(), Budget()
    now, calls = 0.0, 0
    under_way: deque[tuple[float, float]] = deque()
    while now < 600.0:
        while under_way and under_way[0][1] <= now:
            arrives, _ = under_way.popleft()
            budget.answered(now, xero.call(max(arrives, 0.0)))
        wait = budget.wait(now)
        if wait == 0.0:
            budget.sent()
            calls += 1
            under_way.append((now, now + chance.uniform(0.05, 0.4)))
            under_way = deque(sorted(under_way, key=lambda call: call[1]))
        now += 0.01
    assert calls >= 0.95 * 600


@pytest.mark.parametrize("seed", range(20))
def test_no_window_is_overrun_where_what_is_left_is_told_as_of_the_answer(seed: int) -> None:
    """A call that is answered after its minute finds nothing used of the next one, which has not begun. Calls
    take long, and work comes in bursts.
    """
    chance = random.Random(seed)
    xero, budget = Window(), Budget()
    now, rests_until = 0.0, 0.0
    arriving: list[float] = []
    answering: list[float] = []
    while now < 1800.0:
        for at in sorted(at for at in arriving if at <= now):
            arriving.remove(at)
            xero.call(at)
        for at in [at for at in answering if at <= now]:
            answering.remove(at)
            left = xero.limit - xero.used if now < xero.opened + 60.0 else xero.limit
            budget.answered(now, {"x-minlimit-remaining": str(left), "x-daylimit-remaining": "4000"})
        if now >= rests_until and budget.wait(now) == 0.0:
            budget.sent()
            arrives = now + chance.uniform(0.0, 0.3)
            arriving.append(arrives)
            answering.append(arrives + (90.0 if chance.random() < 0.02 else 0.2) * chance.random())
            if chance.random() < 0.02:
                rests_until = now + chance.uniform(0.0, 90.0)
        now += 0.01


def test_a_minute_of_calls_without_responses_ends_too() -> None:
    budget = Budget()
    for _ in range(60):
        assert budget.wait(0.0) == 0.0
        budget.sent()
        budget.lost()
    assert budget.wait(1.0) == pytest.approx(60.3)
    assert budget.wait(31.0) == pytest.approx(30.3)
    assert budget.wait(61.4) == 0.0


def test_at_most_five_at_once() -> None:
    budget = Budget()
    for _ in range(CONCURRENT):
        assert budget.wait(0.0) == 0.0
        budget.sent()
    assert budget.wait(0.0) is None
    budget.answered(0.1, {})
    assert budget.wait(0.1) == 0.0


def test_others_use_of_the_same_app_counts() -> None:
    budget = Budget()
    budget.sent()
    budget.answered(1.0, {"x-minlimit-remaining": "0"})
    assert budget.wait(2.0) == pytest.approx(59.3)
    assert budget.wait(61.4) == 0.0


def test_a_refusal_by_the_minute_waits_as_long_as_xero_says() -> None:
    budget = Budget()
    budget.sent()
    headers = {"x-rate-limit-problem": "minute", "retry-after": "17"}
    budget.answered(1.0, headers)
    assert budget.refused(1.0, headers) == "xero_minute_limit"
    assert budget.wait(1.0) == pytest.approx(17.3)
    assert budget.wait(18.4) == 0.0


def test_a_refusal_by_the_day_closes_until_then() -> None:
    budget = Budget()
    budget.sent()
    headers = {"x-rate-limit-problem": "day", "retry-after": "7200"}
    budget.answered(1.0, headers)
    assert budget.refused(1.0, headers) == "xero_day_limit"
    assert budget.wait(7000.0) == pytest.approx(201.3)


def test_a_faster_clock_makes_shorter_windows() -> None:
    budget = Budget(rate=60.0)
    budget.sent()
    budget.answered(0.0, {"x-minlimit-remaining": "0"})
    assert budget.wait(0.5) == pytest.approx(0.505)
    assert budget.wait(1.01) == 0.0


def test_calls_that_become_scarce_are_spread_over_the_rest_of_the_minute() -> None:
    budget = Budget()
    budget.sent()
    budget.answered(0.0, {"x-minlimit-remaining": "31"})
    assert budget.pace(10.0) == 0.0
    budget.sent()
    budget.answered(20.0, {"x-minlimit-remaining": "20"})
    assert budget.pace(20.3) == pytest.approx(2.0)
    assert budget.pace(61.0) == 0.0


def test_unreadable_headers_are_as_none() -> None:
    budget = Budget()
    budget.sent()
    budget.answered(0.0, {"x-minlimit-remaining": "many", "x-daylimit-remaining": ""})
    assert budget.minute_left == 59
    assert budget.day_left is None


def test_an_answer_that_was_overtaken_gives_no_call_back() -> None:
    budget = Budget()
    for _ in range(3):
        budget.sent()
    budget.answered(1.0, {"x-minlimit-remaining": "1"})
    budget.answered(1.1, {"x-minlimit-remaining": "0"})
    budget.answered(1.2, {"x-minlimit-remaining": "2"})
    assert budget.minute_left <= 0
    assert budget.in_flight == 0
    assert budget.wait(2.0) == pytest.approx(59.3)


def test_what_has_time_leaves_calls_for_live_work() -> None:
    budget, xero = Budget(), Window()
    while budget.spare(1.0):
        budget.sent()
        budget.answered(1.0, xero.call(1.0))
    assert xero.used == 60 - KEPT_OF_MINUTE
    assert budget.wait(1.0) == 0.0
    assert not budget.spare(60.0)
    assert budget.spare(61.5)


def test_what_has_time_asks_now_and_then_whether_a_new_day_has_begun() -> None:
    budget = Budget()
    budget.sent()
    budget.answered(1.0, {"x-minlimit-remaining": "59", "x-daylimit-remaining": str(KEPT_OF_DAY)})
    assert not budget.spare(2.0)
    assert not budget.spare(3_500.0)
    assert budget.spare(3_700.0)

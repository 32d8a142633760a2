"""Facts about limits (reference §3)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from xero_python.exceptions import RateLimitException

from .client import Xero
from .test_faults import until

DEFAULTS = {"minute": 60, "day": 5000, "concurrent": 5, "app_minute": 10_000}


@pytest.fixture
def limited(xero: Xero) -> Xero:
    """Xero's own limits, on a clock that stands still."""
    xero.admin.limits(**DEFAULTS)
    xero.admin.set_clock(rate=0)
    return xero


def call(xero: Xero) -> Any:
    return xero.raw("GET", "Currencies")


def test_every_answer_says_what_is_left(limited: Xero) -> None:
    answer = call(limited)
    names = ("X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining")
    assert [answer.headers[name] for name in names] == ["59", "4999", "9999"]
    assert limited.raw("GET", "Nothing").headers["X-MinLimit-Remaining"] == "58"


def test_sixty_calls_a_minute_then_429_with_retry_after(limited: Xero) -> None:
    assert [call(limited).status for _ in range(60)] == [200] * 60
    limited.admin.advance(20)
    answer = call(limited)
    assert (answer.status, answer.headers["X-Rate-Limit-Problem"], answer.headers["Retry-After"]) == (
        429,
        "minute",
        "40",
    )
    assert answer.headers["X-MinLimit-Remaining"] == "0"


def test_the_minute_is_fixed_and_starts_with_the_first_call(limited: Xero) -> None:
    call(limited)
    limited.admin.advance(59)
    assert call(limited).headers["X-MinLimit-Remaining"] == "58"
    limited.admin.advance(1.5)
    assert call(limited).headers["X-MinLimit-Remaining"] == "59"


def test_refused_calls_do_not_count(limited: Xero) -> None:
    limited.admin.limits(minute=1)
    statuses = [call(limited).status for _ in range(3)]
    assert statuses == [200, 429, 429]
    assert limited.admin.counters()["rate_limited"] == {"minute": 2}


def test_the_day_limit_has_its_own_retry_after(limited: Xero) -> None:
    limited.admin.limits(day=1)
    call(limited)
    answer = call(limited)
    assert (answer.headers["X-Rate-Limit-Problem"], answer.headers["Retry-After"]) == ("day", "86400")


def test_the_app_has_a_minute_of_its_own_across_tenants(limited: Xero) -> None:
    other = limited.admin.add_tenant("Other")
    limited.admin.limits(app_minute=1)
    call(limited)
    limited.tenant_id = other
    answer = call(limited)
    assert (answer.status, answer.headers["X-Rate-Limit-Problem"]) == (429, "appminute")


def test_tenants_do_not_share_their_minute(limited: Xero) -> None:
    call(limited)
    limited.tenant_id = limited.admin.add_tenant("Other")
    assert call(limited).headers["X-MinLimit-Remaining"] == "59"


def test_five_at_a_time_are_counted_while_they_run(limited: Xero) -> None:
    limited.admin.fault("latency", path="Currencies", times=5, seconds=600)
    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(call, limited) for _ in range(5)]
        until(lambda: 5 in limited.admin.counters()["peak_in_flight"].values())
        sixth = call(limited)
        limited.admin.clear_faults()
        assert [found.result().status for found in running] == [200] * 5
    assert (sixth.status, sixth.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    assert "Retry-After" not in sixth.headers
    assert call(limited).status == 200
    assert max(limited.admin.counters()["peak_in_flight"].values()) == 5


def test_the_by_hand_app_knows_no_limits(limited: Xero) -> None:
    limited.admin.limits(minute=1)
    by_hand = Xero(limited.server, limited.server.by_hand_client_id, limited.server.by_hand_client_secret)
    assert [call(by_hand).status for _ in range(3)] == [200] * 3
    assert call(limited).status == 200


def test_the_sdk_reads_the_limit_out_of_a_429(limited: Xero) -> None:
    limited.admin.limits(minute=1)
    call(limited)
    with pytest.raises(RateLimitException) as caught:
        limited.api.get_currencies(limited.tenant_id)
    assert caught.value.rate_limit == "minute"


def test_limits_can_be_set_for_one_tenant(limited: Xero) -> None:
    other = limited.admin.add_tenant("Other")
    limited.admin.limits(tenant_id=other, minute=7)
    assert call(limited).headers["X-MinLimit-Remaining"] == "59"
    limited.tenant_id = other
    assert call(limited).headers["X-MinLimit-Remaining"] == "6"

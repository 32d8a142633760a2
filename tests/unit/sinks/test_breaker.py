"""When an account stops by itself, and when it does not."""

import pytest

from contracts.reasons import ReasonCode
from sinks.lanes.breaker import FAILURES_BOUND, SERVER_ERRORS_SECONDS, Breaker


def fail(breaker: Breaker, code: ReasonCode, times: int) -> None:
    for _ in range(times):
        breaker.failed(code, "The widget is sad.")


@pytest.mark.parametrize("code", ["xero_refused", "our_error"])
def test_a_run_of_unforeseen_failures_stops_the_account_and_says_why(code: ReasonCode) -> None:
    breaker = Breaker()
    fail(breaker, code, FAILURES_BOUND - 1)
    assert breaker.why == "" and not breaker.holds_back(code)
    fail(breaker, code, 1)
    assert breaker.why == (
        "20 actions in a row failed for reasons that nobody foresaw, "
        f"the last one with '{code}': The widget is sad"
    )
    assert breaker.holds_back(code) and not breaker.holds_back("tax_rate_unmapped")


def test_what_the_catalogue_explains_never_stops_it() -> None:
    breaker = Breaker()
    fail(breaker, "tax_rate_unmapped", 1000)
    assert breaker.why == ""


def test_one_success_starts_the_count_anew() -> None:
    breaker = Breaker()
    fail(breaker, "our_error", FAILURES_BOUND - 1)
    breaker.posted()
    fail(breaker, "our_error", FAILURES_BOUND - 1)
    assert breaker.why == ""


@pytest.mark.parametrize("rate", [1.0, 60.0])
def test_nothing_but_server_errors_for_half_an_hour_stops_it(rate: float) -> None:
    breaker = Breaker(rate=rate)
    for second in range(0, int(SERVER_ERRORS_SECONDS), 60):
        breaker.server_error(503, 100.0 + second / rate)
    assert breaker.why == ""
    breaker.server_error(503, 100.0 + SERVER_ERRORS_SECONDS / rate)
    assert breaker.why == "Xero has answered nothing but errors of its own (HTTP 503) for 30 minutes"


def test_any_other_answer_ends_the_half_hour() -> None:
    breaker = Breaker()
    breaker.server_error(500, 0.0)
    breaker.answered()
    breaker.server_error(500, SERVER_ERRORS_SECONDS)
    assert breaker.why == ""

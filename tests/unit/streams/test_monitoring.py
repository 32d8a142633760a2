"""When a worker calls itself ready, and what the pages of its monitor say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.results import EntryResult
from runtime import metrics
from runtime.environment import Environment
from runtime.probes import Pulse
from sbx.cli.targets import free_ports
from sinks.lanes.budget import Budget
from sinks.lanes.gauges import measure_lanes, measured, outcome_of
from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.client import Answer, NoAnswer
from streams.monitoring import COMMIT_WITHIN, PROGRESS_WITHIN, Observed, not_ready
from streams.project import count
from streams.records import Record, published_at, published_header

ROOT = Path(__file__).parents[3]
GOOD = Observed(assigned=4, lag=0, since_progress=0.0, since_uncommitted=0.0, database="")


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


@pytest.mark.parametrize("seen", [GOOD, replace(GOOD, lag=500, since_progress=PROGRESS_WITHIN)])
def test_a_worker_at_work_is_ready(seen: Observed) -> None:
    assert not_ready(seen) == []


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (replace(GOOD, assigned=0), "no partitions"),
        (replace(GOOD, lag=None), "Kafka not responding"),
        (replace(GOOD, lag=7, since_progress=PROGRESS_WITHIN + 1), "7 messages wait"),
        (replace(GOOD, since_uncommitted=COMMIT_WITHIN + 1), "not committed"),
        (replace(GOOD, database="connection refused"), "database cannot be reached: connection refused"),
    ],
)
def test_it_says_why_it_is_not_ready(seen: Observed, word: str) -> None:
    (problem,) = not_ready(seen)
    assert word in problem


def test_the_page_of_metrics_is_that_of_the_code() -> None:
    shown = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert shown == metrics.page(), "run: python -m runtime.metrics > docs/metrics.md"


def test_metrics_are_named_as_prometheus_wants_it() -> None:
    names = [metrics.full_name(metric) for metric in metrics.METRICS.values()]
    assert len(set(names)) == len(names) > 20
    assert [name for name in names if not name.startswith("sbx_")] == []
    registered = {family.name for family in metrics.REGISTRY.collect() if family.name.startswith("sbx_")}
    assert {name.removesuffix("_total") for name in names} == registered


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "2xx"), (400, "4xx"), (404, "4xx"), (503, "5xx"), (429, "limit"), (401, "unauthorised"),
     (403, "unauthorised")],
)  # fmt: skip
def test_calls_are_counted_by_what_came_of_them(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome


async def test_a_call_that_was_not_sent_has_no_duration() -> None:
    async def call(error: Exception) -> Answer:
        raise error

    for error in (NotSent("late"), NoAnswer("cut")):
        with pytest.raises(type(error)):
            await measured("metered", call(error))
    assert value("sbx_xero_calls_total", route="metered", outcome="not_sent") == 1
    assert value("sbx_xero_calls_total", route="metered", outcome="no_answer") == 1
    assert value("sbx_xero_call_seconds_count", route="metered") == 1


def test_what_is_left_of_the_limits_is_shown_for_the_accounts_at_work() -> None:
    used = Budget(minute_left=12, day_left=900, in_flight=3, window_opened=machine_seconds())
    over = Budget(minute_left=0, window_opened=machine_seconds() - 61)
    measure_lanes({"acme": used, "other": over})
    assert value("sbx_lanes") == 2
    assert value("sbx_xero_calls_left", account="acme", window="minute") == 12
    assert value("sbx_xero_calls_left", account="acme", window="day") == 900
    assert value("sbx_xero_calls_under_way", account="acme") == 3
    assert value("sbx_xero_calls_left", account="other", window="minute") == 60
    assert value("sbx_xero_calls_left", account="other", window="day") is None
    measure_lanes({})
    assert value("sbx_xero_calls_left", account="acme", window="minute") is None


def test_the_time_of_publishing_travels_with_the_first_result() -> None:
    source = Record("salesbinder.invoices", 0, 1, b"acme/1", b"{}", (), 1770000000.25)
    result = Record("integration.results", 0, 9, b"acme/1", b"{}", published_header(source), 1770000003.0)
    assert published_at(result) == 1770000000.25
    assert published_at(replace(result, headers=())) is None
    assert published_header(replace(source, at=0.0)) == ()


def test_states_and_latency_are_counted_from_what_the_log_got() -> None:
    happened = datetime(2026, 3, 2, 9, tzinfo=UTC)
    posted = EntryResult(
        entry_id="m1", version=3, account="acme", entity="invoice", record_id="i", action="metered",
        state="completed", outcome="posted", queued_at=happened, event_time=happened,
        finished_at=happened + timedelta(seconds=2),
    )  # fmt: skip
    record = Record("integration.results", 0, 1, None, b"")
    before = value("sbx_states_entered_total", state="completed", detail="posted") or 0
    retried = EntryResult(
        **{f: getattr(posted, f) for f in posted.__struct_fields__} | {"triggered_by": "retry"}
    )
    count([(record, posted), (record, retried)])
    assert value("sbx_states_entered_total", state="completed", detail="posted") == before + 2
    assert value("sbx_event_to_xero_seconds_count", action="metered") == 1
    assert value("sbx_event_to_xero_seconds_sum", action="metered") == 2


def asked(probes: Pulse, path: str) -> tuple[str, str]:
    """Status and body."""
    said: list[str] = []

    def start(status: str, _headers: Any, _error: Any = None, /) -> Callable[[bytes], object]:
        said.append(status)
        return bytes

    body = b"".join(probes.answer({"PATH_INFO": path, "REQUEST_METHOD": "GET"}, start))
    return said[0], body.decode()


def test_a_process_without_partitions_is_alive_while_it_beats_and_ready_with_a_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (closed,) = free_ports("127.0.0.1", 1)
    pulse = Pulse(
        "web", Environment.read({"SBX_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{closed}/none"})
    )
    assert asked(pulse, "/healthz") == ("200 OK", "alive\n")
    status, text = asked(pulse, "/readyz")
    assert status.startswith("503") and "the database cannot be reached" in text
    status, text = asked(pulse, "/metrics")
    assert status.startswith("200") and "sbx_worker_ready 0.0" in text and 'stage="web"' in text
    monkeypatch.setattr("runtime.probes.TURNS_WITHIN", -1.0)
    assert asked(pulse, "/healthz")[0].startswith("503")
    assert asked(pulse, "/")[0].startswith("404")

"""The metrics of connected accounts."""

from datetime import timedelta
from typing import Any

import pytest

from runtime import metrics
from sources.gauges import show
from sources.schedule.scans import Finished
from sources.schedule.stock import Progress
from sources.store.overview import ProblemCount
from tests.unit.ops.test_source_report import NOON, overview


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"sbx_source_{name}", labels)


def test_an_account_shows_how_it_stands_and_one_that_is_gone_shows_nothing() -> None:
    problem = ProblemCount("sums_disagree", 3, 3, NOON, "", "")
    show([overview(trouble="salesbinder_blocked", problems=[problem], untold=5)])
    assert value("trouble", account="acme", reason="salesbinder_blocked") == 1
    assert value("problems", account="acme", reason="sums_disagree") == 3
    assert value("layer_age_seconds", account="acme", layer="log") == 30
    assert value("layer_age_seconds", account="acme", layer="delta") is None
    late = overview().lateness["correction"].most.total_seconds()
    assert value("latest_seconds", account="acme", kind="correction") == late
    assert value("wanted", account="acme", what="events") == 5
    assert value("stock_ratio", account="acme") == 1
    show([])
    assert value("trouble", account="acme", reason="salesbinder_blocked") is None
    assert value("stock_ratio", account="acme") is None


@pytest.mark.parametrize(
    ("stock", "share"),
    [
        ({"invoices": Progress(50, 200, False), "orders": Progress(0, 0, True)}, 0.25),
        ({"invoices": Progress(200, 200, False)}, 0.999),
        ({"invoices": Progress(50, None, False)}, 0.0),
        ({"invoices": Progress(50, 50, True)}, 1.0),
    ],
)
def test_the_share_is_whole_only_once_all_is_done(stock: Any, share: float) -> None:
    assert overview(stock=stock).stock_share == share


def test_a_layer_is_as_old_as_its_oldest_list() -> None:
    finished = {
        f"delta/{listing}": Finished(started=NOON - timedelta(seconds=age), asked=NOON, count=0)
        for listing, age in (("customers", 10), ("suppliers", 50), ("invoices", 20), ("orders", 30))
    }
    assert overview(finished=finished).age("delta") == timedelta(seconds=50)
    finished.pop("delta/orders")
    assert overview(finished=finished).age("delta") is None

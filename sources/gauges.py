"""Metrics of the connected accounts."""

from collections.abc import Sequence
from typing import Final, get_args

from runtime import metrics
from sources.schedule.layers import Layer
from sources.store.overview import Overview

_LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
_GAUGES: Final = (
    metrics.SOURCE_TROUBLE,
    metrics.SOURCE_PROBLEMS,
    metrics.SOURCE_LATEST,
    metrics.SOURCE_AGE,
    metrics.SOURCE_STOCK,
    metrics.SOURCE_WANTED,
)


def show(found: Sequence[Overview]) -> None:
    """Show how these accounts stand, and no others."""
    for gauge in _GAUGES:
        gauge.clear()
    for each in found:
        _show(each)


def _show(found: Overview) -> None:
    account = found.account
    if found.trouble is not None:
        metrics.SOURCE_TROUBLE.labels(account, found.trouble).set(1)
    for problem in found.problems:
        metrics.SOURCE_PROBLEMS.labels(account, problem.code).set(problem.count)
    for kind, late in found.lateness.items():
        metrics.SOURCE_LATEST.labels(account, kind).set(late.most.total_seconds())
    for layer in _LAYERS:
        if (age := found.age(layer)) is not None:
            metrics.SOURCE_AGE.labels(account, layer).set(age.total_seconds())
    metrics.SOURCE_STOCK.labels(account).set(found.stock_share)
    waiting = {"details": found.wanted, "events": found.untold, "history": found.history}
    for what, count in waiting.items():
        metrics.SOURCE_WANTED.labels(account, what).set(count)

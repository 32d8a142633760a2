"""How a SalesBinder account is read, in the words of the page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from contracts.reasons import CATALOGUE, render
from sbx.actions.source_report import UNMEASURED, evidence_of
from sbx.web.view.labels import ACTIONS, span
from sources.schedule.deep import deep_period
from sources.schedule.layers import Layer, period
from sources.schedule.trust import may_relax
from sources.store.overview import Overview

_CORRECTION: Final = "Payment's day or reference corrected"
LAYERS: Final[dict[Layer, tuple[str, str]]] = {
    "delta": ("Changes", "accounts and documents that SalesBinder says were changed"),
    "log": ("Deletions", "the log of deleted records"),
    "newest": ("Newest", "the newest invoices and orders"),
    "open": ("Open documents", "all invoices and orders that are not settled"),
    "wide": ("Last two days", "what was changed or deleted in two days, once more"),
    "all": ("Everything", "every row of every list"),
}
"""Name and meaning of each layer, in the order in which they are asked."""
LISTS: Final = {
    "customers": "customers",
    "suppliers": "suppliers",
    "invoices": "invoices",
    "orders": "purchase orders",
}


def refused_lists(given: str) -> list[str]:
    """Return the lists that a key may not read, in words, from their names in an address."""
    return [LISTS[name] for name in given.split(",") if name in LISTS]


@dataclass(frozen=True, slots=True)
class State:
    """A badge, and what it means."""

    look: str
    mark: str
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why SalesBinder gives no answers."""

    reason: str
    remedy: str
    retry: str
    is_key: bool
    """Whether another key is what helps."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """How a layer is read."""

    name: str
    meaning: str
    age: timedelta | None
    every: timedelta
    due: str = ""
    """Of one that is never read whole: what is due."""


@dataclass(frozen=True, slots=True)
class KindRow:
    """How a kind of change is found."""

    name: str
    listed: timedelta | None
    """At the latest, one that a list shows; none if no list shows it."""
    unlisted: str
    """At the latest, one that no list shows; blank if lists show each."""
    evidence: str


def state_of(found: Overview) -> State:
    """Return how the account stands."""
    if found.trouble is not None:
        return State("failed", "✕", "No answers", "SalesBinder gives no answers at the moment.")
    if not found.is_read:
        said = (
            "No worker reads it: start one with 'sbx up' or 'sbx worker source'. Nothing is lost meanwhile."
        )
        return State("queued", "○", "Not being read", said)
    if not found.stock_is_taken:
        said = "What is there already is read once, silently. After that, each change is sent on."
        return State("running", "◐", "Reading what is there", said)
    return State("completed", "✓", "Being read", "Changes in SalesBinder are sent on as they are seen.")


def trouble_of(found: Overview) -> Trouble | None:
    """Return why SalesBinder gives no answers; none if it does."""
    code = found.trouble
    if code is None or code not in CATALOGUE:
        return None
    reason, remedy = render(code, {"account": found.account, "problem": found.trouble_text})
    return Trouble(reason, remedy, CATALOGUE[code].retry, code == "salesbinder_key_refused")


def layers_of(found: Overview) -> list[LayerRow]:
    """Return each layer with its age and how often it is read."""
    rows = [
        LayerRow(name, meaning, found.age(layer), period(layer, found.trust))
        for layer, (name, meaning) in LAYERS.items()
    ]
    return [*rows, _deep_reads(found)]


def kinds_of(found: Overview) -> list[KindRow]:
    """Return how late each kind of change can be seen at most, and why."""
    rows = [
        KindRow(
            _CORRECTION if change == "correction" else ACTIONS[change],
            late.listed,
            "" if late.live is None else _in_words(late.live, late.most),
            UNMEASURED[change] if change == "correction" else evidence_of(found, change),
        )
        for change, late in found.lateness.items()
    ]
    return [*rows, KindRow("Archived", None, "never", UNMEASURED["archived"])]


def _in_words(live: timedelta, most: timedelta) -> str:
    return f"{span(live.total_seconds())}; {span(most.total_seconds())} if settled long ago"


def _deep_reads(found: Overview) -> LayerRow:
    often, seldom = (deep_period(is_live=each, is_relaxed=may_relax(found.trust)) for each in (True, False))
    due = "nothing is due"
    if found.deep_due:
        due = f"{found.deep_due:,} due, the oldest for {span(found.deep_overdue.total_seconds())}"
    meaning = (
        "details of documents that are open or changed in 30 days, for what no list shows; of others every "
        f"{seldom.days} days"
    )
    return LayerRow("Deep reads", meaning, None, often, due)

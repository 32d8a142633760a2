"""How a SalesBinder account is read, in the words of the page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from contracts.reasons import CATALOGUE, render
from sbx.web.view.labels import ACTIONS
from sources.schedule.layers import Layer, period
from sources.schedule.trust import PROVEN, Evidence, is_proven
from sources.store.overview import Overview

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
WITHOUT_ENTRIES: Final = frozenset(
    {"list_refused", "list_odd", "rows_not_shown", "clock_off", "status_unknown"}
)
"""Problems that no entry of the log shows."""


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


@dataclass(frozen=True, slots=True)
class KindRow:
    """How a kind of change is found."""

    name: str
    latest: timedelta
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
    return [
        LayerRow(name, meaning, found.age(layer), period(layer, found.trust))
        for layer, (name, meaning) in LAYERS.items()
    ]


def kinds_of(found: Overview) -> list[KindRow]:
    """Return how late each kind of change can be seen at most, and why."""
    return [
        KindRow(
            ACTIONS[kind], late, _evidence(found.trust.get(kind, Evidence()), is_proven(found.trust, kind))
        )
        for kind, late in found.lateness.items()
    ]


def _evidence(seen: Evidence, is_relied_on: bool) -> str:
    """Return what was measured: whether such a change moves the document's time of change."""
    total = seen.moved + seen.unmoved
    if not total:
        return "not seen yet, so all rows are looked through for it"
    did = f"{seen.moved:,} of {total:,} did"
    if is_relied_on:
        return f"moves the document's time of change: {did}, the last {seen.run:,} in a row"
    if not seen.run:
        return f"does not always move the document's time of change: {did}, the last did not"
    return f"moved the document's time of change {seen.run:,} times in a row; relied on after {PROVEN}"

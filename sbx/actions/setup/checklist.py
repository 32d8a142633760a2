"""The steps of a set-up, and which of them are done. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connections.settings import Settings
from sources.sample import Sample

StepName = Literal["salesbinder", "xero", "settings", "start", "preview", "switch_on", "watch"]
StepState = Literal["done", "next", "later"]


@dataclass(frozen=True, slots=True)
class Known:
    """All that says how far a set-up is."""

    account: str
    has_key: bool
    organisation: str
    """The connected one's name; blank if there is none, or Xero has taken the access back."""
    facts_known: bool
    """Whether its accounts and tax rates were read."""
    open_settings: Sequence[str]
    """Keys that still need a value, see ``open_settings``; of no meaning before a sample was taken."""
    has_sample: bool
    start_chosen: bool
    previewed: bool
    """Whether a preview was accepted with today's settings."""
    switched_on: bool
    seen_at_work: bool
    """Whether a document has arrived since."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step."""

    name: StepName
    title: str
    state: StepState
    text: str
    """What it is for, or what was done."""


def checklist(known: Known) -> tuple[Step, ...]:
    """Return all steps in their order: those that are done, the next, and those that come later.

    A step counts as done only behind others that are: what was done ahead of its turn is taken up there.
    """
    found: list[Step] = []
    for name, title, done, text in _steps(known):
        behind = bool(found) and found[-1].state != "done"
        state: StepState = "later" if behind else "done" if done else "next"
        found.append(Step(name, title, state, text))
    return tuple(found)


def left(steps: Sequence[Step]) -> int:
    """Return how many steps are not done."""
    return sum(step.state != "done" for step in steps)


def in_words(steps_left: int) -> str:
    """Return what an account says of itself meanwhile; blank once it is set up."""
    if not steps_left:
        return ""
    return f"set-up: {steps_left} {'step' if steps_left == 1 else 'steps'} left"


def open_settings(found: Sample, settings: Settings, left_out: Sequence[str]) -> list[str]:
    """Return the settings without which documents like those of the shop would fail."""
    wanted = [] if settings.payment_account is not None else ["payment_account"]
    wanted += [f"sales_tax.{rate}" for rate in found.sales if rate not in settings.sales_tax]
    wanted += [f"purchase_tax.{rate}" for rate in found.purchases if rate not in settings.purchase_tax]
    return [key for key in wanted if key not in left_out]


def _steps(known: Known) -> tuple[tuple[StepName, str, bool, str], ...]:
    missing = ", ".join(known.open_settings)
    return (
        (
            "salesbinder",
            "SalesBinder's API key",
            known.has_key,
            "SalesBinder is read" if known.has_key else "so that SalesBinder can be read",
        ),
        (
            "xero",
            "Connection to Xero",
            bool(known.organisation) and known.facts_known,
            known.organisation or "nothing is sent before you switch it on",
        ),
        (
            "settings",
            "Accounts and taxes",
            known.has_sample and not known.open_settings,
            f"without a value: {missing}" if missing else "from the rates and payments found in the shop",
        ),
        ("start", "Start date", known.start_chosen, "documents made before it stay out of Xero"),
        ("preview", "Preview of real documents", known.previewed, "line by line; nothing is sent"),
        ("switch_on", "Switch on", known.switched_on, "from then on, documents go to Xero"),
        ("watch", "First documents in Xero", known.seen_at_work, "seen arriving"),
    )

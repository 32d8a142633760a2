"""The result of a benchmark: a figure, the base it was measured beside, and its goal."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """The goal of a figure, or of its ratio to its base."""

    of: Literal["figure", "ratio"]
    limit: float
    at_least: bool = False

    def met(self, measured: float) -> bool:
        """Return whether ``measured`` reaches it."""
        return measured >= self.limit if self.at_least else measured <= self.limit

    def __str__(self) -> str:
        return f"{self.of} {'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a benchmark's table. ``base`` says what ``base_value`` is a measure of; same unit."""

    what: str
    value: float
    unit: str
    base: str = ""
    base_value: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Figure by base."""
        return self.value / self.base_value if self.base_value else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is none."""
        if self.goal is None:
            return None
        measured = self.value if self.goal.of == "figure" else self.ratio
        return measured is not None and self.goal.met(measured)

    def to_json(self) -> dict[str, Any]:
        """Return the object for ``--json``."""
        goal = str(self.goal) if self.goal else None
        return asdict(self) | {"ratio": self.ratio, "goal": goal, "met": self.met}


def at_most(limit: float) -> Goal:
    """Return the figure itself, no more than this."""
    return Goal("figure", limit)


def at_least(limit: float) -> Goal:
    """Return the figure itself, no less than this."""
    return Goal("figure", limit, at_least=True)


def times_base(limit: float) -> Goal:
    """Return the goal of no more than this many times the base."""
    return Goal("ratio", limit)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that ``share`` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(title: str, figures: Sequence[Figure]) -> Table:
    """Return the figures as a table."""
    made = Table(title=title, title_justify="left")
    for heading in ("what", "figure", "base", "of the base", "ratio", "goal", ""):
        made.add_column(heading, justify="right" if heading in ("figure", "of the base", "ratio") else "left")
    for figure in figures:
        made.add_row(
            figure.what,
            f"{_short(figure.value)} {figure.unit}".rstrip(),
            figure.base,
            "" if figure.base_value is None else f"{_short(figure.base_value)} {figure.unit}".rstrip(),
            "" if figure.ratio is None else f"{_short(figure.ratio)}",
            str(figure.goal or ""),
            {None: "", True: "[green]reached[/]", False: "[red]missed[/]"}[figure.met],
        )
    return made


def _short(number: float) -> str:
    """Return three significant figures; whole numbers from 100 on."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"

"""Every question that SalesBinder's API leaves open, as a switch of the fake.

A reader must be right under every setting of every switch. The meaning of each stands with its field;
`python -m sandbox.fake_salesbinder.switches` prints the tables of the fake's SWITCHES.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from .access import AccessSwitches, HintSwitches
from .definition import Switch, described
from .lists import ListSwitches, LogSwitches
from .money import MoneySwitches, StatusSwitches
from .pairs import Pair, pairwise
from .records import RecordSwitches
from .stamps import LagSwitches, StampSwitches

GROUPS = {
    "Money and receipts": MoneySwitches,
    "Statuses": StatusSwitches,
    "Stamps": StampSwitches,
    "Lag": LagSwitches,
    "Rows and details": RecordSwitches,
    "Lists": ListSwitches,
    "Deleted log": LogSwitches,
    "Access": AccessSwitches,
    "Hints": HintSwitches,
}
IMPOSSIBLE: frozenset[Pair] = frozenset(
    frozenset(pair)
    for pair in (
        # Nothing would tell: the lines say nothing, and the name is not known to mean a receipt.
        (("receipt", "status_only"), ("received_status_name", "received_in_full")),
        # Nothing would tell it from a deletion.
        (("archived_in_log", "yes"), ("archived_detail", "404")),
    )
)
"""Pairs of settings under which no reader could be right: left out of the table."""


@dataclass(frozen=True)
class Switches(
    HintSwitches,
    AccessSwitches,
    LogSwitches,
    ListSwitches,
    RecordSwitches,
    LagSwitches,
    StampSwitches,
    StatusSwitches,
    MoneySwitches,
):
    """One setting of every switch; the defaults are the likeliest answers."""

    def __post_init__(self) -> None:
        for told in SWITCHES:
            if (given := getattr(self, told.name)) not in told.settings:
                raise ValueError(
                    f"switch {told.name}={given!r} is unknown: use one of {', '.join(told.settings)}"
                )

    def as_dict(self) -> dict[str, str]:
        """Return name to setting."""
        return asdict(self)


SWITCHES: list[Switch] = [told for group in GROUPS.values() for told in described(group)]


def switches(given: Mapping[str, str]) -> Switches:
    """Return the defaults with these settings. Raises ValueError on one that does not exist."""
    known = {told.name for told in SWITCHES}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"switch {unknown[0]!r} is unknown: use one of {', '.join(sorted(known))}")
    return Switches(**given)  # type: ignore[arg-type]  # checked by __post_init__


def all_pairs(names: Iterable[str] | None = None, seed: int = 0) -> list[Switches]:
    """Return settings in which every two settings of these switches (default: of all) meet; defaults first.

    Switches that are not named keep their defaults. The same seed gives the same table."""
    wanted = {told.name for told in SWITCHES} if names is None else set(names)
    choices = {told.name: told.settings for told in SWITCHES if told.name in wanted}
    if len(choices) < len(wanted):
        raise ValueError(f"unknown switches: {sorted(wanted - set(choices))}")
    return [switches(row) for row in pairwise(choices, IMPOSSIBLE, seed)]


__all__ = ["GROUPS", "IMPOSSIBLE", "SWITCHES", "Switch", "Switches", "all_pairs", "switches"]

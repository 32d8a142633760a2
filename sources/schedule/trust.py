"""Whether a change moves the ``modified`` of its document in this account, measured. Pure.

SalesBinder documents it for no change. Where it does not move, only sweeps of all rows find the change.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from contracts.commands import Action

Kind = Literal["payment_applied", "refund_applied", "reset", "cancelled", "received", "edited"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

PROVEN: Final = 20
"""Changes in a row that moved ``modified``, until this is relied on."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one kind of change."""

    moved: int = 0
    unmoved: int = 0
    run: int = 0
    """Changes that moved it since the last one that did not."""


Trust = Mapping[Kind, Evidence]


def noted(trust: Trust, actions: frozenset[Action], moved: bool) -> dict[Kind, Evidence]:
    """Return what is known after a look that told ``actions``.

    A look that told changes of one kind alone is evidence: another change may have moved ``modified`` else.
    """
    after = dict(trust)
    if len(actions) != 1:
        return after
    (action,) = actions
    kind = next((each for each in KINDS if each == action), None)
    if kind is None:
        return after
    before = trust.get(kind, Evidence())
    after[kind] = Evidence(
        moved=before.moved + moved,
        unmoved=before.unmoved + (not moved),
        run=before.run + 1 if moved else 0,
    )
    return after


def is_proven(trust: Trust, kind: Kind) -> bool:
    """Return True if this change has moved ``modified`` often enough, without exception since."""
    return trust.get(kind, Evidence()).run >= PROVEN


def may_relax(trust: Trust) -> bool:
    """Return True if sweeps may come less often: payments are proven, and no kind that was ever seen left
    ``modified`` unmoved at last.
    """
    seen = [each for each in trust.values() if each.moved or each.unmoved]
    return is_proven(trust, "payment_applied") and all(each.run > 0 for each in seen)

"""A compared document with its reason, as it is kept. Pure."""

from collections.abc import Sequence

import msgspec

from sources.reconcile.sides import Compared, Side
from sources.reconcile.why import Reason, is_news
from sources.salesbinder.rows import hash_of


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A document on its three sides, and why it differs if it does."""

    compared: Compared
    reason: Reason | None

    @property
    def number(self) -> str:
        """Return the number by which people know it: Xero's where it is there."""
        one = self.compared
        sides: Sequence[Side | None] = (one.xero, one.expected, one.shop)
        return next((side.number for side in sides if side is not None and side.number), "")

    @property
    def party(self) -> str:
        """Return the customer's or supplier's name."""
        one = self.compared
        sides: Sequence[Side | None] = (one.shop, one.expected, one.xero)
        return next((side.party for side in sides if side is not None and side.party), "")

    @property
    def is_news(self) -> bool:
        """Return True if people are to be told of it, once."""
        return self.reason is not None and is_news(self.reason.code)

    @property
    def digest(self) -> str:
        """Return what makes the difference the same one as before."""
        if self.reason is None:
            return ""
        one = self.compared
        values = [f"{name}={_value(one.expected, name)}/{_value(one.xero, name)}" for name in one.fields]
        return hash_of([self.reason.code, *values])


def _value(side: Side | None, name: str) -> str:
    return "" if side is None else str(getattr(side, name, side.status))

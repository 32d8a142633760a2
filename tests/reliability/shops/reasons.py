"""Which failed entries must be, by the shop's switches or by what Xero refuses, and what each may explain."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.reliability.shops.judge import Difference
from tests.reliability.shops.shop import ReadShop
from tests.reliability.shops.xeros_money import standings

Row = Mapping[str, Any]


class Reasons:
    """The failed entries of a shop's log."""

    def __init__(self, shop: ReadShop, entries: Sequence[Row]) -> None:
        self._story = shop.told()
        self._settings, self._switches = shop.settings, shop.shop.switches
        truth = shop.shop.truth
        self._archived = {each.id for each in truth.documents.values() if each.archived}
        self._archived |= {each.id for each in truth.parties.values() if each.archived}
        self._entries = entries
        self.failed = [entry for entry in entries if entry["state"] == "failed"]
        failed = {str(entry["event_id"]) for entry in self.failed}
        self._standing = standings(shop.reader.told, failed, shop.settings["refund_as"])

    def of(self, one: Difference) -> list[Row]:
        """Return the entries that explain a difference."""
        own = [entry for entry in self.failed if entry["record_id"] == one.record_id]
        return [
            entry
            for entry in own
            if self.is_due(entry) and one.what in _EXPLAINS.get(entry["reason_code"], ())
        ]

    def is_due(self, entry: Row) -> bool:
        """Return True if it had to fail."""
        holds = _HOLDS.get(entry["reason_code"])
        return holds is not None and holds(self, entry)

    def _kinds(self, entry: Row) -> set[str]:
        return {kind.rpartition(".")[2] for kind, _ in self._story.get(entry["record_id"], [])}

    def _codes(self, entry: Row) -> set[str]:
        """All that failed of its record: a problem of the reader's is over once the record is deleted."""
        own = (each for each in self._entries if each["record_id"] == entry["record_id"])
        return {str(code) for each in own for code in each["failed_as"]}

    def is_not_told(self, entry: Row) -> bool:
        """By these switches SalesBinder shows money in a total or in a mark alone: nobody can say which
        payment it is.
        """
        switches = self._switches
        by_total = entry["reason_code"] == "sums_disagree" and switches.total_without_rows != "never"
        return entry["triggered_by"] == "source" and (by_total or switches.refund == "marked_row")

    def was_returned(self, entry: Row) -> bool:
        """What a credit note has paid out is due again in SalesBinder, and may be paid once more; in Xero the
        invoice stays paid. The same holds for a refund that no payment of Xero's stands for.
        """
        standing = self._standing.get(str(entry["event_id"]))
        return standing is not None and standing.exceeds_due

    def was_not_paid(self, entry: Row) -> bool:
        """The payment that is returned was refused before, because Xero does not know that it is due."""
        standing = self._standing.get(str(entry["event_id"]))
        return standing is not None and standing.exceeds_paid

    def has_no_such_payment(self, entry: Row) -> bool:
        """``reverse_payment`` takes back whole payments: a part of one has none in Xero, nor has one that was
        refused, or whose amount a correction has changed since, or that a refund without a reference took.
        """
        standing = self._standing.get(str(entry["event_id"]))
        reverses = self._settings["refund_as"] == "reverse_payment"
        return reverses and standing is not None and standing.matches_none

    def was_paid(self, entry: Row) -> bool:
        """Payments that a credit note has paid out stand in Xero, which lets no amounts change under them;
        in SalesBinder nothing is on the invoice. So do payments whose return cannot be told.
        """
        is_not_told = {"sums_disagree", "transaction_marked"} & self._codes(entry)
        return "refund_applied" in self._kinds(entry) or bool(is_not_told)

    def is_listed_archived(self, entry: Row) -> bool:
        """Lists may go on to show what is in the archive, and no detail does."""
        return self._switches.archived_in_lists == "shown" and entry["record_id"] in self._archived


_HOLDS: Mapping[str, Callable[[Reasons, Row], bool]] = {
    "sums_disagree": Reasons.is_not_told,
    "transaction_marked": Reasons.is_not_told,
    "exceeds_amount_due": Reasons.was_returned,
    "refund_exceeds_paid": Reasons.was_not_paid,
    "no_matching_payment": Reasons.has_no_such_payment,
    "paid_not_editable": Reasons.was_paid,
    "record_refused": Reasons.is_listed_archived,
}
_MONEY = frozenset({"money"})
_EXPLAINS: Mapping[str, frozenset[str]] = {
    "sums_disagree": _MONEY,
    "transaction_marked": _MONEY,
    "exceeds_amount_due": _MONEY,
    "refund_exceeds_paid": _MONEY,
    "no_matching_payment": _MONEY,
    "paid_not_editable": frozenset({"total"}),
}

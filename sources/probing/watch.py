"""What moves in one document while somebody acts on it in SalesBinder.

What is said of it names fields and statuses, and which way sums and stamps went: no amounts, names or texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from contracts.events.types import CONTEXTS
from mappers.receipts import RECEIVED
from sources.probing.measured import status_part
from sources.probing.questions import Finding, plain_name
from sources.problems import Unreadable
from sources.salesbinder.answers import listed
from sources.salesbinder.statuses import CANCELLED
from sources.salesbinder.values import amount_of, moment_or_none, text

_SUMS: Final = ("total_price", "total_cost", "total_tax", "total_tax2", "total_transactions")
_LISTS: Final = ("transactions", "document_items")


@dataclass(frozen=True, slots=True)
class Move:
    """What differs between two answers about the document."""

    fields: tuple[str, ...]
    """What is said of each field that moved."""
    acts: tuple[str, ...]
    """Parts of the first open question, of what was probably done."""
    modified: str
    """What ``modified`` did."""
    statuses: tuple[tuple[str, str], ...] = ()
    """Parts of the question about statuses, with id and name: of the one before and of the one now."""

    @property
    def text(self) -> str:
        """Return it in a sentence."""
        did = f"{' and '.join(self.acts)}: " if self.acts else ""
        return f"{did}{'; '.join(self.fields)}; modified {self.modified}"


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Move | None:
    """Return what moved from one detail to the next; none if nothing did."""
    if before == after:
        return None
    fields = [*_plain(before, after), *_nested(before, after)]
    money, money_acts = _transactions(before, after)
    lines, line_acts = _lines(before, after)
    acts = [*money_acts, *line_acts, *_status_acts(before, after)]
    stamp = _stamp(before.get("modified"), after.get("modified"))
    statuses = [part for record in (before, after) if (part := _status_part(record))]
    return Move((*fields, *money, *lines), tuple(acts), stamp, tuple(dict.fromkeys(statuses)))


def findings(move: Move) -> list[Finding]:
    """Return what a move tells of the open questions."""
    found = [Finding("what moved", move.text, 1, origin="watch")]
    if len(move.acts) == 1:
        # Of two acts between two looks, nobody knows which of them moved it.
        (act,) = move.acts
        found.append(Finding(act, f"modified {move.modified}", 1, act, "watch"))
        said = "; ".join(each for each in move.fields if each.startswith(_LISTS[0])) or "no transaction moved"
        if act in ("Return Payment", "Reset Invoice"):
            found.append(Finding(f"transactions after {act}", said, 2, f"after {act}", "watch"))
    if customers := [each for each in move.fields if each.startswith("customer.modified")]:
        part = "the customer of an invoice that is saved"
        found.append(Finding(part, customers[0], 1, part, "watch"))
    elif any(each.startswith(_LISTS[1]) for each in move.fields):
        part = "the customer of an invoice that is saved"
        found.append(Finding(part, "customer.modified did not move", 1, part, "watch"))
    found += [Finding(f"status, {part}", said, 3, part, "watch") for part, said in move.statuses]
    if ids := [each for each in move.fields if each.startswith("document_items: ")]:
        found.append(Finding("ids after an edit", "; ".join(ids), 10, "ids after an edit", "watch"))
    return found


def _plain(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    for name in sorted({*before, *after} - {*_LISTS, "modified"}):
        old, new = before.get(name), after.get(name)
        if old == new or isinstance(old, Mapping) or isinstance(new, Mapping):
            continue
        yield f"{name} {_sum_went(old, new)}" if name in _SUMS else f"{plain_name(name)} changed"


def _sum_went(old: Any, new: Any) -> str:
    try:
        was, now = amount_of(old, "sum"), amount_of(new, "sum")
    except Unreadable:
        return "cannot be read as an amount"
    if was == now:
        return "is written in another way"
    return "fell to 0" if now == 0 else "grew" if now > was else "fell"


def _nested(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    """Say what moved in objects within the document: its status by name, all else by the names of fields."""
    for name in sorted({*before, *after} - set(_LISTS)):
        old, new = before.get(name), after.get(name)
        if old == new or not (isinstance(old, Mapping) and isinstance(new, Mapping)):
            continue
        if name == "status":
            yield f"status from {old.get('id')} {old.get('name')} to {new.get('id')} {new.get('name')}"
            continue
        for inner in sorted(map(str, {*old, *new})):
            if old.get(inner) != new.get(inner):
                is_stamp = inner == "modified"
                said = _stamp(old.get(inner), new.get(inner)) if is_stamp else "changed"
                yield f"{name}.{plain_name(inner)} {said}"


def _transactions(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    was, now = _by_id(before.get("transactions")), _by_id(after.get("transactions"))
    gone, new = [was[each] for each in was if each not in now], [now[each] for each in now if each not in was]
    below = [row for row in new if _amount(row) < 0]
    said = [f"transactions: {count} {what}" for count, what in (
        (len(new) - len(below), "new above 0"), (len(below), "new below 0"), (len(gone), "gone"),
    ) if count]  # fmt: skip
    for each in was:
        if each in now and was[each] != now[each]:
            moved = _differing(was[each], now[each])
            way = " (amount fell)" if _amount(now[each]) < _amount(was[each]) else ""
            said.append(f"transactions: one changed in {', '.join(moved)}{way}")
    is_lower = any("amount fell" in each for each in said)
    if gone or below or is_lower:
        if sum((_amount(row) for row in now.values()), Decimal(0)):
            return said, ["Return Payment"]
        # Of an invoice with one payment, both look the same.
        return said, ["Reset Invoice" if len(was) > 1 else "Return Payment or Reset Invoice"]
    return said, ["a payment"] if new else []


def _lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    was, now = _by_id(before.get("document_items")), _by_id(after.get("document_items"))
    if was == now:
        return [], []
    kept = [each for each in was if each in now]
    moved = sorted({name for each in kept for name in _differing(was[each], now[each])})
    said = [f"document_items: {len(kept)} of {len(was)} ids kept, {len(now) - len(kept)} new"]
    if moved:
        said.append(f"document_items.{', document_items.'.join(moved)} changed")
    return said, ["receiving in part"] if any(name.startswith("quantity_part") for name in moved) else []


def _differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [plain_name(name) for name in sorted({*was, *now}) if was.get(name) != now.get(name)]


def _status_acts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    was, now = _status(before), _status(after)
    if was != now and now in CANCELLED:
        yield "cancelling"
    if was != now and now in RECEIVED:
        yield "receiving in full"
    if before.get("date_sent") != after.get("date_sent"):
        yield "sending"


def _status(record: Mapping[str, Any]) -> str:
    status = record.get("status")
    return " ".join(str(status.get("name")).split()).casefold() if isinstance(status, Mapping) else ""


def _status_part(record: Mapping[str, Any]) -> tuple[str, str] | None:
    status, is_order = record.get("status"), str(record.get("context_id")) == str(CONTEXTS["purchase_order"])
    part = status_part("purchase_order" if is_order else "invoice", _status(record))
    return (
        (part, f"{status.get('id')} {status.get('name')}") if part and isinstance(status, Mapping) else None
    )


def _stamp(old: Any, new: Any) -> str:
    was, now = moment_or_none(old), moment_or_none(new)
    if was is None or now is None:
        return "did not move" if old == new else "cannot be read"
    if was == now:
        return "did not move"
    return f"moved by {(now - was).total_seconds():+.0f} s"


def _by_id(rows: Any) -> dict[str, Mapping[str, Any]]:
    found: Sequence[Any] = listed(rows) or []
    return {str(text(row.get("id"))): row for row in found if isinstance(row, Mapping)}


def _amount(row: Mapping[str, Any]) -> Decimal:
    try:
        return amount_of(row.get("amount"), "amount")
    except Unreadable:
        return Decimal(0)

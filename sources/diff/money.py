"""An invoice's transactions: payments, refunds in each representation, resets. Pure.

SalesBinder documents neither refunds nor resets. A refund may be a transaction below zero, a payment that is
gone, or one that became smaller; a reset may take all away or add transactions below zero. Each reading ends
with the same sum, which is what the books must show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from contracts.money import plain
from sources.diff.known import GoneMoney, KnownMoney, MoneyKind
from sources.diff.look import Change, Shrunk
from sources.events import derived_id
from sources.problems import LOOK_AGAIN, Unreadable
from sources.salesbinder.transactions import Transaction

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Money:
    """What is known of an invoice's transactions; once it is diffed, what is to be told besides."""

    transactions: Mapping[str, KnownMoney]
    gone: Mapping[str, GoneMoney]
    resets: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """A change, and by how much it moves what was paid."""

    change: Change
    by: Decimal
    is_known: bool
    """Whether it corrects what was told."""

    @property
    def is_payment(self) -> bool:
        return self.change.action == "payment_applied"


def diff_money(
    before: Money, rows: Sequence[Transaction], moved: datetime | None, shrunk: Shrunk
) -> Money:  # fmt: skip
    """Return the changes from what was told to the transactions that count now, in their order.

    ``rows`` agree with the invoice's sum; ``moved`` is its ``modified`` if that moved since.

    Raises:
        Unreadable: a transaction turned from payment to refund or back.
    """
    present = {row.id: row for row in rows}
    stays = {key: known for key, known in before.transactions.items() if key in present}
    if before.transactions and not stays:
        reset = Change("reset", moved, ("reset", *sorted(before.transactions)))
        cleared = Money({}, {}, before.resets + 1)
        after = diff_money(cleared, rows, moved, shrunk)
        return Money(after.transactions, after.gone, after.resets, (reset, *after.changes))
    returned, gone = _returned(before, present, moved)
    told: dict[str, KnownMoney] = {}
    parts: list[Change] = []
    steps: list[_Step] = []
    for place, row in _by_time(rows):
        if row.id in stays:
            known, own, part = _still_there(stays[row.id], row, place, before.resets, moved, shrunk)
        elif row.amount:
            known, own, part = _new(row, gone.get(row.id), before.resets, moved)
        else:
            continue
        told[row.id] = known
        parts += part
        steps += own
    left = sum((told[key].amount for key in stays), _ZERO)
    left -= sum((step.by for step in steps if step.is_known), _ZERO)
    changes = (*returned, *parts, *_in_order(steps, left))
    return Money(told, gone, before.resets, changes)


def with_earlier(
    before: Money,
    rows: Sequence[Transaction],
    moved: datetime | None,
    changes: Sequence[Change],
    price: Decimal,
) -> tuple[Change, ...]:
    """Return ``changes`` among those that tell what was known ``before``, of which nobody knows how much was
    told: each transaction under the id that it has in our events, so that none counts twice.

    ``price`` is that of the invoice: Xero takes no more.
    """
    if any(change.action == "reset" for change in changes):
        return tuple(changes)
    created = {row.id: row.created for row in rows}
    places = {row.id: place for place, (_, row) in enumerate(_by_time(rows))}
    known: list[tuple[Change, int, bool]] = []
    for key, gone in before.gone.items():
        if (first := gone.first) is not None and gone.kind == "payment" and first.amount:
            known.append((_told(first, moved), -1, not first.is_earlier))
            back = (*_parts(first, moved), _refund_of_gone(key, first, before.resets, 1, moved))
            known += [(each, len(rows), False) for each in back]
    for key, each in before.transactions.items():
        if each.amount + each.refunded:
            told = _told(each, created.get(key) or moved)
            known.append((told, places.get(key, -1), not each.is_earlier))
        known += [(part, len(rows), False) for part in _parts(each, moved)]
    now = {change.identity: change for change in changes}
    steps = list[_Earlier]()
    for change, place, was_told in known:
        corrected = now.pop(change.identity, None)
        # What corrects a payment that Xero has comes first, as it does without a backfill.
        steps.append(_Earlier(corrected or change, -1 if corrected and was_told else place, was_told))
    steps += [_Earlier(each, places.get(each.identity[0], len(rows)), False) for each in now.values()]
    return _with_room(steps, price)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What a backfill tells, perhaps again."""

    change: Change
    place: int
    """In the order of time."""
    was_told: bool

    @property
    def by(self) -> Decimal:
        amount = Decimal((self.change.transaction or {})["amount"])
        return amount if self.change.action == "payment_applied" else -amount


def _with_room(steps: Iterable[_Earlier], price: Decimal) -> tuple[Change, ...]:
    """Return the changes in their order of time, but those first that make room for a payment.

    Xero has the payments that were told, but perhaps not the refunds, which it refuses without an invoice.
    """
    waiting = sorted(steps, key=lambda each: each.place)
    there = [each for each in waiting if each.was_told and each.by > 0]
    paid = sum((each.by for each in there), _ZERO)
    ordered: list[Change] = []
    while waiting:
        fitting = (each for each in waiting if each in there or _ZERO <= paid + each.by <= max(price, paid))
        step = next(fitting, waiting[0])
        waiting.remove(step)
        ordered.append(step.change)
        paid += _ZERO if step in there else step.by
    return tuple(ordered)


def _told(known: KnownMoney, time: datetime | None) -> Change:
    amount = abs(known.amount + known.refunded)
    return _change(known.kind, known.told_as, amount, known.day, known.reference, time)


def _parts(known: KnownMoney, moved: datetime | None) -> list[Change]:
    parts = known.parts.items()
    return [_change("refund", own, part, None, known.reference, moved) for own, part in parts]


def _by_time(rows: Sequence[Transaction]) -> list[tuple[int, Transaction]]:
    """Return place and row of each, in the order in which they were made, if all rows say when."""
    placed = [*enumerate(rows)]
    stamps = {row.id: row.created for row in rows if row.created is not None}
    return sorted(placed, key=lambda each: stamps[each[1].id]) if len(stamps) == len(rows) else placed


def _in_order(steps: Iterable[_Step], left: Decimal) -> list[Change]:
    """Return the changes in the order of their transactions: Xero refuses a payment for which a refund has
    still to make room. What lowers a known payment comes first; a refund waits until as much is paid, of
    which there is ``left`` before them.
    """
    told: list[Change] = []
    waiting: list[_Step] = []
    for step in sorted(steps, key=lambda step: not (step.is_known and step.is_payment and step.by < 0)):
        waiting.append(step)
        for each in [*waiting]:
            if each.is_payment or left + each.by >= 0:
                waiting.remove(each)
                told.append(each.change)
                left += each.by
    return told + [step.change for step in waiting]


def _returned(
    before: Money, present: Mapping[str, Transaction], moved: datetime | None
) -> tuple[list[Change], dict[str, GoneMoney]]:
    """Return the refunds of payments that are gone while others stay; a refund that is gone is taken off."""
    gone = dict(before.gone)
    changes = []
    for key, known in before.transactions.items():
        if key in present:
            continue
        times = gone[key].times + 1 if key in gone else 1
        first = gone[key].first if key in gone else known
        gone[key] = GoneMoney(kind=known.kind, times=times, first=first)
        if known.kind == "refund":
            changes.append(_change("refund", known.told_as, _ZERO, known.day, known.reference, moved))
        elif known.amount:
            changes.append(_refund_of_gone(key, known, before.resets, times, moved))
    return changes, gone


def _refund_of_gone(key: str, known: KnownMoney, resets: int, times: int, moved: datetime | None) -> Change:
    own = derived_id(key, "gone", str(resets), str(times))
    return _change("refund", own, known.amount, None, known.reference, moved)


def _new(
    row: Transaction, gone: GoneMoney | None, resets: int, moved: datetime | None
) -> tuple[KnownMoney, list[_Step], list[Change]]:
    kind: MoneyKind = "payment" if row.amount > 0 else "refund"
    told_as = row.id
    if gone is not None and not (kind == gone.kind == "refund"):
        # Its own id stands in the books with the refund that took it back.
        told_as = derived_id(row.id, "again", str(resets), str(gone.times))
    known = KnownMoney(kind=kind, amount=row.amount, day=row.day, reference=row.reference, told_as=told_as)
    change = _change(kind, told_as, abs(row.amount), row.day, row.reference, row.created or moved)
    return known, [_Step(change, row.amount, is_known=False)], []


def _still_there(
    known: KnownMoney,
    row: Transaction,
    place: int,
    resets: int,
    moved: datetime | None,
    shrunk: Shrunk,
) -> tuple[KnownMoney, list[_Step], list[Change]]:
    """Return what is told of a transaction that was known: nothing, a correction, or a refund of a part."""
    if row.amount * (1 if known.kind == "payment" else -1) < 0:
        raise Unreadable(
            f"transactions[{place}].amount",
            row.amount,
            f"it was {known.amount} before: a {known.kind} does not become its opposite",
            LOOK_AGAIN + "If it stays, open the invoice in SalesBinder and compare its payments.",
            "transaction_sign_changed",
        )
    refunded, parts = known.refunded, list[Change]()
    if known.kind == "payment" and shrunk == "refund" and row.amount < known.amount:
        part = known.amount - row.amount
        refunded += part
        own = derived_id(row.id, "part", str(resets), str(refunded))
        parts.append(_change("refund", own, part, None, known.reference, moved))
        known = msgspec.structs.replace(known, parts={**known.parts, own: part})
    now = msgspec.structs.replace(
        known, amount=row.amount, day=row.day, reference=row.reference, refunded=refunded
    )
    told, tell = known.amount + known.refunded, row.amount + refunded
    if (tell, row.day, row.reference) == (told, known.day, known.reference):
        return now, [], parts
    correction = _change(known.kind, known.told_as, abs(tell), row.day, row.reference, moved)
    now = msgspec.structs.replace(now, is_earlier=False)
    return now, [_Step(correction, tell - told, is_known=True)], parts


def _change(
    kind: MoneyKind,
    told_as: str,
    amount: Decimal,
    day: str | None,
    reference: str,
    time: datetime | None,
) -> Change:
    transaction: dict[str, Any] = {"id": told_as, "amount": plain(amount)}
    transaction |= {"transaction_date": day, "reference": reference}
    return Change("payment_applied" if kind == "payment" else "refund_applied", time, (told_as,), transaction)

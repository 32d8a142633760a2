"""The content of an event about a transaction, and that of the event before it. Pure.

A transaction that is published again with other content is a correction. Content is what the event itself
states: its own amount, rounded by itself, its date and its reference. A field that it does not state is
unknown, and the effects of settings or locked periods are not a difference.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from contracts.commands import TransactionSnapshot
from contracts.money import rounded
from mappers.totals import totals
from sinks.planner.shares import MoneyEvent
from sinks.planner.situation import Situation
from sinks.xero.elements import Link
from sinks.xero.facts import MoneyFacts

TOLD: Final = "told"
"""Fact of a payment's or credit note's link: the content that was applied last."""

REPLACING: Final = "replacing"
"""Fact of a link: the position of the correction that has begun to take its object off."""
REPLACED: Final = "replaced"
"""Fact of a link: the object that it replaces, in words."""
TAKEN_OFF_BY: Final = "taken_off_by"
"""Fact of a link: the position of the action that took it off."""


@dataclass(frozen=True, slots=True)
class Told:
    """The content of an event about a transaction, and when it happened."""

    amount: Decimal
    day: date | None
    """None if the content is not known."""
    reference: str | None
    time: datetime
    seq: int

    def facts(self) -> MoneyFacts:
        """Return it in the form that a link keeps."""
        return {
            TOLD: {
                "amount": str(self.amount),
                "date": self.day.isoformat() if self.day else None,
                "reference": self.reference,
                "time": self.time.isoformat(),
                "seq": self.seq,
            }
        }

    def is_later(self, other: "Told") -> bool:
        """Return True if it was said after ``other``: by the events' times, by position where these are
        equal.
        """
        return (self.time, self.seq) > (other.time, other.seq)


def currency_of(s: Situation) -> str:
    """Return the invoice's currency."""
    if s.invoice_link is not None and s.invoice_link.text("currency"):
        return s.invoice_link.text("currency")
    named = s.document.currency if s.document is not None else None
    return (named or s.settings.currency or s.facts.base_currency).upper()


def total_sent(invoice: Link | None) -> Decimal | None:
    """Return the invoice total that was sent; None if it is not known."""
    if invoice is None or invoice.facts.get("expected_total") is None:
        return None
    return invoice.amount("expected_total")


def invoice_total(s: Situation) -> Decimal | None:
    """Return the invoice's present or future total in Xero; None if it is not known."""
    sent = total_sent(s.invoice_link)
    if sent is not None:
        return sent
    return totals(s.document).total if s.document is not None else None


def told_now(s: Situation, transaction: TransactionSnapshot) -> Told:
    """Return the content of the command's event."""
    amount = rounded(transaction.amount, currency_of(s))
    return Told(amount, transaction.date, transaction.reference, s.command.event.time, s.seq)


def told_before(situation: Situation, link: Link) -> Told:
    """Return the content of the event that was applied last."""
    kept = link.money.get(TOLD)
    if kept:
        day = date.fromisoformat(kept["date"]) if kept["date"] else None
        time = datetime.fromisoformat(kept["time"])
        return Told(Decimal(kept["amount"]), day, kept["reference"], time, int(kept["seq"]))
    made = next((event for event in situation.money if event.seq == link.seq and event.transaction_id), None)
    if made is None:
        return Told(link.amount("amount"), None, None, datetime.min.replace(tzinfo=UTC), link.seq)
    return Told(rounded(made.amount, currency_of(situation)), made.day, made.reference, made.time, made.seq)


def differs(now: Told, before: Told, *, dated: bool) -> bool:
    """Return True if the content is another one. ``dated``: the event states its date."""
    return (
        now.amount != before.amount
        or bool(dated and before.day and now.day != before.day)
        or bool(now.reference and before.reference is not None and now.reference != before.reference)
    )


def over(now: Told, before: Told, *, dated: bool) -> Told:
    """Combine two contents: fields that the later one does not state come from the earlier one."""
    return Told(
        now.amount,
        now.day if dated or before.day is None else before.day,
        now.reference or before.reference,
        now.time,
        now.seq,
    )


def completed_in(transaction: TransactionSnapshot, told: Told) -> TransactionSnapshot:
    """Return the transaction, completed with fields that were stated before and are not stated now."""
    return msgspec.structs.replace(
        transaction, date=told.day or transaction.date, reference=told.reference or transaction.reference
    )


def in_words(link: Link) -> str:
    """Return the amount and day of a payment or credit note in words."""
    day = link.text("date")
    return f"{link.amount('amount')} of {day}" if day else str(link.amount("amount"))


def confirmed(s: Situation, link: Link, told: Told) -> Link:
    """Return the link after another event with the same content. It counts as applied last, so that nothing
    older undoes it; after a failed reset, it belongs to the payments made since, so that a retry of the reset
    leaves it.
    """
    resets = (e for e in s.money if e.action == "reset" and link.seq < e.seq < s.seq)
    since = any((s.command.event.time, s.seq) > (e.time, e.seq) for e in resets)
    facts = {**link.facts, **told.facts(), "confirmed_seq": str(s.seq)}
    return replace(link, seq=s.seq if since else link.seq, facts=facts)


def reset_since(s: Situation, told: Told) -> MoneyEvent | None:
    """Return the last reset that has completed after that was said, and before this command."""
    resets = (e for e in s.money if e.action == "reset" and e.completed and told.seq < e.seq < s.seq)
    return max(resets, key=lambda event: (event.time, event.seq), default=None)


def lies_after_reset(s: Situation, told: Told) -> bool:
    """Return True if no reset has taken it off, or its event happened after the reset."""
    reset = reset_since(s, told)
    return reset is None or (s.command.event.time, s.seq) > (reset.time, reset.seq)

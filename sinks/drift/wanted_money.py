"""Work out payments and refunds as a record's history asks for them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.json import Body, JsonObject
from contracts.money import rounded
from sinks.drift.compare import Sent
from sinks.drift.record import TAKES_OUT, Later, Record, Said, Wanted, gone, made_of
from sinks.planner.shares import MoneyEvent, shares
from sinks.planner.told import TOLD, Told, over, total_sent
from sinks.resolve.texts import one_line
from sinks.xero.elements import Kind, Link, StepKey

_REFERENCE_LENGTH = 200
"""Longer ones may have been cut for Xero."""
_TAKES_OFF = ("reset", *TAKES_OUT)


@dataclass(slots=True)
class _State:
    """The state of a transaction."""

    said: Said
    """The action that was applied last."""
    told: Told
    amount: Decimal
    """Its amount in Xero."""
    stands: bool = True
    taken_off_by: Said | None = None


def money_wanted(record: Record, settings: Settings, facts: OrganisationFacts) -> dict[StepKey, Wanted]:
    """Return, by target, each payment, credit note and payout that should exist, or should not any more."""
    invoice = record.puts.get(record.target("invoice"))
    currency = _currency(record, invoice, settings, facts)
    comes_to = shares(_events(record), currency, total_sent(invoice.link if invoice is not None else None))
    found: dict[StepKey, Wanted] = {}
    for transaction, state in _fold(record, "payment_applied", comes_to, currency).items():
        target = record.target("payment", transaction)
        put = record.puts.get(target) or _nothing(target, invoice)
        state.stands = state.stands and not (put.link.removed and put.link.text("reversed_by"))
        on = {"Invoice": {"InvoiceID": invoice.link.xero_id}} if invoice else {}
        found[target] = _wanted(record, put, state, "payment", on)
    reversed_by = {put.link.text("reversed_by") for put in record.puts.values()}
    for transaction, state in _fold(record, "refund_applied", comes_to, currency).items():
        target = record.target("credit_note", transaction)
        note = record.puts.get(target)
        if note is None and (transaction in reversed_by or settings.refund_as == "reverse_payment"):
            continue
        note = note or _nothing(target, invoice)
        found[target] = _wanted(record, note, state, "credit_note", {})
        paid_out = record.target("refund", transaction)
        if note.link.xero_id:
            put = record.puts.get(paid_out) or _nothing(paid_out, invoice)
            on = {"CreditNote": {"CreditNoteID": note.link.xero_id}}
            found[paid_out] = _wanted(record, put, state, "refund", on)
    return found


def _currency(record: Record, invoice: Sent | None, settings: Settings, facts: OrganisationFacts) -> str:
    if invoice is not None and invoice.link.text("currency"):
        return invoice.link.text("currency")
    named = (one.command.document.currency for one in record.said if one.command.document)
    return (next((code for code in named if code), None) or settings.currency or facts.base_currency).upper()


def _events(record: Record) -> list[MoneyEvent]:
    found = []
    for one in record.of("payment_applied", "refund_applied", "reset"):
        money = MoneyEvent(one.seq, one.action, one.time)
        if (told := one.command.transaction) is not None and one.action != "reset":
            money = replace(money, transaction_id=told.transaction_id, amount=told.amount, share=one.share)
        found.append(money)
    return found


def _fold(record: Record, action: str, comes_to: Mapping[int, Decimal], currency: str) -> dict[str, _State]:
    """Return the state of each transaction by transaction id: after all actions that the log calls done, and
    after those that it calls superseded although nothing newer replaces them.
    """
    states: dict[str, _State] = {}
    for one in record.said:
        if one.is_in_xero and one.action in _TAKES_OFF:
            for state in states.values():
                _take_off(state, one)
        if one.action == action and one.is_in_xero and one.command.transaction is not None:
            _apply(states, one, comes_to, currency)
    for one in record.of(action):
        if one.outcome == "superseded" and not _is_superseded(record, one):
            _apply(states, one, comes_to, currency)
    return states


def _take_off(state: _State, by: Said) -> None:
    """Mark a transaction as taken off; if it is already, keep the newest action that did so."""
    last = state.taken_off_by
    if state.stands or (last is not None and _when(by) > _when(last)):
        state.stands, state.taken_off_by = False, by


def _is_superseded(record: Record, one: Said) -> bool:
    """Return True if something newer replaces a payment or refund, as its entry says: a later event of the
    transaction, or an action that took off everything before it.
    """
    told = one.command.transaction
    if told is None:
        return True
    kind = "payment" if one.action == "payment_applied" else "credit_note"
    put = record.puts.get(record.target(kind, told.transaction_id))
    kept = put.link.money.get(TOLD) if put is not None else None
    if kept and (datetime.fromisoformat(kept["time"]), int(kept["seq"])) >= _when(one):
        return True
    ended = [other for other in record.said if other.state == "completed" and not other.is_skipped]
    if any(by.action in _TAKES_OFF and (by.seq > one.seq or _when(by) > _when(one)) for by in ended):
        return True
    return any(
        other.action == one.action
        and other.outcome != "superseded"
        and other.command.transaction is not None
        and other.command.transaction.transaction_id == told.transaction_id
        and _when(other) > _when(one)
        for other in ended
    )


def _when(said: Said) -> tuple[datetime, int]:
    return said.time, said.seq


def _apply(states: dict[str, _State], one: Said, comes_to: Mapping[int, Decimal], currency: str) -> None:
    told = one.command.transaction
    assert told is not None
    now = Told(rounded(told.amount, currency), told.date, told.reference, one.time, one.seq)
    amount = comes_to.get(one.seq, now.amount)
    state = states.get(told.transaction_id)
    if state is None:
        states[told.transaction_id] = _State(one, now, amount, stands=amount > 0)
        return
    if not now.is_later(state.told):
        return
    off = state.taken_off_by
    if not state.stands and off is not None:
        if (one.time, one.seq) <= (off.time, off.seq):
            return
        states[told.transaction_id] = _State(one, now, amount, stands=amount > 0)
        return
    same = state.stands and now.amount == state.told.amount
    state.amount = state.amount if same else amount
    state.told = over(now, state.told, dated=told.dated)
    state.said, state.stands = one, state.amount > 0


def _nothing(target: StepKey, invoice: Sent | None) -> Sent:
    return Sent(Link(target, "", invoice.link.xero_number if invoice else ""), {})


def _wanted(record: Record, put: Sent, state: _State, kind: Kind, on: JsonObject) -> Wanted:
    link, told = put.link, state.told
    what = "money paid out" if kind == "refund" else kind.replace("_", " ")
    named = f"{what} of {state.amount} of {told.day}"
    pending = _later(record, state)
    later = Later(pending) if pending is not None else None
    if not state.stands or (link.text("reversed_by") and link.removed):
        behind = bool(link.xero_id) and not link.removed
        return Wanted(gone(put), named, state.taken_off_by or state.said, behind=behind, later=later)
    kept = link.money.get(TOLD)
    older = bool(kept and int(kept["seq"]) < told.seq and Decimal(kept["amount"]) != told.amount)
    body: Body = {}
    if kind != "credit_note":
        body = {"Amount": state.amount, **(on if put.body else {})}
    if put.body:
        body |= _day(link, told) | _reference(put, told)
    return Wanted(
        made_of(put, body, amount=str(state.amount)),
        named,
        state.said,
        behind=bool(link.xero_id) and (link.removed or older),
        mends=older or link.removed,
        later=later,
    )


def _later(record: Record, state: _State) -> Said | None:
    """Return the action that has failed, waits or was skipped and would have changed it: a later event of the
    transaction, or an action that takes it off.
    """
    told = state.said.command.transaction
    for one in reversed(record.said):
        own = one.command.transaction
        again = own is not None and told is not None and own.transaction_id == told.transaction_id
        if again and (one.is_pending or one.is_skipped) and one.seq != state.said.seq:
            return one
    return record.undone_by(state.said.seq)


def _day(link: Link, told: Told) -> Body:
    moved = "date_moved" in link.warning_codes
    return {} if moved or told.day is None else {"Date": told.day.isoformat()}


def _reference(put: Sent, told: Told) -> Body:
    """Return SalesBinder's reference with the mark that it was sent with."""
    method, mark = one_line(told.reference or ""), str(put.body.get("Reference") or "").split(" ")[-1]
    if not mark.startswith("#") or len(method) > _REFERENCE_LENGTH:
        return {}
    return {"Reference": f"{method} {mark}".strip()}

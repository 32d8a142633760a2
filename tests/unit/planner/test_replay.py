"""Planning again what is done sends nothing, whatever happened to the record."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contracts.commands import Command
from sinks.planner import Done, Fail
from sinks.xero.elements import Element
from sinks.xero.responses import Result
from sinks.xero.routes import ROUTES
from tests.unit.planner.pure import Books, PureXero, command
from tests.unit.resolve.books import NOW, SETTINGS, invoice, line, payment

ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["created", "edited"]), st.integers(1, 4), st.integers(-2, 2)),
    st.tuples(st.sampled_from(["payment_applied", "refund_applied"]), st.integers(1, 30), st.just(0)),
    st.tuples(st.sampled_from(["payment_applied", "refund_applied"]), st.just(20), st.just(0)),
    st.tuples(st.sampled_from(["reset", "cancelled", "deleted"]), st.just(0), st.just(0)),
)
CHOICES = st.fixed_dictionaries(
    {
        "invoice_status": st.sampled_from(["authorised", "draft"]),
        "edit_authorised": st.sampled_from(["refuse", "push"]),
        "refund_as": st.sampled_from(["credit_note", "reverse_payment"]),
    }
)


def commands(history: list[tuple[Any, int, int]]) -> list[Command]:
    """Snapshots come in the order of their versions, but for those that are late by as much as they say."""
    made = []
    for place, (action, number, late) in enumerate(history):
        version = NOW + timedelta(minutes=10 * place + 10 * late)
        price = str(50 + number) if action in ("created", "edited") else "50"
        document = invoice(line("1", price), version=version, event_time=NOW + timedelta(minutes=place))
        if action in ("payment_applied", "refund_applied"):
            paid = payment(str(number), transaction_id=f"{place:08}", mark=f"#{place:08}")
            made.append(command(action, document, paid))
        else:
            made.append(command(action, None if action == "deleted" else document))
    return made


@given(history=st.lists(ACTIONS, min_size=1, max_size=8), choices=CHOICES)
def test_replay_of_what_is_done_sends_nothing(
    history: list[tuple[Any, int, int]], choices: dict[str, Any]
) -> None:
    books = Books(replace(SETTINGS, **choices))
    ended = [(seq, own, books.run(own, seq)) for seq, own in enumerate(commands(history), 1)]
    books.sent.clear()
    before = msgspec.json.encode(sorted(map(str, books.links.values())))
    for seq, own, end in ended:
        if isinstance(end, Done):
            books.run(own, seq)
    assert books.sent == []
    assert msgspec.json.encode(sorted(map(str, books.links.values()))) == before


@given(history=st.lists(ACTIONS, min_size=1, max_size=8), choices=CHOICES)
def test_books_follow_what_completed(history: list[tuple[Any, int, int]], choices: dict[str, Any]) -> None:
    """There is one invoice at most; on it stands what was paid since the last reset, or it is removed. What
    was refunded since then is paid out on credit notes, or no longer stands on it."""
    books = Books(replace(SETTINGS, **choices))
    paid, removed = Decimal(0), False
    for seq, own in enumerate(commands(history), 1):
        end = books.run(own, seq)
        assert isinstance(end, Done | Fail), end
        assert not (isinstance(end, Fail) and end.code == "our_error"), end
        if isinstance(end, Fail):
            continue
        if own.transaction is not None:
            sign = 1 if own.action == "payment_applied" else -1
            paid += sign * own.transaction.amount
        elif own.action in ("reset", "cancelled", "deleted"):
            paid = Decimal(0)
            removed = removed or own.action != "reset"
    assert len(books.xero.invoices) <= 1
    came_in = sum((p["Amount"] for p in books.xero.live() if "Invoice" in p), Decimal(0))
    went_out = sum((p["Amount"] for p in books.xero.live() if "CreditNote" in p), Decimal(0))
    standing = [note["Total"] for note in books.xero.credit_notes.values() if note["Status"] != "VOIDED"]
    assert came_in - went_out == paid >= 0
    assert sum(standing, Decimal(0)) == went_out
    for found in books.xero.invoices.values():
        assert (found["Status"] in ("VOIDED", "DELETED")) == removed


@dataclass
class OddXero(PureXero):
    """The same Xero, whose answers are written otherwise: numbers as texts of four decimals, days in
    milliseconds, no empty lists, and of what it has just written little more than the id.
    """

    def answer(self, element: Element) -> Result:
        result = super().answer(element)
        kept = _IDS if not ROUTES[element.route].reads else None
        return replace(result, found=tuple(_oddly(found, kept) for found in result.found))


_IDS = {"ContactID", "InvoiceID", "PaymentID", "CreditNoteID"}


def _oddly(value: Any, kept: set[str] | None = None) -> Any:
    if isinstance(value, dict):
        fields = {name: _oddly(each) for name, each in value.items() if kept is None or name in kept}
        fields = {name: each for name, each in fields.items() if each not in ([], "", None)}
        if "Date" in fields:
            at = datetime.fromisoformat(fields["Date"]).replace(tzinfo=UTC)
            fields["Date"] = f"/Date({int(at.timestamp() * 1000)}+0000)/"
        return dict(reversed(fields.items()))
    if isinstance(value, list):
        return [_oddly(each) for each in value]
    return f"{value:.4f}" if isinstance(value, Decimal) else value


@given(history=st.lists(ACTIONS, min_size=1, max_size=8), choices=CHOICES)
def test_how_xero_writes_its_answers_changes_nothing(
    history: list[tuple[Any, int, int]], choices: dict[str, Any]
) -> None:
    ends = []
    for xero in (PureXero(), OddXero()):
        books = Books(replace(SETTINGS, **choices), xero=xero)
        run = [books.run(own, seq) for seq, own in enumerate(commands(history), 1)]
        ends.append([(e.outcome, e.warnings) if isinstance(e, Done) else e for e in run])
    assert ends[0] == ends[1]

"""What the planner does next for a refund, by example; above all after answers that nobody saw."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sinks.ledger.jobs import Job
from sinks.planner import Fail, Learn, Send, Wait, XeroReads, known_details, plan
from sinks.planner.credit_notes import credit_note_target, refund_target
from sinks.planner.invoices import invoice_target
from sinks.planner.payments import payment_target
from sinks.xero.elements import Link
from tests.unit.planner.pure import KNOWING, Books, command, entry, refused
from tests.unit.planner.test_tables import next_step
from tests.unit.resolve.books import NOW, SETTINGS, invoice, line, payment

TRANSACTION = "eada30eb-e15a"
MARK = "#eada30eb"
NOTE_TARGET = credit_note_target("d1", TRANSACTION)
REFUND_TARGET = refund_target("d1", TRANSACTION)
XERO_INVOICE = {
    "InvoiceID": "ours",
    "InvoiceNumber": "5001",
    "Status": "PAID",
    "AmountPaid": 100,
    "CurrencyCode": "USD",
    "LineAmountTypes": "Exclusive",
    "Contact": {"ContactID": "contact-id"},
    "LineItems": [{"TaxType": "NONE", "LineAmount": 100, "TaxAmount": 0, "AccountCode": "200"}],
    "Payments": [{"PaymentID": "p1", "Amount": 50, "Reference": "Cash #11111111"}],
}
READ = XeroReads(invoice=XERO_INVOICE)
INVOICE_LINK = Link(
    invoice_target("d1"), "ours", "5001", 1, facts={"status": "AUTHORISED", "total": "100", "currency": "USD"}
)
NOTE = {
    "CreditNoteID": "n1",
    "Type": "ACCRECCREDIT",
    "CreditNoteNumber": "5001-eada30eb",
    "Reference": f"Cash {MARK}",
    "Status": "AUTHORISED",
    "Total": 50,
    "Date": "2026-03-02T00:00:00",
    "Contact": {"ContactID": "contact-id", "Name": "Widgets"},
    "Payments": [],
}
NOTE_LINK = Link(
    NOTE_TARGET,
    "n1",
    "5001-eada30eb",
    3,
    facts={"amount": "50", "reference": f"Cash {MARK}", "warnings": [], "parts": []},
)
MADE: dict[str, Any] = {"credit_note_links": {TRANSACTION: NOTE_LINK}}
PAYMENT_LINK = Link(payment_target("d1", "t1"), "p1", "5001", 2, facts={"amount": "50"})
BACK = replace(SETTINGS, refund_as="reverse_payment")
WHOLE = {"PaymentID": "p1", "Amount": 50, "Date": "2026-03-02", "Status": "AUTHORISED"}


def refunding(amount: str = "50", **changes: Any) -> Any:
    """The situation of a refund on an invoice that is linked."""
    own = command("refund_applied", invoice(line("1", "100")), payment(amount))
    return replace(Books().situation(Job(entry(own, 3))), **{"invoice_link": INVOICE_LINK, **changes})


def reversing(**changes: Any) -> Any:
    return refunding(**{"settings": BACK, "payment_links": {"t1": PAYMENT_LINK}, "known": READ, **changes})


TAKEN = refused("credit note", "number_taken")


def found(*notes: dict[str, Any]) -> XeroReads:
    return replace(READ, credit_note_by_number=notes)


def noted(**changes: Any) -> XeroReads:
    return XeroReads(credit_notes={"n1": {**NOTE, **changes}})


SITUATIONS = {
    "never synced": (refunding(invoice_link=None), "failed document_not_in_xero"),
    "removed": (refunding(invoice_link=replace(INVOICE_LINK, removed=True)), "failed document_removed"),
    "nothing read": (refunding(), "read invoice"),
    "read": (refunding(known=READ), "credit note"),
    "more than was paid": (refunding("100.01", known=READ), "failed refund_exceeds_paid"),
    "refused": (refunding(known=READ, refusal=refused("credit note", "xero_refused")), "failed xero_refused"),
    "number taken": (refunding(known=READ, refusal=TAKEN), "look up credit note"),
    "taken by ours": (refunding(refusal=TAKEN, known=found(NOTE)), "learn"),
    "taken by ours with another amount": (
        refunding(refusal=TAKEN, known=found({**NOTE, "Total": 49})),
        "failed needs_review",
    ),
    "taken by ours of another day": (
        refunding(refusal=TAKEN, known=found({**NOTE, "Date": "2026-03-03"})),
        "failed needs_review",
    ),
    "taken by ours for somebody else": (
        refunding(refusal=TAKEN, known=found({**NOTE, "Contact": {"ContactID": "x"}})),
        "failed needs_review",
    ),
    "taken by another mark": (
        refunding(refusal=TAKEN, known=found({**NOTE, "Reference": "Cash"})),
        "failed number_taken",
    ),
    "taken by one that is linked": (
        refunding(refusal=TAKEN, known=found(NOTE), linked_elsewhere=frozenset({"n1"})),
        "failed number_taken",
    ),
    "credit note lost": (refunding(unknown={NOTE_TARGET: NOW}, known=READ), "look up credit note"),
    "credit note lost and there": (refunding(unknown={NOTE_TARGET: NOW}, known=found(NOTE)), "learn"),
    "credit note lost and not there": (refunding(unknown={NOTE_TARGET: NOW}, known=found()), "learn"),
    "credit note lost, then set to take payments back": (
        refunding(unknown={NOTE_TARGET: NOW}, known=READ, settings=BACK),
        "look up credit note",
    ),
    "credit note made": (refunding(**MADE), "refund"),
    "made, then set to take payments back": (refunding(settings=BACK, **MADE), "refund"),
    "made and voided": (
        refunding(credit_note_links={TRANSACTION: replace(NOTE_LINK, removed=True)}),
        "failed document_removed",
    ),
    "refund refused for the state": (
        refunding(refusal=refused("refund", "document_not_authorised"), **MADE),
        "read credit note",
    ),
    "refund refused, credit spent by hand": (
        refunding(refusal=refused("refund", "exceeds_amount_due"), known=noted(RemainingCredit=45), **MADE),
        "failed exceeds_amount_due",
    ),
    "refund lost": (refunding(unknown={REFUND_TARGET: NOW}, **MADE), "read credit note"),
    "refund lost and not there": (
        refunding(unknown={REFUND_TARGET: NOW}, known=noted(), **MADE),
        "learn",
    ),
    "refund lost and perhaps there": (
        refunding(
            unknown={REFUND_TARGET: NOW},
            known=noted(Payments=[{"PaymentID": "r1", "Reference": f"Cash {MARK}"}]),
            **MADE,
        ),
        "look up payment",
    ),
    "paid out": (
        refunding(refund_links={TRANSACTION: Link(REFUND_TARGET, "r1", seq=3)}, **MADE),
        "done posted",
    ),
    "takes back": (reversing(), "read payment"),
    "takes back, written down first": (reversing(known=replace(READ, payments={"p1": WHOLE})), "learn"),
    "takes back nothing": (reversing(payment_links={}), "failed no_matching_payment"),
    "takes back what came later": (
        reversing(payment_links={"t1": replace(PAYMENT_LINK, seq=4)}),
        "failed no_matching_payment",
    ),
}


@pytest.mark.parametrize(("situation", "step"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_next_step(situation: Any, step: str) -> None:
    assert next_step(situation) == step


@pytest.mark.parametrize("target", [NOTE_TARGET, REFUND_TARGET])
def test_lost_answers_are_not_looked_up_too_early(target: Any) -> None:
    later = NOW + timedelta(hours=2)
    links = MADE if target == REFUND_TARGET else {}
    assert plan(refunding(unknown={target: later}, **links)) == Wait(later, "waiting_for_answer")


def test_what_was_found_is_adopted_with_all_that_a_removal_needs() -> None:
    step = plan(refunding(refusal=TAKEN, known=found(NOTE)))
    assert isinstance(step, Learn)
    [link] = step.links
    assert (link.target, link.xero_id, link.xero_number, link.seq) == (NOTE_TARGET, "n1", "5001-eada30eb", 3)
    assert (link.amount("amount"), link.text("reference")) == (Decimal(50), f"Cash {MARK}")
    assert (step.resolved, step.afresh) == ((NOTE_TARGET,), True)


def test_payment_that_was_chosen_and_is_gone_makes_no_other_one_the_newest() -> None:
    """Its deletion was applied and the answer lost: the older payment of that amount must stay."""
    chosen = replace(PAYMENT_LINK, xero_id="p2", seq=2, facts={"amount": "50", "claimed_by": TRANSACTION})
    older = replace(PAYMENT_LINK, target=payment_target("d1", "t0"), seq=1)
    links = {"t1": chosen, "t0": older}
    assert next_step(reversing(payment_links=links)) == "read payment"
    gone = replace(READ, payments={"p2": {**WHOLE, "PaymentID": "p2", "Status": "DELETED"}})
    step = plan(reversing(payment_links=links, known=gone))
    assert isinstance(step, Learn)
    [link] = step.links
    assert (link.xero_id, link.removed, link.text("reversed_by")) == ("p2", True, TRANSACTION)


def test_newest_of_several_is_chosen() -> None:
    known = XeroReads(invoice={**XERO_INVOICE, "Payments": [{"PaymentID": "p0"}, {"PaymentID": "p1"}]})
    older = replace(PAYMENT_LINK, target=payment_target("d1", "t0"), xero_id="p0", seq=1)
    own = command("refund_applied", invoice(line("1", "100")), payment("50", reference=""))
    step = plan(reversing(payment_links={"t0": older, "t1": PAYMENT_LINK}, known=known, command=own))
    assert isinstance(step, Send)
    assert step.element.xero_id == "p1"


def test_what_was_refunded_before_counts_unless_it_was_voided() -> None:
    earlier = {"t9": replace(NOTE_LINK, target=credit_note_target("d1", "t9"))}
    assert next_step(refunding("50", known=READ, credit_note_links=earlier)) == "credit note"
    assert next_step(refunding("50.01", known=READ, credit_note_links=earlier)) == "read credit note"
    read = replace(READ, credit_notes={"n1": NOTE})
    assert (
        next_step(refunding("50.01", known=read, credit_note_links=earlier)) == "failed refund_exceeds_paid"
    )
    voided = {"t9": replace(earlier["t9"], removed=True)}
    assert next_step(refunding("50.01", known=read, credit_note_links=voided)) == "credit note"


def test_refusal_of_a_line_names_the_setting_of_lines() -> None:
    refusal = refused("credit note", "account_code_archived", code="200")
    situation = refunding(known=READ, refusal=refusal, facts=KNOWING)
    assert isinstance(plan(situation), Fail)
    assert known_details(situation)["setting"] == "sales_account"


def removing(action: Any = "cancelled", **changes: Any) -> Any:
    own = command(action, invoice(line("1", "100")))
    known = XeroReads(invoice={**XERO_INVOICE, "Payments": []})
    situation = Books().situation(Job(entry(own, 4)))
    return replace(situation, **{"invoice_link": INVOICE_LINK, "known": known, **changes})


LOST: dict[str, Any] = {"unknown": {NOTE_TARGET: NOW}, "refund_marks": {TRANSACTION: (MARK, 3)}}
EMPTY = XeroReads(invoice={**XERO_INVOICE, "Payments": []})


@pytest.mark.parametrize("action", ["cancelled", "reset"])
def test_removal_looks_for_a_credit_note_whose_answer_was_lost(action: Any) -> None:
    assert next_step(removing(action, **LOST)) == "look up credit note"
    step = plan(removing(action, known=replace(EMPTY, credit_note_by_number=(NOTE,)), **LOST))
    assert isinstance(step, Learn)
    assert [(link.xero_id, link.seq) for link in step.links] == [("n1", 3)]
    other = {**NOTE, "Reference": "theirs"}
    step = plan(removing(action, known=replace(EMPTY, credit_note_by_number=(other,)), **LOST))
    assert isinstance(step, Learn)
    assert (step.links, step.resolved) == ((), (NOTE_TARGET,))


def test_reset_leaves_credit_notes_that_came_after_it() -> None:
    late = {TRANSACTION: replace(NOTE_LINK, seq=5)}
    assert next_step(removing("reset", credit_note_links=late)) == "learn"  # that it is done
    assert next_step(removing("cancelled", credit_note_links=late)) == "read credit note"


def test_removal_takes_money_off_that_bears_the_mark_and_has_no_link() -> None:
    marked = {"PaymentID": "r1", "Amount": 50, "Reference": f"Cash {MARK}"}
    known = replace(EMPTY, credit_notes={"n1": {**NOTE, "Payments": [marked]}})
    step = plan(removing(known=known, **MADE))
    assert isinstance(step, Learn)
    assert [(link.target, link.xero_id) for link in step.links] == [(REFUND_TARGET, "r1")]


def test_action_that_nothing_plans_says_so() -> None:
    assert plan(removing("received")) == Fail("not_supported_yet")


PAID: dict[str, Any] = {"payment_links": {"t1": PAYMENT_LINK}}


@pytest.mark.parametrize("action", ["reset", "cancelled"])
@pytest.mark.parametrize(
    ("payments", "step"),
    [
        ({}, "read payment"),
        ({"p1": WHOLE}, "take payment off"),
        ({"p1": {**WHOLE, "Status": "DELETED"}}, "learn"),
        ({"p1": {}}, "learn"),
    ],
)
def test_payment_that_xero_does_not_list_on_the_invoice_is_looked_at_itself(
    action: Any, payments: Any, step: str
) -> None:
    unlisted = {name: value for name, value in XERO_INVOICE.items() if name != "Payments"}
    known = XeroReads(invoice=unlisted, payments=payments)
    situation = removing(action, known=known, **PAID)
    assert next_step(situation) == step
    if step == "learn":
        found = plan(situation)
        assert isinstance(found, Learn)
        assert [(link.xero_id, link.removed) for link in found.links] == [("p1", True)]


def test_amounts_and_days_of_a_sentence_are_plain_however_xero_writes_them() -> None:
    theirs = {"PaymentID": "px", "Amount": "8.5000", "Reference": "Bank"}
    dated = {**theirs, "PaymentID": "py", "Date": "/Date(1772409600000+0000)/", "Reference": None}
    known = XeroReads(invoice={**XERO_INVOICE, "Payments": [theirs, dated]})
    step = plan(removing("cancelled", known=known))
    assert isinstance(step, Fail)
    assert (step.code, step.details["list"]) == ("foreign_payments", "8.50 Bank, 8.50 of 2026-03-02")

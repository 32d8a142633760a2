"""What the planner does next, by example."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sinks.ledger.jobs import Job, apply
from sinks.planner import Done, Fail, Learn, Send, Wait, XeroReads, known_details, plan
from sinks.planner.contacts import contact_target
from sinks.planner.invoices import invoice_target
from sinks.planner.payments import payment_target
from sinks.xero.elements import Link
from sinks.xero.responses import Result
from tests.unit.planner.pure import KNOWING, Books, command, entry, refused
from tests.unit.resolve.books import CONTACT, NOW, SETTINGS, invoice, line, payment

DOCUMENT = invoice(line("1", "100"))
CONTACT_LINK = Link(
    contact_target(CONTACT),
    "contact-id",
    facts={"sent": {"name": "Widgets"}, "version": NOW.isoformat(), "event_time": NOW.isoformat()},
)
URL = "https://acme.salesbinder.com/documents/view/d1"
OURS = {
    "InvoiceID": "ours",
    "InvoiceNumber": "5001",
    "Type": "ACCREC",
    "Url": URL,
    "Total": 100,
    "Date": "2026-03-02T00:00:00",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": "contact-id", "Name": "Widgets"},
}


def created(**changes: Any) -> Any:
    """The situation of a created invoice whose contact is linked."""
    own = command("created", changes.pop("document", DOCUMENT))
    situation = Books().situation(Job(entry(own, 1)))
    return replace(situation, **{"contact_link": CONTACT_LINK, **changes})


def paying(amount: str = "50", **changes: Any) -> Any:
    """The situation of a payment on an invoice that is linked."""
    own = command("payment_applied", DOCUMENT, payment(amount))
    status = changes.pop("status", "AUTHORISED")
    facts = {"status": status, "total": "100", "currency": "USD"}
    link = Link(invoice_target("d1"), "ours", "5001", 1, facts=facts)
    return replace(Books().situation(Job(entry(own, 2))), invoice_link=link, **changes)


def next_step(situation: Any) -> str:
    """A step's name, or how it ends."""
    step = plan(situation)
    if isinstance(step, Send):
        return step.element.step
    if isinstance(step, Done):
        return f"done {step.outcome}"
    if isinstance(step, Fail):
        return f"failed {step.code}"
    return type(step).__name__.lower()


NUMBER_TAKEN = refused("invoice", "number_taken", message="Invoice # must be unique.")
NAMED = refused("contact", "contact_name_taken")
NUMBERED = refused(
    "contact", "contact_name_taken", message="... unique ... Another contact has this contact number."
)
SITUATIONS = {
    "nothing known": (created(contact_link=None), "contact"),
    "name taken": (created(contact_link=None, refusal=NAMED), "look up contact by name"),
    "name and number taken": (created(contact_link=None, refusal=NUMBERED), "look up contact by number"),
    "namesake found": (
        created(contact_link=None, refusal=NAMED, known=XeroReads(contact_by_name=({"ContactID": "x"},))),
        "contact link",
    ),
    "namesake has another number": (
        created(
            contact_link=None,
            refusal=NAMED,
            known=XeroReads(contact_by_name=({"ContactID": "x", "ContactNumber": "n"},)),
        ),
        "look up contact by number",
    ),
    "namesake was not found": (
        created(contact_link=None, refusal=NAMED, known=XeroReads(contact_by_name=(), names_asked=1)),
        "look up contact by name",
    ),
    "namesake was not found in all of Xero": (
        created(contact_link=None, refusal=NAMED, known=XeroReads(contact_by_name=(), names_asked=-1)),
        "failed contact_name_unseen",
    ),
    "namesake merged": (
        created(
            contact_link=None,
            refusal=NAMED,
            known=XeroReads(
                contact_by_number=({"ContactID": "x", "ContactNumber": "c1", "MergedToContactID": "y"},)
            ),
        ),
        "read contact",
    ),
    "contact linked": (created(), "invoice"),
    "no item yet": (created(facts=replace(KNOWING, item_codes=frozenset())), "item"),
    "before the cut-off": (
        created(document=invoice(created=NOW - timedelta(seconds=1))),
        "done before_cutoff",
    ),
    "number taken": (created(refusal=NUMBER_TAKEN), "look up invoice"),
    "number is somebody else's": (
        created(refusal=NUMBER_TAKEN, known=XeroReads(invoice_by_number=({**OURS, "Url": "other"},))),
        "failed number_taken",
    ),
    "number is ours": (
        created(refusal=NUMBER_TAKEN, known=XeroReads(invoice_by_number=(OURS,))),
        "learn",
    ),
    "number is ours and was voided by hand": (
        created(
            refusal=NUMBER_TAKEN,
            known=XeroReads(invoice_by_number=({**OURS, "Status": "VOIDED", "Total": 0},)),
        ),
        "learn",
    ),
    "number is ours with another total": (
        created(refusal=NUMBER_TAKEN, known=XeroReads(invoice_by_number=({**OURS, "Total": 99},))),
        "failed needs_review",
    ),
    "number is ours but linked": (
        created(
            refusal=NUMBER_TAKEN,
            known=XeroReads(invoice_by_number=(OURS,)),
            linked_elsewhere=frozenset({"ours"}),
        ),
        "failed number_taken",
    ),
    "contact archived": (created(refusal=refused("invoice", "contact_archived")), "read contact"),
    "contact archived indeed": (
        created(
            refusal=refused("invoice", "contact_archived"),
            known=XeroReads(contact={"ContactID": "contact-id", "ContactStatus": "ARCHIVED"}),
        ),
        "failed contact_archived",
    ),
    "contact merged": (
        created(
            refusal=refused("invoice", "contact_archived"),
            known=XeroReads(contact={"ContactID": "contact-id", "MergedToContactID": "y"}),
        ),
        "learn",
    ),
    "other refusal": (created(refusal=refused("invoice", "xero_refused")), "failed xero_refused"),
    "pays": (paying(), "payment"),
    "pays nothing": (paying("0"), "done not_needed"),
    "pays less than nothing": (paying("-1"), "failed amount_not_positive"),
    "pays a draft": (paying(status="DRAFT"), "authorise"),
    "pays more than a draft is": (paying("101", status="DRAFT"), "failed exceeds_amount_due"),
    "pays a draft to the cent": (paying("100.004", status="DRAFT"), "authorise"),
    "pays a draft in a locked period": (
        paying(status="DRAFT", facts=replace(KNOWING, lock_date=date(2026, 3, 2))),
        "failed period_locked",
    ),
    "pays without an account": (
        paying(status="DRAFT", settings=replace(SETTINGS, payment_account=None)),
        "failed payment_account_missing",
    ),
    "refused, perhaps for a change by hand": (
        paying(refusal=refused("payment", "document_not_authorised")),
        "read invoice",
    ),
    "refused and set back to draft": (
        paying(
            refusal=refused("payment", "document_not_authorised"),
            known=XeroReads(invoice={"Status": "DRAFT"}),
        ),
        "authorise",
    ),
    "refused because it is paid": (
        paying(
            refusal=refused("payment", "document_not_authorised"),
            known=XeroReads(invoice={"Status": "PAID", "AmountDue": "0.00"}),
        ),
        "failed exceeds_amount_due",
    ),
    "refused in words that we do not know": (
        paying(refusal=refused("payment", "xero_refused")),
        "read invoice",
    ),
    "refused for a reason that stays": (
        paying(
            refusal=refused("payment", "xero_refused"),
            known=XeroReads(invoice={"Status": "AUTHORISED", "AmountDue": 100}),
        ),
        "failed xero_refused",
    ),
    "refused and voided": (
        paying(
            refusal=refused("payment", "document_not_authorised"),
            known=XeroReads(invoice={"Status": "VOIDED"}),
        ),
        "failed document_removed",
    ),
    "refused and gone": (
        paying(refusal=refused("payment", "document_not_in_xero"), known=XeroReads(invoice={})),
        "failed document_removed",
    ),
    "approved by hand meanwhile": (
        paying(
            status="DRAFT",
            refusal=refused("authorise", "document_not_editable"),
            known=XeroReads(invoice={"Status": "AUTHORISED"}),
        ),
        "payment",
    ),
}


def test_a_create_that_was_refused_says_nothing_of_a_contact_that_is_linked_since() -> None:
    """Two actions of a customer are told that its name is taken; the first to find it links it."""
    own = msgspec.structs.replace(command("created", entity="customer", record_id="c1"), contact=CONTACT)
    work, books = Job(entry(own, 1)), Books()
    create = plan(replace(books.situation(work), contact=CONTACT))
    assert isinstance(create, Send)
    apply(create.element, Result("refused", code="contact_name_taken"), [work], None)
    situation = replace(books.situation(work), contact=CONTACT)
    assert next_step(situation) == "look up contact by name"
    linked = Link(create.element.target, "x", facts=dict(create.element.link_facts))
    assert next_step(replace(situation, contact_link=linked)) == "done None"


@pytest.mark.parametrize(("situation", "step"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_next_step(situation: Any, step: str) -> None:
    assert next_step(situation) == step


MARKED = {"PaymentID": "p1", "Reference": "Cash #eada30eb", "Amount": 50}
WHOLE = {**MARKED, "Date": "2026-03-02T00:00:00", "Account": {"Code": "090"}, "Status": "AUTHORISED"}
TARGET = payment_target("d1", "eada30eb-e15a")
LOOK_UPS = {
    "not there": ((), {}, "learn"),
    "not read yet": ((MARKED,), {}, "look up payment"),
    "there": ((MARKED,), {"p1": WHOLE}, "learn"),
    "there with another amount": ((MARKED,), {"p1": {**WHOLE, "Amount": 49}}, "failed needs_review"),
    "there on another day": ((MARKED,), {"p1": {**WHOLE, "Date": "2026-03-03"}}, "failed needs_review"),
    "there on another account": (
        (MARKED,),
        {"p1": {**WHOLE, "Account": {"Code": "091"}}},
        "failed needs_review",
    ),
    "deleted": ((MARKED,), {"p1": {**WHOLE, "Status": "DELETED"}}, "learn"),
    "other mark": (({**MARKED, "Reference": "Cash #ffffffff"},), {}, "learn"),
}


@pytest.mark.parametrize(("payments", "read", "step"), LOOK_UPS.values(), ids=LOOK_UPS.keys())
def test_payment_whose_answer_was_lost(payments: Any, read: Any, step: str) -> None:
    known = XeroReads(invoice={"Status": "AUTHORISED", "Payments": payments}, payments=read)
    situation = paying(unknown={TARGET: NOW}, known=known)
    assert next_step(situation) == step
    if step == "learn":
        remembered = plan(situation)
        assert isinstance(remembered, Learn)
        adopted = [link.xero_id for link in remembered.links]
        assert (adopted, remembered.resolved) == (["p1"] if read == {"p1": WHOLE} else [], (TARGET,))


def test_lost_answer_is_not_looked_up_too_early() -> None:
    later = NOW + timedelta(hours=2)
    assert plan(paying(unknown={TARGET: later})) == Wait(later, "waiting_for_answer")


def test_details_complete_the_sentence_of_a_refusal() -> None:
    details = known_details(paying(refusal=refused("payment", "account_code_unknown", code="090")))
    assert details["setting"] == "payment_account"
    assert (details["due"], details["number"], details["name"]) == ("100", "5001", "Widgets")


def test_what_xero_remarks_on_a_payment_is_a_warning() -> None:
    situation = paying()
    step = plan(situation)
    assert isinstance(step, Send)
    answer = Result("ok", ({"PaymentID": "p1"},), warned=("The account is new",))
    link = apply(step.element, answer, [Job(entry(situation.command, 2))], None)
    assert link is not None
    done = plan(replace(situation, payment_links={link.target.transaction_id: link}))
    assert isinstance(done, Done)
    assert [(w.code, "The account is new" in w.text) for w in done.warnings] == [("xero_warned", True)]


def test_answer_without_status_and_number_leaves_what_was_sent() -> None:
    situation = created(settings=replace(SETTINGS, invoice_status="draft"))
    step = plan(situation)
    assert isinstance(step, Send)
    link = apply(step.element, Result("ok", ({"InvoiceID": "x"},)), [Job(entry(situation.command, 1))], None)
    assert link is not None
    assert (link.text("status"), link.xero_number, link.amount("total")) == (
        "DRAFT",
        "5001",
        Decimal(100),
    )

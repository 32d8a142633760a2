"""Orders and receipts: the next step by example, and planning again what is done sends nothing."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commands import Action, Command, DocumentSnapshot
from sinks.ledger.jobs import Job
from sinks.planner import Done, Fail, Learn, Situation, Wait, XeroReads, known_details, plan
from sinks.planner.contacts import contact_target
from sinks.planner.orders import bill_target, order_target
from sinks.xero.elements import Element, Link
from sinks.xero.responses import Result
from tests.unit.planner.pure import Books, PureXero, command, entry, refused
from tests.unit.planner.test_tables import next_step
from tests.unit.resolve.books import CONTACT, NOW, SETTINGS, invoice, line

SUPPLIER = msgspec.structs.replace(CONTACT, side="supplier")
URL = "https://acme.salesbinder.com/documents/view/d1"


def order(price: str = "100", **other: Any) -> DocumentSnapshot:
    return invoice(line("1", price), kind="purchase_order", contact=SUPPLIER, **other)


def doing(action: Action, document: DocumentSnapshot | None) -> Command:
    return command(action, document, entity="purchase_order")


@dataclass
class OrderXero(PureXero):
    """Takes orders and bills, too; what is billed or deleted stays as it is."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, element: Element) -> Result:
        body = dict(element.body or {})
        match element.route:
            case "orders.create":
                body["PurchaseOrderID"] = str(uuid.uuid4())
                self.orders[body["PurchaseOrderID"]] = body
            case "orders.update":
                held = self.orders[body["PurchaseOrderID"]]
                if held["Status"] in ("BILLED", "DELETED"):
                    return Result("refused", code="document_not_editable")
                held |= body
                body = held
            case "orders.read":
                body = self.orders[element.xero_id]
            case "bills.create":
                return Result("ok", (self._write(body),))
            case _:
                return super().answer(element)
        return Result("ok", (dict(body),))


@dataclass
class OrderBooks(Books):
    """Books that know orders and their bills."""

    xero: OrderXero = field(default_factory=OrderXero)

    def situation(self, work: Job) -> Situation:
        record_id = work.entry.command.record_id
        return replace(
            super().situation(work),
            order_link=self.links.get(order_target(record_id)),
            bill_link=self.links.get(bill_target(record_id)),
        )


CONTACT_LINK = Link(
    contact_target(SUPPLIER),
    "contact-id",
    facts={"sent": {"name": "Widgets"}, "version": NOW.isoformat(), "event_time": NOW.isoformat()},
)
ACTIVE = {"ContactID": "x", "ContactStatus": "ACTIVE"}
ARCHIVED = {**ACTIVE, "ContactStatus": "ARCHIVED"}
MARKED = {
    "PurchaseOrderID": "ours",
    "PurchaseOrderNumber": "5001",
    "Reference": "Spring #d1",
    "Total": 100,
    "Date": "2026-03-02T00:00:00",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": "contact-id", "Name": "Widgets"},
}
BILL = {
    "InvoiceID": "bill",
    "InvoiceNumber": "5001",
    "Type": "ACCPAY",
    "Url": URL,
    "Total": 100,
    "Date": "2026-03-02T00:00:00",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": "contact-id"},
}


def situation(action: Action, **changes: Any) -> Situation:
    own = doing(action, None if action == "deleted" else order())
    base = OrderBooks().situation(Job(entry(own, 2)))
    return replace(base, **{"contact_link": CONTACT_LINK, **changes})


def linked(action: Action, status: str = "AUTHORISED", **changes: Any) -> Situation:
    """The order is in Xero, as it was made by the action before, of an older snapshot."""
    facts = {"status": status, "date": "2026-03-02", "party": "supplier/c1"}
    link = Link(order_target("d1"), "ours", "5001", 1, facts=facts)
    return situation(action, order_link=link, **changes)


NUMBER_TAKEN = refused("order", "number_taken", message="Order number must be unique")
STATE: Final = "document_not_editable"
READ = XeroReads(order=MARKED)
SITUATIONS = {
    "nothing known": (situation("created", contact_link=None), "contact"),
    "contact linked": (situation("created"), "order"),
    "number taken": (situation("created", refusal=NUMBER_TAKEN), "look up order"),
    "number is not found": (
        situation("created", refusal=NUMBER_TAKEN, known=XeroReads(order_by_number=())),
        "failed number_taken",
    ),
    "number is ours": (
        situation("created", refusal=NUMBER_TAKEN, known=XeroReads(order_by_number=(MARKED,))),
        "learn",
    ),
    "number is somebody else's": (
        situation(
            "created",
            refusal=NUMBER_TAKEN,
            known=XeroReads(order_by_number=({**MARKED, "Reference": "Spring #d2"},)),
        ),
        "failed number_taken",
    ),
    "number is ours but linked": (
        situation(
            "created",
            refusal=NUMBER_TAKEN,
            known=XeroReads(order_by_number=(MARKED,)),
            linked_elsewhere=frozenset({"ours"}),
        ),
        "failed number_taken",
    ),
    "number is ours with another total": (
        situation(
            "created", refusal=NUMBER_TAKEN, known=XeroReads(order_by_number=({**MARKED, "Total": 9},))
        ),
        "failed needs_review",
    ),
    "number is ours and was deleted by hand": (
        situation(
            "created",
            refusal=NUMBER_TAKEN,
            known=XeroReads(order_by_number=({**MARKED, "Status": "DELETED", "Total": 0},)),
        ),
        "learn",
    ),
    "edit": (linked("edited"), "order"),
    "edit refused": (linked("edited", refusal=refused("order", STATE)), "read order"),
    "edit refused for good": (
        linked("edited", refusal=refused("order", STATE), known=READ),
        f"failed {STATE}",
    ),
    "edit of a billed one": (linked("edited", "BILLED"), "failed order_billed"),
    "edit while its bill is unknown": (
        linked("edited", unknown={bill_target("d1"): NOW}),
        "failed order_billed",
    ),
    "edit of a deleted one": (linked("edited", "DELETED"), "failed document_removed"),
    "delete": (linked("deleted"), "remove order"),
    "delete of what never came": (situation("deleted"), "learn"),
    "delete refused": (linked("deleted", refusal=refused("remove order", STATE)), "read order"),
    "delete of a billed one": (linked("deleted", "BILLED"), "failed order_billed"),
    "delete of one with a bill": (
        linked("deleted", bill_link=Link(bill_target("d1"), "bill")),
        "failed order_billed",
    ),
    "retried delete, overtaken": (linked("deleted", retried=True, overtaken=True), "failed overtaken"),
    "received": (linked("received"), "read order"),
    "received and read": (linked("received", known=READ), "bill"),
    "received as a draft": (
        linked("received", "DRAFT", known=XeroReads(order={**MARKED, "Status": "DRAFT"})),
        "read contact",
    ),
    "received as a draft, contact read": (
        linked("received", "DRAFT", known=XeroReads(order={**MARKED, "Status": "DRAFT"}, contact=ACTIVE)),
        "authorise order",
    ),
    "received as a draft, contact archived": (
        linked("received", "DRAFT", known=XeroReads(order={**MARKED, "Status": "DRAFT"}, contact=ARCHIVED)),
        "failed contact_archived",
    ),
    "received, bill refused": (
        linked("received", known=READ, refusal=refused("bill", "xero_refused")),
        "failed xero_refused",
    ),
    "received, contact archived": (
        linked("received", known=READ, refusal=refused("bill", "contact_archived")),
        "read contact",
    ),
    "received and billed by hand": (
        linked("received", known=XeroReads(order={**MARKED, "Status": "BILLED"})),
        "failed order_billed",
    ),
    "received and deleted by hand": (
        linked("received", known=XeroReads(order={})),
        "failed document_removed",
    ),
    "bill is there": (linked("received", bill_link=Link(bill_target("d1"), "bill")), "order billed"),
    "billed only": (
        linked("received", settings=replace(SETTINGS, received_as="billed")),
        "order billed",
    ),
    "billed only, refused": (
        linked(
            "received",
            settings=replace(SETTINGS, received_as="billed"),
            refusal=refused("order billed", STATE),
        ),
        "read order",
    ),
}


@pytest.mark.parametrize(("found", "step"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_next_step(found: Situation, step: str) -> None:
    assert next_step(found) == step


LOOK_UPS = {
    "not read yet": (None, "look up bill"),
    "not there": ((), "learn"),
    "there": ((BILL,), "learn"),
    "there with another total": (({**BILL, "Total": 99},), "failed needs_review"),
    "there on another day": (({**BILL, "Date": "2026-03-03"},), "failed needs_review"),
    "there for another contact": (({**BILL, "Contact": {"ContactID": "x"}},), "failed needs_review"),
    "there twice": ((BILL, {**BILL, "InvoiceID": "second"}), "failed needs_review"),
    "the same without our link": (({**BILL, "Url": ""},), "failed needs_review"),
    "somebody else's": (({**BILL, "Url": "", "Total": 5},), "learn"),
    "voided": (({**BILL, "Status": "VOIDED"},), "learn"),
    "of another number": (({**BILL, "InvoiceNumber": "5002", "Url": ""},), "learn"),
    "a sales invoice": (({**BILL, "Type": "ACCREC"},), "learn"),
}


@pytest.mark.parametrize(("bills", "step"), LOOK_UPS.values(), ids=LOOK_UPS.keys())
def test_bill_whose_answer_was_lost(bills: Any, step: str) -> None:
    target = bill_target("d1")
    found = linked("received", unknown={target: NOW}, known=XeroReads(invoice_by_number=bills))
    assert next_step(found) == step
    if step == "learn":
        remembered = plan(found)
        assert isinstance(remembered, Learn)
        adopted = [link.xero_id for link in remembered.links]
        assert (adopted, remembered.resolved) == (["bill"] if bills == (BILL,) else [], (target,))


def test_lost_answer_is_not_looked_up_too_early() -> None:
    later = NOW + timedelta(hours=2)
    assert plan(linked("received", unknown={bill_target("d1"): later})) == Wait(later, "waiting_for_answer")


def test_number_of_the_bill_is_the_orders_whatever_the_settings_became() -> None:
    settings = replace(SETTINGS, purchase_order_number_format="NEW-{number}")
    step: Any = plan(linked("received", known=READ, settings=settings))
    assert step.element.body["InvoiceNumber"] == "5001"


def test_details_name_the_settings_of_purchases() -> None:
    account = refused("bill", "account_code_unknown", code="300")
    assert known_details(linked("received", refusal=account))["setting"] == "purchases_account"
    tax = refused("order", "tax_type_unfit", tax_type="INPUT")
    assert known_details(linked("edited", refusal=tax))["setting"] == "purchase_tax.8"
    number = refused("order", "number_taken")
    assert known_details(linked("edited", refusal=number))["setting"] == "purchase_order_number_format"
    assert known_details(linked("deleted"))["document"] == "purchase order 5001"


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["created", "edited", "edited", "received", "deleted"]),
        st.integers(1, 4),
        st.integers(-2, 2),
    ),
    min_size=1,
    max_size=8,
)
CHOICES = st.fixed_dictionaries(
    {
        "purchase_order_status": st.sampled_from(["authorised", "draft"]),
        "received_as": st.sampled_from(["bill", "billed"]),
    }
)


def commands(history: list[tuple[Any, int, int]]) -> list[Command]:
    """Snapshots come in the order of their versions, but for those that are late by as much as they say."""
    made = []
    for place, (action, number, late) in enumerate(history):
        version = NOW + timedelta(minutes=10 * (place + late))
        document = order(str(50 + number), version=version, event_time=NOW + timedelta(minutes=place))
        made.append(doing(action, None if action == "deleted" else document))
    return made


@given(history=HISTORIES, choices=CHOICES)
def test_replay_sends_nothing_and_books_follow_what_completed(
    history: list[tuple[Any, int, int]], choices: dict[str, Any]
) -> None:
    """There is one order and one bill at most; what completed says whether it is billed, deleted or open."""
    books = OrderBooks(replace(SETTINGS, **choices))
    ended = [(seq, own, books.run(own, seq)) for seq, own in enumerate(commands(history), 1)]
    assert not [end for _, _, end in ended if isinstance(end, Wait)]
    assert not [end for _, _, end in ended if isinstance(end, Fail) and end.code == "our_error"]
    done = [own.action for _, own, end in ended if isinstance(end, Done)]
    statuses = {found["Status"] for found in books.xero.orders.values()}
    bills = [Decimal(found["Total"]) for found in books.xero.invoices.values()]
    assert len(books.xero.orders) <= 1
    if "received" in done:
        assert statuses == {"BILLED"}
        assert len(bills) == (choices["received_as"] == "bill")
    elif "deleted" in done:
        assert (statuses <= {"DELETED"}, bills) == (True, [])
    else:
        assert (statuses <= {choices["purchase_order_status"].upper()}, bills) == (True, [])
    books.sent.clear()
    before = sorted(map(str, books.links.values()))
    for seq, own, end in ended:
        if isinstance(end, Done):
            books.run(own, seq)
    assert (books.sent, sorted(map(str, books.links.values()))) == ([], before)

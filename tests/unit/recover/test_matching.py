"""A record's history, and what Xero shows of it: which links there are, and what has ended. By hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from contracts.commands import Command, DocumentSnapshot, left_of
from contracts.reasons import ReasonCode
from contracts.results import State
from sinks.ledger.entries import COLUMNS, Entry, entry_of_archived
from sinks.recover.contacts import match_contact
from sinks.recover.invoices import match_invoice
from sinks.recover.orders import match_order
from sinks.recover.record import Findings, Record
from sinks.resolve import resolve_bill, resolve_invoice, resolve_order
from sinks.xero.elements import Link, StepKey
from tests.unit.planner.pure import KNOWING, command, entry
from tests.unit.resolve.books import CONTACT, NOW, SETTINGS, invoice, line, payment

V1 = invoice(line("1", "100", tax_rate="8"), version=NOW)
V2 = invoice(
    line("2", "100", tax_rate="8"), version=NOW + timedelta(hours=1), event_time=NOW + timedelta(hours=1)
)
PAID = payment("108")
REFUND = payment("20", transaction_id="77aa11bb-0000", mark="#77aa11bb")


def record(
    commands: Sequence[Command],
    shown: dict[str, list[dict[str, Any]]],
    links: Sequence[Link] = (),
    states: dict[int, tuple[State, ReasonCode | None]] | None = None,
    **settings: str,
) -> Record:
    entries: list[Entry] = []
    for seq, one in enumerate(commands, 1):
        state, reason = (states or {}).get(seq, ("queued", None))
        entries.append(replace(entry(one, seq), state=state, reason_code=reason))
    return Record(
        account="acme",
        entity=commands[0].entity,
        record_id="d1",
        entries=entries,
        flagged=frozenset(e.command_id for e in entries if e.state != "completed"),
        links={link.target: link for link in links},
        shown=shown,
        elsewhere=frozenset(),
        settings=replace(SETTINGS, **settings),  # type: ignore[arg-type]
        facts=KNOWING,
        now=NOW,
    )


def in_xero(document: DocumentSnapshot, status: str = "AUTHORISED", **more: Any) -> dict[str, Any]:
    resolved = resolve_invoice(document, SETTINGS, KNOWING, "acme")
    return {
        **resolved.body,
        "InvoiceID": "x1",
        "Status": status,
        "DateString": resolved.body["Date"],
        "DueDateString": resolved.body["DueDate"],
        "Total": str(resolved.total),
        "Contact": {"ContactID": "c1"},
        **more,
    }


def paid(
    amount: str = "108.00", status: str = "AUTHORISED", mark: str = "#eada30eb", **more: Any
) -> dict[str, Any]:
    return {
        "PaymentID": "p1",
        "Amount": amount,
        "Date": "2026-03-02",
        "Reference": f"Cash {mark}",
        "Status": status,
        "Invoice": {"InvoiceID": "x1"},
        **more,
    }


def outcomes(found: Findings, of: Record) -> list[tuple[int, str, str | None]]:
    ended = [(e.seq, e.state, e.outcome or e.reason_code) for e in found.entries.values()]
    assert {seq for seq, _, _ in ended} <= {e.seq for e in of.entries}
    return sorted(ended)


def links(found: Findings) -> dict[str, tuple[str, bool, int]]:
    return {t.kind: (link.xero_id, link.removed, link.seq) for t, link in found.links.items()}


CREATED, EDITED = command("created", V1), command("edited", V2)
PAY = command("payment_applied", V1, PAID)


def test_nothing_in_xero_was_surely_not_sent() -> None:
    found = match_invoice(record([CREATED, PAY], {}))
    assert (found.links, found.entries) == ({}, {})


def test_invoice_and_payment_are_linked_by_their_own_actions() -> None:
    found = match_invoice(record([CREATED, PAY], {"Invoices": [in_xero(V1)], "Payments": [paid()]}))
    assert links(found) == {"invoice": ("x1", False, 1), "payment": ("p1", False, 2)}
    assert found.entries == {}


def test_the_newest_snapshot_that_xero_holds_whole_counts_as_sent() -> None:
    for there, version in ((V1, V1.version), (V2, V2.version)):
        found = match_invoice(record([CREATED, EDITED], {"Invoices": [in_xero(there)]}))
        assert found.links[StepKey("invoice", "d1")].time("version") == version


def test_a_document_changed_by_hand_is_linked_and_planned_from_the_oldest_of_its_total() -> None:
    by_hand = in_xero(V1, Reference="changed by hand")
    found = match_invoice(record([CREATED, EDITED], {"Invoices": [by_hand]}))
    assert found.links[StepKey("invoice", "d1")].time("version") == V1.version
    assert found.entries == {}


def test_what_the_ledger_knew_before_stays_where_xero_has_nothing_newer() -> None:
    known = match_invoice(record([CREATED], {"Invoices": [in_xero(V1)]})).links[StepKey("invoice", "d1")]
    both = record([CREATED, EDITED], {"Invoices": [in_xero(V1, "DRAFT")]}, [known], {1: ("completed", None)})
    again = match_invoice(both).links[StepKey("invoice", "d1")]
    assert again.time("version") == V1.version
    assert again.text("status") == "DRAFT"


def test_a_payment_of_another_amount_counts_as_sent() -> None:
    found = match_invoice(record([CREATED, PAY], {"Invoices": [in_xero(V1)], "Payments": [paid("50.00")]}))
    link = found.links[StepKey("payment", "d1", PAID.transaction_id)]
    assert (link.xero_id, link.amount("amount")) == ("p1", Decimal("50.00"))


def test_a_payment_that_was_taken_off_counts_as_sent() -> None:
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid(status="DELETED")]}
    found = match_invoice(record([CREATED, PAY], shown))
    assert links(found)["payment"] == ("p1", True, 2)


def test_of_one_taken_off_and_one_that_stands_the_latter_counts() -> None:
    payments = [paid(status="DELETED"), paid(PaymentID="p2")]
    found = match_invoice(record([CREATED, PAY], {"Invoices": [in_xero(V1)], "Payments": payments}))
    assert links(found)["payment"] == ("p2", False, 2)


def test_two_that_stand_under_one_mark_are_for_a_person() -> None:
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid(), paid(PaymentID="p2")]}
    of = record([CREATED, PAY], shown)
    found = match_invoice(of)
    assert outcomes(found, of) == [(2, "failed", "needs_review")]
    assert "payment" not in links(found)


def test_two_documents_under_one_url_are_for_a_person() -> None:
    of = record([CREATED], {"Invoices": [in_xero(V1), in_xero(V1, InvoiceID="x2")]})
    assert outcomes(match_invoice(of), of) == [(1, "failed", "needs_review")]


def test_a_payment_on_another_invoice_is_not_ours() -> None:
    other = paid(Invoice={"InvoiceID": "x9"})
    found = match_invoice(record([CREATED, PAY], {"Invoices": [in_xero(V1)], "Payments": [other]}))
    assert "payment" not in links(found)


def test_what_other_records_are_linked_to_is_not_ours() -> None:
    of = record([CREATED, PAY], {"Invoices": [in_xero(V1)], "Payments": [paid()]})
    found = match_invoice(replace(of, elsewhere=frozenset({"p1"})))
    assert "payment" not in links(found)


def test_a_removed_invoice_settles_what_stands_before_the_removal() -> None:
    cancelled = command("cancelled", V1)
    shown = {"Invoices": [in_xero(V1, "VOIDED")], "Payments": [paid(status="DELETED")]}
    unseen = command("payment_applied", V1, payment("5", transaction_id="00000000-1", mark="#00000000"))
    of = record([CREATED, PAY, unseen, command("reset", V1), cancelled, EDITED], shown)
    found = match_invoice(of)
    assert outcomes(found, of) == [
        (1, "completed", "posted"),
        (2, "completed", "posted"),
        (3, "completed", "superseded"),
        (4, "completed", "already_there"),
    ]
    assert found.links[StepKey("invoice", "d1")].text("removed_seq") == "5"


def test_an_invoice_voided_by_hand_counts_as_sent_and_its_edit_is_planned() -> None:
    of = record([CREATED, EDITED], {"Invoices": [in_xero(V1, "VOIDED")]})
    found = match_invoice(of)
    assert outcomes(found, of) == [(1, "completed", "posted")]
    assert links(found)["invoice"] == ("x1", True, 1)


def test_credit_note_and_its_refund_are_linked() -> None:
    note = {
        "CreditNoteID": "n1",
        "CreditNoteNumber": "5001-77aa11bb",
        "Type": "ACCRECCREDIT",
        "Reference": "Cash #77aa11bb",
        "Status": "PAID",
        "Total": "20.00",
    }
    money = paid("20.00", mark="#77aa11bb", PaymentID="r1", Invoice={"InvoiceID": "n1"})
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid(), money], "CreditNotes": [note]}
    found = match_invoice(record([CREATED, PAY, command("refund_applied", V1, REFUND)], shown))
    assert links(found)["credit_note"] == ("n1", False, 3)
    assert links(found)["refund"] == ("r1", False, 3)
    half = match_invoice(
        record([CREATED, PAY, command("refund_applied", V1, REFUND)], {**shown, "Payments": [paid()]})
    )
    assert "credit_note" in links(half) and "refund" not in links(half)


def test_a_refund_that_took_the_payment_back_is_told_from_a_reset() -> None:
    refund = command("refund_applied", V1, payment("108", transaction_id="77aa11bb-0000", mark="#77aa11bb"))
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid(status="DELETED")]}
    target = StepKey("payment", "d1", PAID.transaction_id)
    taken = match_invoice(record([CREATED, PAY, refund], shown, refund_as="reverse_payment"))
    assert taken.links[target].text("reversed_by") == "77aa11bb-0000"
    reset = command("reset", V1)
    cleared = match_invoice(record([CREATED, PAY, reset, refund], shown, refund_as="reverse_payment"))
    assert cleared.links[target].text("reversed_by") == ""


def test_a_failed_payment_that_stands_in_xero_has_been_done() -> None:
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid()]}
    of = record([CREATED, PAY], shown, states={2: ("failed", "exceeds_amount_due")})
    assert outcomes(match_invoice(of), of) == [(2, "completed", "posted")]


def test_a_shared_short_mark_belongs_to_the_first() -> None:
    second = payment("5", transaction_id="eada30eb-ffff", mark="#eada30eb-ffff")
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid()]}
    found = match_invoice(record([CREATED, PAY, command("payment_applied", V1, second)], shown))
    assert StepKey("payment", "d1", PAID.transaction_id) in found.links
    assert StepKey("payment", "d1", second.transaction_id) not in found.links


def archived(of: Record, *seqs: int) -> Record:
    """The record after the archive has taken these of its actions."""
    entries = []
    for one in of.entries:
        if one.seq in seqs:
            own = one.command
            row = {name: getattr(one, name) for name in COLUMNS} | {
                "command_id": own.command_id,
                "account": own.account,
                "entity": own.entity,
                "record_id": own.record_id,
                "action": own.action,
                "event_time": own.event.time,
                "content_hash": own.event.content_hash,
                "body": left_of(own),
                "reason_args": {},
                "warnings": [],
                "state": "completed",
                "outcome": "posted",
            }
            one = entry_of_archived(row)
        entries.append(one)
    flagged = frozenset(one.command_id for one in entries if one.seq not in seqs)
    return replace(of, entries=entries, flagged=flagged)


def test_a_short_mark_that_an_archived_payment_has_is_not_taken_for_a_later_one() -> None:
    second = payment("5", transaction_id="eada30eb-ffff", mark="#eada30eb-ffff")
    shown = {"Invoices": [in_xero(V1)], "Payments": [paid()]}
    whole = record([CREATED, PAY, command("payment_applied", V1, second)], shown)
    found = match_invoice(archived(whole, 1, 2))
    assert StepKey("payment", "d1", PAID.transaction_id) in found.links
    assert StepKey("payment", "d1", second.transaction_id) not in found.links


def test_an_archived_removal_settles_nothing_that_came_after_it() -> None:
    """The same transaction comes again after its invoice was cancelled: the planner refuses it."""
    cancelled, again = command("cancelled", V1), command("payment_applied", V1, PAID)
    shown = {"Invoices": [in_xero(V1, "VOIDED")], "Payments": [paid(status="DELETED")]}
    before = record([CREATED, PAY, cancelled, again], shown)
    of = archived(replace(before, links=match_invoice(before).links), 1, 2, 3)
    assert {target.kind for target in of.links} == {"invoice", "payment"}
    assert outcomes(match_invoice(of), of) == []


# Orders

ORDER = invoice(line("1", "100", tax_rate="8"), kind="purchase_order")
RECEIVED = msgspec.structs.replace(
    command("received", ORDER, entity="purchase_order"), received_on=date(2026, 3, 5)
)


def order_in_xero(status: str = "AUTHORISED") -> dict[str, Any]:
    resolved = resolve_order(ORDER, SETTINGS, KNOWING)
    return {**resolved.body, "PurchaseOrderID": "o1", "Status": status, "Total": str(resolved.total)}


def bill_in_xero(**more: Any) -> dict[str, Any]:
    resolved = resolve_bill(ORDER, SETTINGS, KNOWING, "acme", date(2026, 3, 5))
    return {**resolved.body, "InvoiceID": "b1", "Status": "AUTHORISED", "Total": str(resolved.total), **more}


def test_order_and_bill_are_linked_by_their_marks() -> None:
    shown = {"PurchaseOrders": [order_in_xero("BILLED")], "Invoices": [bill_in_xero()]}
    found = match_order(record([command("created", ORDER, entity="purchase_order"), RECEIVED], shown))
    assert links(found) == {"purchase_order": ("o1", False, 1), "bill": ("b1", False, 2)}


def test_somebody_elses_bill_of_the_number_is_not_ours() -> None:
    shown = {"PurchaseOrders": [order_in_xero()], "Invoices": [bill_in_xero(Url="https://elsewhere.example")]}
    found = match_order(record([command("created", ORDER, entity="purchase_order"), RECEIVED], shown))
    assert "bill" not in links(found)


def test_a_deleted_order_settles_what_stands_before() -> None:
    deleted = command("deleted", None, entity="purchase_order")
    of = record(
        [command("created", ORDER, entity="purchase_order"), deleted],
        {"PurchaseOrders": [order_in_xero("DELETED")]},
    )
    found = match_order(of)
    assert outcomes(found, of) == [(1, "completed", "posted")]
    assert found.links[StepKey("purchase_order", "d1")].text("removed_seq") == "2"


# Contacts


def contact_of(**shown: Any) -> Link | None:
    found = Findings()
    of = record(
        [CREATED], {"Contacts": [{"ContactID": "c9", "ContactNumber": "c1", "Name": "Widgets", **shown}]}
    )
    older = msgspec.structs.replace(CONTACT, email="old@example.com")
    newer = msgspec.structs.replace(
        CONTACT, email="new@example.com", version=V2.version, event_time=V2.event_time
    )
    match_contact(of, "customer", "c1", [(1, older), (2, newer)], found)
    return found.links.get(StepKey("contact", "customer/c1"))


def test_a_contact_is_linked_by_its_number_with_what_it_holds_of_ours() -> None:
    for email, version in (("old@example.com", CONTACT.version), ("new@example.com", V2.version)):
        link = contact_of(EmailAddress=email)
        assert link is not None and link.xero_id == "c9"
        assert link.contact["sent"]["email"] == email
        assert link.time("version") == version


def test_a_field_that_people_changed_does_not_count_as_sent() -> None:
    link = contact_of(EmailAddress="byhand@example.com")
    assert link is not None and "email" not in link.contact["sent"]


def test_an_archived_contact_is_left_to_the_planner() -> None:
    assert contact_of(ContactStatus="ARCHIVED") is None

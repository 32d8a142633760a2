"""Refunds as credit notes that are paid out."""

from typing import Any

import pytest

from tests.integration.sinks.refunds import number_of, paid_invoice, reference_of
from tests.integration.sinks.shops import Maker, Shop


def line(price: str, tax: int, key: str) -> dict[str, Any]:
    return {"id": key, "name": "Thing", "quantity": 1, "price": price, "tax": tax, "tax2": 0}


async def test_credit_note_with_the_money_paid_out(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "54.00", "credit CARD 9008", transaction_date="2026-03-09")
    assert await books.run(refund) == ["posted"]
    note = books.credit_note(number_of(refund))
    assert (note["type"], note["status"], note["date"], note["total"]) == (
        "ACCRECCREDIT",
        "PAID",
        "2026-03-09",
        "54.00",
    )
    reference = f"credit CARD 9008 #{refund['data']['transaction']['id'][:8]}"
    assert (note["reference"], note["contact_id"]) == (reference, books.invoice("1")["contact_id"])
    [sold] = note["lines"]
    assert (sold["item_code"], sold["account_code"], sold["tax_type"]) == ("SB-ITEM", "200", "OUTPUT")
    assert (sold["line_amount"], sold["tax_amount"]) == ("50.00", "4.00")
    [money] = note["payments"]
    assert (money["account_code"], money["date"], money["amount"]) == ("091", "2026-03-09", "54.00")
    assert money["reference"] == reference
    assert books.invoice("1")["status"] == "PAID"


async def test_entry_names_the_credit_note_and_says_that_the_invoice_stays_paid(
    books: Shop, make: Maker
) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "-54.00")
    assert await books.run(refund) == ["posted"]
    entry = await books.entry(refund)
    note = books.credit_note(number_of(refund))
    assert (entry["xero_type"], entry["xero_id"], entry["xero_number"]) == (
        "credit_note",
        note["id"],
        note["number"],
    )
    [warning] = entry["warnings"]
    assert warning["code"] == "invoice_stays_paid"
    assert "54.00" in warning["text"]
    [published] = [r for r in await books.told() if r.xero_type == "credit_note"]
    assert note["id"] in published.xero_url


async def test_several_taxes_are_refunded_in_proportion(books: Shop, make: Maker) -> None:
    await books.settings(sales_tax__15="OUTPUT2")
    lines = [line("100.00", 8, "a"), line("33.33", 15, "b"), line("10.00", 0, "c"), line("5.00", 8, "d")]
    document = await paid_invoice(books, make, "161.73", document_items=lines)
    refund = make.refunded(document, "50.00")
    assert await books.run(refund) == ["posted"]
    note = books.credit_note(number_of(refund))
    assert note["total"] == "50.00"
    assert [part["tax_type"] for part in note["lines"]] == ["OUTPUT", "OUTPUT2", "NONE"]
    assert await books.warnings(refund) == ["invoice_stays_paid", "refund_tax_by_proportion"]


async def test_later_refunds_until_nothing_is_left(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "100.00")
    refunds = [make.refunded(document, amount) for amount in ("60.00", "39.99", "0.02", "0.01")]
    ends = await books.run(*refunds)
    assert ends == ["posted", "posted", "refund_exceeds_paid", "posted"]
    failed = await books.entry(refunds[2])
    assert (failed["reason_args"]["amount"], failed["reason_args"]["paid"]) == ("0.02", "0.01")
    assert len(books.books["credit_notes"]) == 3


async def test_credit_note_voided_by_hand_makes_room(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    first = make.refunded(document, "50.00")
    assert await books.run(first) == ["posted"]
    note = books.credit_note(number_of(first))
    books.by_hand("POST", f"Payments/{note['payments'][0]['id']}", {"Status": "DELETED"})
    voided = {"CreditNoteID": note["id"], "Status": "VOIDED"}
    books.by_hand("POST", "CreditNotes", {"CreditNotes": [voided]})
    assert await books.run(make.refunded(document, "50.00")) == ["posted"]


async def test_more_than_was_paid_goes_through_once_it_was(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make)
    await books.settings(payment_account="999")
    paid, refund = make.paid(document, "50.00"), make.refunded(document, "20.00")
    assert await books.run(paid) == ["payment_account_unknown"]
    await books.settings(payment_account="090")
    assert await books.run(refund) == ["refund_exceeds_paid"]
    assert books.books["credit_notes"] == []
    assert await books.retry(paid) == ["posted"]
    assert await books.retry(refund) == ["posted"]


async def test_one_transaction_under_two_event_ids_is_refunded_once(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    first = make.refunded(document, "10.00")
    second = {**first, "id": "another-event"}
    assert await books.run(first, second) == ["posted", "already_there"]
    assert len(books.books["credit_notes"]) == 1


async def test_two_transactions_that_share_their_first_eight(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    first, second = (f"abcdef01-0000-4000-8000-00000000000{n}" for n in (1, 2))
    assert await books.run(make.refunded(document, "10.00", id=first)) == ["posted"]
    assert await books.run(make.refunded(document, "10.00", id=second)) == ["posted"]
    assert [note["number"] for note in books.books["credit_notes"]] == ["1-abcdef01", f"1-{second}"]


async def test_foreign_currency_keeps_the_invoices_rate(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00", currency="EUR", currency_rate="0.9")
    refund = make.refunded(document, "54.00")
    assert await books.run(refund) == ["posted"]
    note = books.credit_note(number_of(refund))
    assert (note["currency"], float(note["currency_rate"])) == ("EUR", 0.9)
    assert await books.warnings(refund) == ["invoice_stays_paid", "bank_currency_differs"]


async def test_nothing_is_refunded_by_nothing(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    assert await books.run(make.refunded(document, "0.00")) == ["not_needed"]


async def test_not_in_xero(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    assert await books.run(make.refunded(document, "10.00")) == ["document_not_in_xero"]
    assert books.books["invoices"] == []


async def test_after_a_removal_by_us_and_by_hand(books: Shop, make: Maker) -> None:
    ours = await paid_invoice(books, make)
    assert await books.run(make.act("cancelled", ours)) == ["posted"]
    assert await books.run(make.refunded(ours, "10.00")) == ["document_removed"]
    theirs = make.document(make.customer(), 2)
    assert await books.run(make.created(theirs)) == ["posted"]
    voided = {"InvoiceID": books.invoice("2")["id"], "Status": "VOIDED"}
    books.by_hand("POST", "Invoices", {"Invoices": [voided]})
    assert await books.run(make.refunded(theirs, "10.00")) == ["document_removed"]


@pytest.mark.parametrize("refund_as", ["credit_note", "reverse_payment"])
async def test_before_the_cutoff(books: Shop, make: Maker, refund_as: str) -> None:
    await books.settings(refund_as=refund_as)
    document = make.document(make.customer(), 1, created="2025-12-31T23:59:59Z")
    assert await books.run(make.refunded(document, "10.00")) == ["before_cutoff"]
    assert [call for call in books.calls() if not call.startswith("GET")] == []


async def test_locked_period_both_ways(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    books.seed(period_lock_date="2026-03-31")
    refund = make.refunded(document, "54.00")
    assert await books.run(refund) == ["period_locked"]
    assert books.books["credit_notes"] == []
    await books.settings(locked_period="first_open_day")
    assert await books.retry(refund) == ["posted"]
    note = books.credit_note(number_of(refund))
    assert (note["date"], note["payments"][0]["date"]) == ("2026-04-01", "2026-04-01")
    assert await books.warnings(refund) == ["invoice_stays_paid", "date_moved"]


async def test_account_is_checked_before_the_credit_note_is_made(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    await books.settings(payment_account="999")
    refund = make.refunded(document, "54.00")
    assert await books.run(refund) == ["payment_account_unknown"]
    assert books.books["credit_notes"] == []
    await books.settings(payment_account="090")
    assert await books.retry(refund) == ["posted"]


async def test_number_of_somebody_elses_credit_note(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "54.00")
    sold = {"Description": "Theirs", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    theirs = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": number_of(refund),
        "Contact": {"Name": "Else"},
        "LineItems": [sold],
    }
    books.by_hand("PUT", "CreditNotes", {"CreditNotes": [theirs]})
    assert await books.run(refund) == ["number_taken"]
    args = (await books.entry(refund))["reason_args"]
    assert (args["number"], args["contact"]) == (number_of(refund), "Else")


def note_by_hand(books: Shop, refund: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
    """A credit note as ours would be, put there by somebody, or by us with an answer that was lost."""
    sold = {
        "Description": "Back",
        "Quantity": 1,
        "UnitAmount": float(amount),
        "AccountCode": "200",
        "TaxType": "NONE",
    }
    note = {
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "CreditNoteNumber": number_of(refund),
        "Reference": reference_of(refund),
        "Date": "2026-03-02",
        "Contact": {"ContactID": books.invoice("1")["contact_id"]},
        "LineItems": [sold],
        **more,
    }
    made: dict[str, Any] = books.by_hand("PUT", "CreditNotes", {"CreditNotes": [note]})
    return made


async def test_credit_note_that_bears_our_marks_is_adopted(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "54.00")
    made = note_by_hand(books, refund, "54.00")
    assert await books.run(refund) == ["posted"]
    note = books.credit_note(number_of(refund))
    assert (note["id"], note["status"]) == (made["CreditNoteID"], "PAID")


@pytest.mark.parametrize(
    "other", [{"Date": "2026-03-03"}, {"Contact": {"Name": "Else"}}, {"amount": "53.00"}]
)
async def test_credit_note_with_our_marks_and_another_content_needs_review(
    books: Shop, make: Maker, other: dict[str, Any]
) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "54.00")
    note_by_hand(books, refund, other.pop("amount", "54.00"), **other)
    assert await books.run(refund) == ["needs_review"]
    await books.skip(refund, "seen")


async def test_credit_note_voided_before_it_was_paid_out(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "54.00")
    made = note_by_hand(books, refund, "54.00")
    voided = {"CreditNoteID": made["CreditNoteID"], "Status": "VOIDED"}
    books.by_hand("POST", "CreditNotes", {"CreditNotes": [voided]})
    assert await books.run(refund) == ["posted"]
    assert [(n["number"][-2:] == "-2", n["status"]) for n in books.books["credit_notes"]] == [
        (False, "VOIDED"),
        (True, "PAID"),
    ]


async def test_archived_contact(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    contact = {"ContactID": books.contact("Widgets & Co")["id"], "ContactStatus": "ARCHIVED"}
    books.by_hand("POST", "Contacts", {"Contacts": [contact]})
    refund = make.refunded(document, "54.00")
    assert await books.run(refund) == ["contact_archived"]
    books.by_hand("POST", "Contacts", {"Contacts": [{**contact, "ContactStatus": "ACTIVE"}]})
    assert await books.retry(refund) == ["posted"]

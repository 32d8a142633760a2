"""Facts about credit notes and bills beside money (reference §1.3, §1.6, §6)."""

from typing import Any

import pytest

from .client import Xero, bill, invoice, line, messages, payment
from .test_invoices import ALLOWED

ARCHIVED = "has been archived. The contact must be un-archived before creating new invoices or credit notes."


def note(contact_id: str, **changes: Any) -> dict[str, Any]:
    """A credit note of 54.00 for a customer unless changed."""
    fields = {"Type": "ACCRECCREDIT", "DueDate": None, "LineItems": [line(UnitAmount=50)], **changes}
    return invoice(contact_id, **fields)


def supplier_note(contact_id: str, **changes: Any) -> dict[str, Any]:
    lines = [line(AccountCode="300", TaxType="INPUT")]
    return note(contact_id, Type="ACCPAYCREDIT", LineItems=lines, **changes)


def made(xero: Xero, collection: str, element: dict[str, Any]) -> Any:
    found = xero.put(collection, element)
    assert found["StatusAttributeString"] == "OK", found
    return found


@pytest.mark.parametrize("before", ["DRAFT", "SUBMITTED", "AUTHORISED", "VOIDED", "DELETED"])
def test_a_draft_credit_note_is_deleted_and_an_approved_one_voided(
    xero: Xero, contact_id: str, before: str
) -> None:
    first = {"VOIDED": "AUTHORISED", "DELETED": "DRAFT"}.get(before, before)
    for after in ("DELETED", "VOIDED"):
        found = made(xero, "credit_notes", note(contact_id, Status=first))["CreditNoteID"]
        if first != before:
            xero.update("credit_notes", found, {"Status": before})
        answer = xero.update("credit_notes", found, {"Status": after})
        if after in ALLOWED[before]:
            assert answer["Status"] == after
        else:
            assert messages(answer) == ["Credit Note not of valid status for modification"]


def test_a_credit_note_is_a_draft_unless_it_says_otherwise_and_needs_no_due_date(
    xero: Xero, contact_id: str
) -> None:
    assert made(xero, "credit_notes", note(contact_id, Status=None))["Status"] == "DRAFT"
    assert made(xero, "credit_notes", note(contact_id))["Status"] == "AUTHORISED"


@pytest.mark.parametrize("status", ["PAID", "VOIDED", "DELETED"])
def test_a_credit_note_cannot_be_created_so(xero: Xero, contact_id: str, status: str) -> None:
    refused = xero.put("credit_notes", note(contact_id, Status=status))
    assert messages(refused) == ["Credit Note not of valid status for creation"]


def test_numbers_of_supplier_credit_notes_are_not_unique_and_they_have_no_reference(
    xero: Xero, contact_id: str
) -> None:
    wanted = supplier_note(contact_id, CreditNoteNumber="7", Reference="R")
    first, second = (made(xero, "credit_notes", wanted) for _ in range(2))
    assert first["CreditNoteID"] != second["CreditNoteID"]
    assert not first.get("Reference")


def test_a_sales_credit_note_without_a_number_gets_one_and_keeps_its_reference(
    xero: Xero, contact_id: str
) -> None:
    found = made(xero, "credit_notes", note(contact_id, Reference="R"))
    assert found["CreditNoteNumber"]
    assert found["Reference"] == "R"


def test_a_credit_note_makes_a_contact_out_of_a_new_name(xero: Xero) -> None:
    found = made(xero, "credit_notes", note("", Contact={"Name": "Brand New"}))
    assert xero.get("contacts", found["Contact"]["ContactID"])["Name"] == "Brand New"


def test_an_unknown_credit_note_is_an_error_of_the_element(xero: Xero) -> None:
    missing = "11111111-1111-1111-1111-111111111111"
    assert messages(xero.post("credit_notes", {"CreditNoteID": missing, "Status": "VOIDED"})) == [
        "An existing Credit Note with the specified CreditNoteID could not be found"
    ]


def test_a_credit_note_obeys_lock_dates(xero: Xero, contact_id: str) -> None:
    found = made(xero, "credit_notes", note(contact_id))["CreditNoteID"]
    xero.admin.seed(xero.tenant_id, period_lock_date="2026-03-02")
    locked = ["The document date cannot be before the period lock date"]
    assert messages(xero.put("credit_notes", note(contact_id))) == locked
    assert messages(xero.update("credit_notes", found, {"Status": "VOIDED"})) == locked


def test_archived_contacts_take_no_document_of_any_kind(xero: Xero, contact_id: str) -> None:
    xero.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})
    lines = [line(AccountCode="300", TaxType="INPUT")]
    order = {"Contact": {"ContactID": contact_id}, "Date": "2026-03-02", "LineItems": lines}
    for collection, element in (
        ("invoices", invoice(contact_id)),
        ("invoices", bill(contact_id)),
        ("credit_notes", note(contact_id)),
        ("purchase_orders", order),
    ):
        (text,) = messages(xero.put(collection, element))
        assert text.endswith(ARCHIVED), collection


def test_a_refund_is_no_larger_than_what_is_left_of_the_credit(xero: Xero, contact_id: str) -> None:
    found = made(xero, "credit_notes", note(contact_id))["CreditNoteID"]
    asked = {**payment("", 54.01), "CreditNote": {"CreditNoteID": found}}
    del asked["Invoice"]
    assert messages(xero.put("payments", asked)) == [
        "Payment amount exceeds the amount outstanding on this document"
    ]


def test_a_refund_taken_back_makes_authorised_of_paid(xero: Xero, contact_id: str) -> None:
    found = made(xero, "credit_notes", note(contact_id))["CreditNoteID"]
    asked = {**payment("", 54), "CreditNote": {"CreditNoteID": found}}
    del asked["Invoice"]
    refund = xero.put("payments", asked)["PaymentID"]
    assert xero.get("credit_notes", found)["Status"] == "PAID"
    xero.update("payments", refund, {"Status": "DELETED"})
    assert xero.get("credit_notes", found)["Status"] == "AUTHORISED"


# Bills


def test_an_unpaid_bill_can_be_edited(xero: Xero, contact_id: str) -> None:
    found = made(xero, "invoices", bill(contact_id))["InvoiceID"]
    lines = [line(AccountCode="300", TaxType="INPUT", UnitAmount=200)]
    changed = xero.update("invoices", found, {"LineItems": lines, "DueDate": "2026-05-01"})
    assert (changed["Total"], changed["DueDateString"]) == (216, "2026-05-01T00:00:00")


def test_nothing_but_its_id_tells_one_bill_or_payment_from_another(xero: Xero, contact_id: str) -> None:
    """No unique key: sending one twice makes two."""
    wanted = bill(contact_id, InvoiceNumber="701", Url="https://acme.example/1")
    first, second = (made(xero, "invoices", wanted)["InvoiceID"] for _ in range(2))
    assert first != second
    one, other = (made(xero, "payments", payment(first, 1, Reference="#a"))["PaymentID"] for _ in range(2))
    assert one != other

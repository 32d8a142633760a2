"""Facts about payments, credit notes, refunds and allocations (reference §1.5, §1.6, §6)."""

from decimal import Decimal
from typing import Any

import pytest
from xero_python.exceptions import NotFoundException

from .client import Xero, bill, invoice, line, messages, parse, payment


@pytest.fixture
def invoice_id(xero: Xero, contact_id: str) -> str:
    """An authorised invoice of 108.00."""
    return str(xero.put("invoices", invoice(contact_id))["InvoiceID"])


def note(contact_id: str, amount: Any = 50, **changes: Any) -> dict[str, Any]:
    """An authorised credit note without tax."""
    return {
        "Type": "ACCRECCREDIT",
        "Contact": {"ContactID": contact_id},
        "Date": "2026-03-06",
        "Status": "AUTHORISED",
        "LineItems": [line(UnitAmount=amount, TaxType="NONE")],
        **changes,
    }


def test_a_full_payment_makes_paid_and_its_deletion_makes_authorised(xero: Xero, invoice_id: str) -> None:
    paid = xero.put("payments", payment(invoice_id, 108))
    found = xero.get("invoices", invoice_id)
    assert (found["Status"], found["AmountDue"], found["FullyPaidOnDate"]) == (
        "PAID",
        0,
        "/Date(1772668800000+0000)/",
    )
    assert xero.update("payments", paid["PaymentID"], {"Status": "DELETED"})["Status"] == "DELETED"
    found = xero.get("invoices", invoice_id)
    assert (found["Status"], found["AmountDue"], found["Payments"]) == ("AUTHORISED", 108, [])


def test_a_part_payment_leaves_the_rest_due(xero: Xero, invoice_id: str) -> None:
    xero.put("payments", payment(invoice_id, Decimal("7.99")))
    found = xero.get("invoices", invoice_id)
    assert (found["Status"], found["AmountPaid"], found["AmountDue"]) == (
        "AUTHORISED",
        Decimal("7.99"),
        Decimal("100.01"),
    )


@pytest.mark.parametrize(("paid_before", "amount"), [(0, "108.01"), (8, "100.01"), (108, "0.01")])
def test_paying_more_than_is_due_is_refused(
    xero: Xero, invoice_id: str, paid_before: int, amount: str
) -> None:
    if paid_before:
        xero.put("payments", payment(invoice_id, paid_before))
    refused = xero.put("payments", payment(invoice_id, amount))
    assert messages(refused) == ["Payment amount exceeds the amount outstanding on this document"]
    assert refused["HasValidationErrors"] is True


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_only_authorised_documents_can_be_paid(xero: Xero, contact_id: str, status: str) -> None:
    draft = xero.put("invoices", invoice(contact_id, Status=status))["InvoiceID"]
    assert messages(xero.put("payments", payment(draft, 1))) == [
        "Payments can only be made against Authorised documents"
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Account": None}, "The account code or ID must be specified"),
        ({"Account": {"Code": "200"}}, "Account code '200' is not a valid code for this document."),
        ({"Amount": 0}, "The payment amount must be greater than zero"),
        (
            {"Invoice": None},
            "A payment must be for exactly one Invoice, CreditNote, Prepayment or Overpayment",
        ),
    ],
)
def test_what_a_payment_needs(xero: Xero, invoice_id: str, changes: dict[str, Any], text: str) -> None:
    asked = {name: value for name, value in (payment(invoice_id, 1) | changes).items() if value is not None}
    assert messages(xero.put("payments", asked)) == [text]


def test_an_account_with_payments_enabled_takes_payments(xero: Xero, invoice_id: str) -> None:
    made = xero.put("payments", payment(invoice_id, 1, Account={"Code": "970"}))
    assert made["StatusAttributeString"] == "OK"


def test_an_account_can_be_named_by_id(xero: Xero, invoice_id: str) -> None:
    accounts = parse(xero.api.get_accounts(xero.tenant_id, _preload_content=False).data)["Accounts"]
    account_id = next(found["AccountID"] for found in accounts if found.get("Code") == "091")
    made = xero.put("payments", payment(invoice_id, 1, Account={"AccountID": account_id}))
    assert made["Account"]["Code"] == "091"


def test_payments_cannot_be_modified(xero: Xero, invoice_id: str) -> None:
    made = xero.put("payments", payment(invoice_id, 1))
    answer = xero.update("payments", made["PaymentID"], {"Amount": 2})
    assert messages(answer) == ["Payments cannot be modified, only created and deleted."]


def test_a_deleted_payment_cannot_be_deleted_again(xero: Xero, invoice_id: str) -> None:
    made = xero.put("payments", payment(invoice_id, 1))["PaymentID"]
    xero.update("payments", made, {"Status": "DELETED"})
    assert messages(xero.update("payments", made, {"Status": "DELETED"})) == [
        "Payment not of valid status for modification"
    ]


def test_a_reconciled_payment_cannot_be_deleted(xero: Xero, invoice_id: str) -> None:
    made = xero.put("payments", payment(invoice_id, 1))["PaymentID"]
    xero.admin.seed(xero.tenant_id, reconcile=[made])
    assert "reconciled" in messages(xero.update("payments", made, {"Status": "DELETED"}))[0]
    assert xero.get("payments", made)["IsReconciled"] is True


def test_payments_in_a_locked_period_are_neither_made_nor_deleted(xero: Xero, invoice_id: str) -> None:
    made = xero.put("payments", payment(invoice_id, 1))["PaymentID"]
    xero.admin.seed(xero.tenant_id, period_lock_date="2026-03-05")
    expected = ["The document date cannot be before the period lock date"]
    assert messages(xero.put("payments", payment(invoice_id, 1))) == expected
    assert messages(xero.update("payments", made, {"Status": "DELETED"})) == expected


def test_one_put_may_hold_payments_of_several_invoices(xero: Xero, contact_id: str, invoice_id: str) -> None:
    other = xero.put("invoices", invoice(contact_id))["InvoiceID"]
    made = xero.write("put", "payments", payment(invoice_id, 1), payment(other, 2))
    assert [part["Invoice"]["InvoiceID"] for part in made] == [invoice_id, other]


def test_post_makes_one_payment(xero: Xero, invoice_id: str) -> None:
    assert xero.post("payments", payment(invoice_id, 1))["PaymentType"] == "ACCRECPAYMENT"


def test_a_bill_is_paid_with_an_accpay_payment(xero: Xero, contact_id: str) -> None:
    made = xero.put("invoices", bill(contact_id))["InvoiceID"]
    assert xero.put("payments", payment(made, 108))["PaymentType"] == "ACCPAYPAYMENT"


def test_amount_is_in_the_documents_currency_and_bank_amount_follows_the_rate(
    xero: Xero, contact_id: str
) -> None:
    made = xero.put("invoices", invoice(contact_id, CurrencyCode="EUR", CurrencyRate=0.8))["InvoiceID"]
    assert xero.put("payments", payment(made, 80))["BankAmount"] == 100


def test_payments_are_found_by_invoice_and_reference(xero: Xero, invoice_id: str) -> None:
    for reference in ("Cash #a", "Cash #b"):
        xero.put("payments", payment(invoice_id, 1, Reference=reference))
    where = f'Invoice.InvoiceID==guid("{invoice_id}") AND Reference=="Cash #b"'
    assert [found["Reference"] for found in xero.list("payments", where=where)] == ["Cash #b"]


def test_an_allocation_settles_invoice_and_credit_note(xero: Xero, contact_id: str, invoice_id: str) -> None:
    made = xero.put("credit_notes", note(contact_id))
    answer = allocate(xero, made["CreditNoteID"], invoice_id, 50)
    assert answer["StatusAttributeString"] == "OK"
    credited, noted = xero.get("invoices", invoice_id), xero.get("credit_notes", made["CreditNoteID"])
    assert (credited["AmountCredited"], credited["AmountDue"]) == (50, 58)
    assert (noted["Status"], noted["RemainingCredit"]) == ("PAID", 0)
    xero.api.delete_credit_note_allocations(xero.tenant_id, made["CreditNoteID"], answer["AllocationID"])
    assert xero.get("invoices", invoice_id)["AmountDue"] == 108
    assert xero.get("credit_notes", made["CreditNoteID"])["Status"] == "AUTHORISED"


def allocate(xero: Xero, note_id: str, invoice_id: str, amount: Any) -> Any:
    """PUT /CreditNotes/{id}/Allocations through the SDK."""
    part = {"Amount": amount, "Date": "2026-03-06", "Invoice": {"InvoiceID": invoice_id}}
    answer = xero.api.create_credit_note_allocation(
        xero.tenant_id, note_id, {"Allocations": [part]}, summarize_errors=False, _preload_content=False
    )
    return parse(answer.data)["Allocations"][0]


def test_allocations_need_an_authorised_note_the_same_contact_and_enough_left(
    xero: Xero, contact_id: str, invoice_id: str
) -> None:
    draft = xero.put("credit_notes", note(contact_id, Status="DRAFT"))["CreditNoteID"]
    assert "Authorised" in messages(allocate(xero, draft, invoice_id, 1))[0]
    other = xero.put("credit_notes", note("", Contact={"Name": "Other"}))["CreditNoteID"]
    assert "same contact" in messages(allocate(xero, other, invoice_id, 1))[0]
    small = xero.put("credit_notes", note(contact_id))["CreditNoteID"]
    assert "exceeds the remaining credit" in messages(allocate(xero, small, invoice_id, 51))[0]


def test_allocations_in_the_body_of_a_create_do_nothing(xero: Xero, contact_id: str, invoice_id: str) -> None:
    part = {"Amount": 1, "Date": "2026-03-06", "Invoice": {"InvoiceID": invoice_id}}
    assert xero.put("credit_notes", note(contact_id, Allocations=[part]))["Allocations"] == []


def test_a_refund_is_a_payment_on_the_credit_note(xero: Xero, contact_id: str) -> None:
    made = xero.put("credit_notes", note(contact_id))["CreditNoteID"]
    asked = payment("", 50, CreditNote={"CreditNoteID": made})
    del asked["Invoice"]
    refund = xero.put("payments", asked)
    assert (refund["PaymentType"], refund["CreditNote"]["CreditNoteID"]) == ("ARCREDITPAYMENT", made)
    assert xero.get("credit_notes", made)["Status"] == "PAID"
    listed = xero.list("payments")[0]
    assert (listed["Invoice"]["InvoiceID"], listed["Invoice"]["Type"]) == (made, "ACCRECCREDIT")


def test_voiding_a_credit_note_with_money_is_refused(xero: Xero, contact_id: str, invoice_id: str) -> None:
    made = xero.put("credit_notes", note(contact_id))["CreditNoteID"]
    allocate(xero, made, invoice_id, 1)
    assert (
        "payments or credit notes allocated"
        in messages(xero.update("credit_notes", made, {"Status": "VOIDED"}))[0]
    )


def test_numbers_of_sales_credit_notes_are_unique(xero: Xero, contact_id: str) -> None:
    xero.put("credit_notes", note(contact_id, CreditNoteNumber="5001-aa"))
    assert messages(xero.put("credit_notes", note(contact_id, CreditNoteNumber="5001-aa")))


def test_the_contact_of_an_invoice_paid_by_a_credit_note_cannot_change(
    xero: Xero, contact_id: str, invoice_id: str
) -> None:
    allocate(xero, xero.put("credit_notes", note(contact_id))["CreditNoteID"], invoice_id, 1)
    answer = xero.update("invoices", invoice_id, {"Contact": {"Name": "Somebody else"}})
    assert "cannot be edited" in messages(answer)[0]


def test_an_unknown_payment_is_a_404(xero: Xero) -> None:
    with pytest.raises(NotFoundException):
        xero.get("payments", "11111111-1111-1111-1111-111111111111")


def test_a_reference_may_be_long(xero: Xero, invoice_id: str) -> None:
    made = xero.put("payments", payment(invoice_id, 1, Reference="x" * 1000))
    assert xero.get("payments", made["PaymentID"])["Reference"] == "x" * 1000


def test_payments_are_for_one_document_only(xero: Xero, contact_id: str, invoice_id: str) -> None:
    made = xero.put("credit_notes", note(contact_id))["CreditNoteID"]
    both = payment(invoice_id, 1, CreditNote={"CreditNoteID": made})
    assert "exactly one" in messages(xero.put("payments", both))[0]


def test_an_archived_account_takes_no_payments(xero: Xero, invoice_id: str) -> None:
    xero.admin.seed(xero.tenant_id, accounts=[{"Code": "091", "Status": "ARCHIVED"}])
    assert "archived" in messages(xero.put("payments", payment(invoice_id, 1, Account={"Code": "091"})))[0]

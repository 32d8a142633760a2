"""Facts about invoices and bills: creation, the state machine, editing, locks (reference §1.1, §1.3, §6)."""

import datetime
from typing import Any

import pytest
from xero_python.accounting import Contact, Invoice, Invoices, LineAmountTypes, LineItem

from .client import Xero, bill, invoice, line, messages, payment

WRONG_STATE = "Invoice not of valid status for modification"
HAS_MONEY = "This document cannot be edited as it has a payment or credit note allocated to it."


def made(xero: Xero, contact_id: str, **changes: Any) -> Any:
    found = xero.put("invoices", invoice(contact_id, **changes))
    assert found["StatusAttributeString"] == "OK", found
    return found


def part_paid(xero: Xero, contact_id: str, amount: Any = 8, **changes: Any) -> Any:
    found = made(xero, contact_id, **changes)
    xero.put("payments", payment(found["InvoiceID"], amount))
    return xero.get("invoices", found["InvoiceID"])


def in_status(xero: Xero, contact_id: str, status: str) -> str:
    """An invoice that has reached `status` by legal moves."""
    first = {"VOIDED": "AUTHORISED", "DELETED": "DRAFT", "PAID": "AUTHORISED"}.get(status, status)
    found = str(made(xero, contact_id, Status=first)["InvoiceID"])
    if status == "PAID":
        xero.put("payments", payment(found, 108))
    elif first != status:
        xero.update("invoices", found, {"Status": status})
    assert xero.get("invoices", found)["Status"] == status
    return found


def test_the_sdks_models_make_an_invoice(xero: Xero, contact_id: str) -> None:
    asked = Invoice(
        type="ACCREC",
        contact=Contact(contact_id=contact_id),
        date=datetime.date(2026, 3, 2),
        due_date=datetime.date(2026, 4, 1),
        status="AUTHORISED",
        line_amount_types=LineAmountTypes.EXCLUSIVE,
        line_items=[
            LineItem(description="a", quantity=2.0, unit_amount=9.99, account_code="200", tax_type="OUTPUT")
        ],
    )
    body = Invoices(invoices=[asked])
    answer = xero.api.create_invoices(xero.tenant_id, body, summarize_errors=False, unitdp=4)
    found = answer.invoices[0]
    assert (str(found.total), found.status_attribute_string) == ("21.58", "OK")
    assert (found.date, found.due_date) == (datetime.date(2026, 3, 2), datetime.date(2026, 4, 1))


def test_dates_go_out_in_xeros_two_forms(xero: Xero, contact_id: str) -> None:
    found = made(xero, contact_id, Date="/Date(1552262400000+0000)/")
    assert (found["Date"], found["DateString"]) == ("/Date(1552262400000+0000)/", "2019-03-11T00:00:00")


def test_status_defaults_to_draft_and_amounts_to_exclusive(xero: Xero, contact_id: str) -> None:
    found = made(xero, contact_id, Status=None)
    assert (found["Status"], found["LineAmountTypes"]) == ("DRAFT", "Exclusive")


def test_a_sales_invoice_without_a_number_gets_one(xero: Xero, contact_id: str) -> None:
    numbers = [made(xero, contact_id)["InvoiceNumber"] for _ in range(2)]
    assert numbers == ["INV-0001", "INV-0002"]


def test_put_of_an_existing_number_is_refused(xero: Xero, contact_id: str) -> None:
    made(xero, contact_id, InvoiceNumber="5001")
    refused = xero.put("invoices", invoice(contact_id, InvoiceNumber="5001"))
    assert messages(refused) == ["Invoice # must be unique."]


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_voided_or_deleted_invoice_still_holds_its_number(xero: Xero, contact_id: str, status: str) -> None:
    gone = in_status(xero, contact_id, status)
    number = xero.get("invoices", gone)["InvoiceNumber"]
    assert messages(xero.put("invoices", invoice(contact_id, InvoiceNumber=number))) == [
        "Invoice # must be unique."
    ]
    assert messages(xero.post("invoices", invoice(contact_id, InvoiceNumber=number))) == [WRONG_STATE]


def test_post_of_an_existing_number_updates_that_invoice(xero: Xero, contact_id: str) -> None:
    first = made(xero, contact_id, InvoiceNumber="5001")
    again = xero.post("invoices", invoice(contact_id, InvoiceNumber="5001", Reference="changed"))
    assert (again["InvoiceID"], again["Reference"]) == (first["InvoiceID"], "changed")


def test_numbers_of_bills_are_not_unique_and_bills_have_no_reference(xero: Xero, contact_id: str) -> None:
    bills = [
        xero.post("invoices", bill(contact_id, InvoiceNumber="B-1", Reference="ignored")) for _ in range(2)
    ]
    assert bills[0]["InvoiceID"] != bills[1]["InvoiceID"]
    assert bills[0]["Reference"] == ""


@pytest.mark.parametrize("status", ["PAID", "VOIDED", "DELETED"])
def test_only_draft_submitted_and_authorised_can_be_created(xero: Xero, contact_id: str, status: str) -> None:
    refused = xero.put("invoices", invoice(contact_id, Status=status))
    assert messages(refused) == ["Invoice not of valid status for creation"]


ALLOWED = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "VOIDED": set(),
    "DELETED": set(),
}
STATUSES = ["DRAFT", "SUBMITTED", "AUTHORISED", "VOIDED", "DELETED"]


@pytest.mark.parametrize("before", STATUSES)
def test_the_transition_table(xero: Xero, contact_id: str, before: str) -> None:
    for after in STATUSES:
        found = in_status(xero, contact_id, before)
        answer = xero.update("invoices", found, {"Status": after})
        if after in ALLOWED[before]:
            assert answer["Status"] == after, (before, after)
        else:
            assert messages(answer) == [WRONG_STATE], (before, after)


def test_paid_is_not_a_status_that_one_can_set(xero: Xero, contact_id: str) -> None:
    found = in_status(xero, contact_id, "AUTHORISED")
    assert messages(xero.update("invoices", found, {"Status": "PAID"})) == [WRONG_STATE]


@pytest.mark.parametrize("amount", [8, 108])
def test_voiding_with_money_on_it_is_refused(xero: Xero, contact_id: str, amount: int) -> None:
    found = part_paid(xero, contact_id, amount)
    assert messages(xero.update("invoices", found["InvoiceID"], {"Status": "VOIDED"})) == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes "
        "allocated to it."
    ]


def test_an_unpaid_authorised_invoice_can_be_edited(xero: Xero, contact_id: str) -> None:
    found = made(xero, contact_id)
    changed = xero.update(
        "invoices", found["InvoiceID"], {"LineItems": [line(UnitAmount=50)], "Date": "2026-03-03"}
    )
    assert (changed["Total"], changed["Status"]) == (54, "AUTHORISED")


def test_what_stays_editable_on_a_paid_sales_invoice(xero: Xero, contact_id: str) -> None:
    found = part_paid(xero, contact_id, 108)
    lines = [{"LineItemID": found["LineItems"][0]["LineItemID"], "Description": "new", "AccountCode": "260"}]
    changed = xero.update(
        "invoices",
        found["InvoiceID"],
        {"Reference": "R", "DueDate": "2026-05-01", "InvoiceNumber": "X", "LineItems": lines},
    )
    assert (changed["Status"], changed["Reference"], changed["InvoiceNumber"]) == ("PAID", "R", "X")
    assert (changed["LineItems"][0]["Description"], changed["LineItems"][0]["AccountCode"]) == ("new", "260")
    assert xero.get("invoices", "X")["InvoiceID"] == found["InvoiceID"]


def test_amounts_of_a_part_paid_invoice_cannot_change(xero: Xero, contact_id: str) -> None:
    found = part_paid(xero, contact_id)
    lines = [{"LineItemID": found["LineItems"][0]["LineItemID"], "UnitAmount": 99}]
    assert messages(xero.update("invoices", found["InvoiceID"], {"LineItems": lines})) == [HAS_MONEY]


def test_amounts_of_a_paid_invoice_cannot_change_with_both_texts(xero: Xero, contact_id: str) -> None:
    found = part_paid(xero, contact_id, 108)
    answer = xero.update("invoices", found["InvoiceID"], {"LineItems": [line(UnitAmount=99)]})
    assert messages(answer) == [HAS_MONEY, WRONG_STATE]


def test_the_date_of_a_part_paid_invoice_cannot_change(xero: Xero, contact_id: str) -> None:
    found = part_paid(xero, contact_id)
    assert messages(xero.update("invoices", found["InvoiceID"], {"Date": "2026-03-09"})) == [
        "Date cannot be changed on an invoice that has payment or credit notes allocated to it."
    ]


def test_a_part_paid_bill_cannot_be_edited_at_all(xero: Xero, contact_id: str) -> None:
    found = xero.put("invoices", bill(contact_id))
    xero.put("payments", payment(found["InvoiceID"], 8))
    assert messages(xero.update("invoices", found["InvoiceID"], {"DueDate": "2026-06-01"})) == [HAS_MONEY]


def test_lines_with_an_id_are_updated_without_one_added_and_unlisted_ones_removed(
    xero: Xero, contact_id: str
) -> None:
    found = made(xero, contact_id, LineItems=[line(), line(Description="gone")], Status="DRAFT")
    kept = found["LineItems"][0]["LineItemID"]
    lines = [{"LineItemID": kept, "Description": "kept"}, line(Description="added")]
    changed = xero.update("invoices", found["InvoiceID"], {"LineItems": lines})["LineItems"]
    assert [part["Description"] for part in changed] == ["kept", "added"]
    assert (changed[0]["LineItemID"], changed[0]["UnitAmount"]) == (kept, 100)


def test_an_update_without_lines_leaves_them(xero: Xero, contact_id: str) -> None:
    found = made(xero, contact_id, Status="DRAFT")
    changed = xero.update("invoices", found["InvoiceID"], {"Status": "AUTHORISED"})
    assert changed["LineItems"] == found["LineItems"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"DueDate": None}, "The document DueDate field must be specified"),
        ({"LineItems": [line(AccountCode=None)]}, "Account code must be specified"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"Contact": None}, "A Contact must be specified for this type of transaction"),
        (
            {"Contact": {"EmailAddress": "a@b.example"}},
            "The Contact must contain at least 1 of the following elements to identify the contact: "
            "Name, ContactID, ContactNumber",
        ),
        ({"CurrencyCode": "JPY"}, "Organisation is not subscribed to currency JPY"),
        ({"LineItems": [line(UnitAmount=-1)]}, "The invoice total cannot be less than zero"),
        ({"Total": 1}, "The invoice total does not equal the sum of the lines."),
    ],
)
def test_what_an_authorised_invoice_needs(
    xero: Xero, contact_id: str, changes: dict[str, Any], text: str
) -> None:
    assert messages(xero.put("invoices", invoice(contact_id, **changes))) == [text]


def test_a_draft_needs_neither_due_date_nor_accounts(xero: Xero, contact_id: str) -> None:
    lines = [line(AccountCode=None)]
    draft = made(xero, contact_id, Status="DRAFT", DueDate=None, LineItems=lines)
    answer = xero.update("invoices", draft["InvoiceID"], {"Status": "AUTHORISED"})
    assert messages(answer) == [
        "Account code must be specified",
        "The document DueDate field must be specified",
    ]


def test_an_invoice_makes_a_contact_out_of_a_new_name_once(xero: Xero) -> None:
    named = {"Contact": {"Name": "Brand New"}}
    first, second = (made(xero, "", **named)["Contact"]["ContactID"] for _ in range(2))
    assert first == second


def test_a_refused_invoice_makes_no_contact(xero: Xero) -> None:
    refused = xero.put("invoices", invoice("", Contact={"Name": "Brand New"}, DueDate=None))
    assert messages(refused) and xero.list("contacts") == []


@pytest.mark.parametrize("lock", ["period_lock_date", "end_of_year_lock_date"])
def test_nothing_can_be_created_edited_or_voided_in_a_locked_period(
    xero: Xero, contact_id: str, lock: str
) -> None:
    found = made(xero, contact_id)["InvoiceID"]
    xero.admin.seed(xero.tenant_id, **{lock: "2026-03-02"})
    name = "period" if lock.startswith("period") else "end of year"
    expected = [f"The document date cannot be before the {name} lock date"]
    assert messages(xero.put("invoices", invoice(contact_id))) == expected
    assert messages(xero.update("invoices", found, {"Reference": "R"})) == expected
    assert messages(xero.update("invoices", found, {"Status": "VOIDED"})) == expected
    assert made(xero, contact_id, Date="2026-03-03")


def test_an_unknown_id_in_a_batch_is_an_error_of_the_element(xero: Xero) -> None:
    missing = "11111111-1111-1111-1111-111111111111"
    assert messages(xero.post("invoices", {"InvoiceID": missing, "Status": "VOIDED"})) == [
        "An existing Invoice with the specified InvoiceID could not be found"
    ]


def test_currency_rate_and_url_are_kept(xero: Xero, contact_id: str) -> None:
    url = "https://acme.salesbinder.com/documents/view/1"
    found = made(xero, contact_id, CurrencyCode="EUR", CurrencyRate=0.912345, Url=url)
    assert (found["CurrencyCode"], str(found["CurrencyRate"]), found["Url"]) == ("EUR", "0.912345", url)


def test_a_merged_or_archived_contact_may_stay_on_a_document_that_is_edited(
    xero: Xero, contact_id: str
) -> None:
    found = made(xero, contact_id)
    xero.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})
    changed = xero.update(
        "invoices", found["InvoiceID"], {"Contact": {"ContactID": contact_id}, "Reference": "R"}
    )
    assert changed["Reference"] == "R"


def test_a_scalar_that_an_update_leaves_out_keeps_its_value(xero: Xero, contact_id: str) -> None:
    found = made(xero, contact_id, Reference="R", Url="https://acme.example/1")["InvoiceID"]
    changed = xero.update("invoices", found, {"DueDate": "2026-05-01"})
    assert (changed["Reference"], changed["Url"], changed["DateString"]) == (
        "R",
        "https://acme.example/1",
        "2026-03-02T00:00:00",
    )


def test_the_date_is_today_unless_it_is_named(xero: Xero, contact_id: str) -> None:
    xero.admin.set_clock(rate=0, now="2026-07-04T10:00:00+00:00")
    assert made(xero, contact_id, Date=None)["DateString"] == "2026-07-04T00:00:00"


def test_what_is_due_and_paid_cannot_be_written(xero: Xero, contact_id: str) -> None:
    found = made(xero, contact_id, AmountPaid=8, AmountDue=100, AmountCredited=1)
    assert (found["AmountPaid"], found["AmountDue"], found["AmountCredited"]) == (0, 108, 0)


def test_a_number_has_255_characters_at_most(xero: Xero, contact_id: str) -> None:
    assert made(xero, contact_id, InvoiceNumber="x" * 255)
    assert "255" in messages(xero.put("invoices", invoice(contact_id, InvoiceNumber="y" * 256)))[0]
    assert "255" in messages(xero.put("invoices", invoice(contact_id, Reference="y" * 256)))[0]

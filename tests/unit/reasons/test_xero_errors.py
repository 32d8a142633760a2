"""Every text that Xero is known to send is understood, whatever its punctuation, case and company."""

import pytest

from contracts.reasons import CATALOGUE
from sinks.xero.errors import (
    classify,
    is_duplicate_contact_number,
    is_duplicate_item,
    is_duplicate_name,
    is_duplicate_number,
    messages_of,
    warnings_of,
)

KNOWN = [
    ("Invoice not of valid status for modification", "document_not_editable", {}),
    ("Credit note not of valid status for modification", "document_not_editable", {}),
    (
        "This document cannot be edited as it has a payment or credit note allocated to it.",
        "paid_not_editable",
        {},
    ),
    (
        "The status VOIDED cannot be applied to the invoice "
        "because it has payments or credit notes allocated to it.",
        "foreign_payments",
        {},
    ),
    (
        "Date cannot be changed on an invoice that has payment or credit notes allocated to it.",
        "paid_not_editable",
        {},
    ),
    ("Invoice not of valid status for creation", "our_error", {}),
    ("Invoice # must be unique.", "number_taken", {}),
    ("Order number must be unique", "number_taken", {}),
    ("Credit note # must be unique.", "number_taken", {}),
    (
        "An existing Credit Note with the specified CreditNoteID could not be found",
        "document_not_in_xero",
        {},
    ),
    ("The document with the supplied id was not found for this endpoint.", "document_not_in_xero", {}),
    (
        "The contact name Buzz Lightyear is already assigned to another contact. "
        "The contact name must be unique across all active contacts.",
        "contact_name_taken",
        {"name": "Buzz Lightyear"},
    ),
    (
        "Another contact has this contact number. Please enter a different contact number.",
        "contact_number_taken",
        {},
    ),
    (
        "The contact number c-1 is already assigned to another contact.",
        "contact_number_taken",
        {"number": "c-1"},
    ),
    (
        "The contact with the specified contact details has been archived. "
        "The contact must be un-archived before creating new invoices or credit notes.",
        "contact_archived",
        {},
    ),
    ("A Contact must be specified for this type of transaction", "our_error", {}),
    (
        "The Contact must contain at least 1 of the following elements to identify the contact: "
        "Name, ContactID, ContactNumber",
        "our_error",
        {},
    ),
    ("Email address must be valid.", "contact_email_invalid", {}),
    ("Account code '999' is not a valid code for this document.", "account_code_unknown", {"code": "999"}),
    (
        "Account code ''476'' has been removed as it does not match a recognised account.",
        "account_code_unknown",
        {"code": "476"},
    ),
    (
        "Account code '400' has been archived, or has been deleted. "
        "Each line item must reference a valid account.",
        "account_code_archived",
        {"code": "400"},
    ),
    ("Account code must be specified", "our_error", {}),
    ("The account code or ID must be specified", "our_error", {}),
    (
        "The TaxType code 'OUTPUT2' cannot be used with account code '300'.",
        "tax_type_unfit",
        {"tax_type": "OUTPUT2", "code": "300"},
    ),
    (
        "The TaxType code FOO does not exist or cannot be used for this type of transaction.",
        "tax_type_unknown",
        {"tax_type": "FOO"},
    ),
    ("Item code 'SB-ITEM' is not valid", "item_code_invalid", {"code": "SB-ITEM"}),
    ("Price List Item with Code 'abc' already exists", "item_code_taken", {"code": "abc"}),
    ("One or more line items must be specified", "lines_missing", {}),
    ("The document DueDate field must be specified", "our_error", {}),
    ("Payment amount exceeds the amount outstanding on this document", "exceeds_amount_due", {}),
    ("Payments can only be made against Authorised documents", "document_not_authorised", {}),
    ("Payment not of valid status for modification", "payment_already_removed", {}),
    ("The document date cannot be before the period lock date", "period_locked", {}),
    (
        "The document date cannot be before the period lock date 31 Dec 2025.",
        "period_locked",
        {"lock_date": "31 Dec 2025"},
    ),
    ("Organisation is not subscribed to currency XAU", "currency_not_enabled", {"currency": "XAU"}),
    ("You have reached the limit of invoices you can approve", "xero_plan_limit", {}),
    ("Idempotency Key: k1 is used with a different request.", "our_error", {}),
    ("The quantity value '-1.0000' is invalid. Quantity must not be less than zero.", "our_error", {}),
    (
        "The discount rate '27.83' is invalid. Discount must not be greater than the line total.",
        "our_error",
        {},
    ),
    ("The line total -0.01 does not match the expected line total 0.00", "our_error", {}),
    ("The invoice total does not equal the sum of the lines.", "total_mismatch", {}),
    ("Only AUTHORISED and BILLED purchase orders may have SentToContact updated.", "our_error", {}),
]


@pytest.mark.parametrize(("text", "code", "details"), KNOWN, ids=[text[:60] for text, _, _ in KNOWN])
def test_known_texts(text: str, code: str, details: dict[str, str]) -> None:
    found, named = classify([text])
    assert found == code
    assert named == {"message": text, **details}
    assert code in CATALOGUE


@pytest.mark.parametrize(("text", "code", "details"), KNOWN, ids=[text[:60] for text, _, _ in KNOWN])
def test_case_punctuation_and_endings_do_not_matter(text: str, code: str, details: dict[str, str]) -> None:
    assert classify([f"  {text.upper().replace('.', ' !')} (ref 77)"])[0] == code


def test_an_unknown_text_keeps_xeros_words() -> None:
    assert classify(["The moon is full.", "Truly."]) == (
        "xero_refused",
        {"message": "The moon is full. Truly."},
    )
    assert classify([]) == ("xero_refused", {"message": ""})


def test_of_several_messages_the_one_that_says_most_decides() -> None:
    state = "Invoice not of valid status for modification"
    money = "This document cannot be edited as it has a payment or credit note allocated to it."
    assert classify([state, money])[0] == "paid_not_editable"
    assert classify([money, state])[0] == "paid_not_editable"
    assert classify(["Something new.", "Invoice # must be unique"])[0] == "number_taken"


def test_a_contact_name_cannot_pass_for_another_error() -> None:
    text = (
        "The contact name Invoice # must be unique & contact number Ltd "
        "is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )
    assert classify([text])[0] == "contact_name_taken"
    assert classify([text])[1]["name"] == "Invoice # must be unique & contact number Ltd"


def test_duplicates_are_told_apart() -> None:
    name = ["The contact name A is already assigned to another contact."]
    number = ["Another contact has this contact number. Please enter a different contact number."]
    document = ["Invoice # must be unique."]
    item = ["Price List Item with Code 'abc' already exists"]
    asked = [is_duplicate_name, is_duplicate_contact_number, is_duplicate_number, is_duplicate_item]
    for position, messages in enumerate([name, number, document, item]):
        assert [ask(messages) for ask in asked] == [position == index for index in range(4)]


def test_messages_come_from_the_element_and_what_is_inside_it() -> None:
    element = {
        "InvoiceNumber": "1",
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": "One"}, {"Message": "Two"}],
        "Contact": {"Name": "A", "ValidationErrors": [{"Message": "Three"}]},
        "LineItems": [{"ValidationErrors": [{"Message": "One"}]}, {"ItemCode": "x"}],
        "Warnings": [{"Message": "Careful"}],
    }
    assert messages_of(element) == ["One", "Two", "Three"]
    assert warnings_of(element) == ["Careful"]


def test_messages_of_a_refused_call() -> None:
    summarised = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": "Invoice # must be unique."}]}],
    }
    assert messages_of(summarised) == ["Invoice # must be unique."]
    assert messages_of(
        {"ErrorNumber": 14, "Message": "Idempotency Key: k is used with a different request."}
    ) == ["Idempotency Key: k is used with a different request."]
    assert messages_of({"Title": "Oops", "Detail": "An error occurred", "Status": 500}) == [
        "An error occurred"
    ]
    assert messages_of({"StatusAttributeString": "OK", "InvoiceNumber": "1"}) == []

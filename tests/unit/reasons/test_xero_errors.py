"""Every text that Xero is known to send is understood, whatever its punctuation, case and company."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.reasons import CATALOGUE, Who, render
from sinks.xero.calls import QueuedElement, make_call
from sinks.xero.client import Answer
from sinks.xero.elements import Element, StepKey
from sinks.xero.errors import classify, is_duplicate_contact_number, messages_of, warnings_of
from sinks.xero.responses import Result, read_answer

Row = tuple[str, str, Who, dict[str, str]]

# One row for every text of reference/xero.md, section 6: text, code, who has to act, what the text names.
STATED: list[Row] = [
    ("Invoice not of valid status for modification", "document_not_editable", "xero", {}),
    (
        "This document cannot be edited as it has a payment or credit note allocated to it.",
        "paid_not_editable",
        "salesbinder",
        {},
    ),
    (
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes "
        "allocated to it.",
        "foreign_payments",
        "xero",
        {},
    ),
    (
        "Date cannot be changed on an invoice that has payment or credit notes allocated to it.",
        "paid_not_editable",
        "salesbinder",
        {},
    ),
    ("Invoice not of valid status for creation", "our_error", "us", {}),
    ("Invoice # must be unique.", "number_taken", "xero", {}),
    ("Order number must be unique", "number_taken", "xero", {}),
    (
        "An existing Credit Note with the specified CreditNoteID could not be found",
        "document_not_in_xero",
        "xero",
        {},
    ),
    (
        "The document with the supplied id was not found for this endpoint.",
        "document_not_in_xero",
        "xero",
        {},
    ),
    (
        "The contact name X is already assigned to another contact. "
        "The contact name must be unique across all active contacts.",
        "contact_name_taken",
        "xero",
        {"name": "X"},
    ),
    (
        "The contact with the specified contact details has been archived. "
        "The contact must be un-archived before creating new invoices or credit notes.",
        "contact_archived",
        "xero",
        {},
    ),
    ("A Contact must be specified for this type of transaction", "our_error", "us", {}),
    (
        "The Contact must contain at least 1 of the following elements to identify the contact: "
        "Name, ContactID, ContactNumber",
        "our_error",
        "us",
        {},
    ),
    ("Email address must be valid.", "contact_email_invalid", "salesbinder", {}),
    (
        "Account code 'X' is not a valid code for this document.",
        "account_code_unknown",
        "settings",
        {"code": "X"},
    ),
    (
        "Account code 'X' has been archived, or has been deleted. "
        "Each line item must reference a valid account.",
        "account_code_archived",
        "settings",
        {"code": "X"},
    ),
    ("Account code must be specified", "our_error", "us", {}),
    ("The account code or ID must be specified", "our_error", "us", {}),
    (
        "The TaxType code 'X' cannot be used with account code 'Y'.",
        "tax_type_unfit",
        "settings",
        {"tax_type": "X", "code": "Y"},
    ),
    ("Item code 'X' is not valid", "item_code_invalid", "settings", {"code": "X"}),
    ("One or more line items must be specified", "lines_missing", "salesbinder", {}),
    ("The document DueDate field must be specified", "our_error", "us", {}),
    ("Payment amount exceeds the amount outstanding on this document", "exceeds_amount_due", "xero", {}),
    ("Payments can only be made against Authorised documents", "document_not_authorised", "xero", {}),
    ("The document date cannot be before the period lock date", "period_locked", "xero", {}),
    (
        "Organisation is not subscribed to currency XXX",
        "currency_not_enabled",
        "settings",
        {"currency": "XXX"},
    ),
    ("You have reached the limit of invoices you can approve", "xero_plan_limit", "xero", {}),
    ("Idempotency Key: K is used with a different request.", "our_error", "us", {}),
]

# What the other sections quote, and the same texts with real names in them.
QUOTED: list[Row] = [
    ("Credit note not of valid status for modification", "document_not_editable", "xero", {}),
    ("Payment not of valid status for modification", "payment_already_removed", "xero", {}),
    (
        "The status DELETED cannot be applied to the invoice because it has payments or credit notes "
        "allocated to it.",
        "foreign_payments",
        "xero",
        {},
    ),
    ("Credit note # must be unique.", "number_taken", "xero", {}),
    (
        "An existing Invoice with the specified InvoiceID could not be found",
        "document_not_in_xero",
        "xero",
        {},
    ),
    (
        "The contact name Buzz Lightyear is already assigned to another contact. "
        "The contact name must be unique across all active contacts.",
        "contact_name_taken",
        "xero",
        {"name": "Buzz Lightyear"},
    ),
    (
        "Another contact has this contact number. Please enter a different contact number.",
        "contact_number_taken",
        "xero",
        {},
    ),
    (
        "The contact number c-1 is already assigned to another contact.",
        "contact_number_taken",
        "xero",
        {"number": "c-1"},
    ),
    (
        "Account code ''476'' has been removed as it does not match a recognised account.",
        "account_code_unknown",
        "settings",
        {"code": "476"},
    ),
    (
        "The TaxType code FOO does not exist or cannot be used for this type of transaction.",
        "tax_type_unknown",
        "settings",
        {"tax_type": "FOO"},
    ),
    ("Price List Item with Code 'abc' already exists", "item_code_taken", "settings", {"code": "abc"}),
    (
        "The document date cannot be before the period lock date 31 Dec 2025.",
        "period_locked",
        "xero",
        {"lock_date": "31 Dec 2025"},
    ),
    (
        "The quantity value '-1.0000' is invalid. Quantity must not be less than zero.",
        "our_error",
        "us",
        {},
    ),
    (
        "The discount rate '27.83' is invalid. Discount must not be greater than the line total.",
        "our_error",
        "us",
        {},
    ),
    ("The line total -0.01 does not match the expected line total 0.00", "our_error", "us", {}),
    ("Payments cannot be modified, only created and deleted.", "our_error", "us", {}),
    ("The invoice total does not equal the sum of the lines.", "total_mismatch", "salesbinder", {}),
    (
        "Only AUTHORISED and BILLED purchase orders may have SentToContact updated.",
        "our_error",
        "us",
        {},
    ),
]
KNOWN = STATED + QUOTED


def short(row: Row) -> str:
    return row[0][:60]


known = pytest.mark.parametrize("row", KNOWN, ids=short)


def test_every_text_of_the_reference_is_in_the_table(shared_dir: Path) -> None:
    page = (shared_dir / "reference" / "xero.md").read_text(encoding="utf-8")
    section = page.split("\n## 6.")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    texts = {text for row in rows for text in re.findall(r"`([^`]+)`", row[2])}
    assert len(texts) > 25
    assert texts == {text for text, *_ in STATED}


@known
def test_known_texts(row: Row) -> None:
    text, code, who, details = row
    assert classify([text]) == (code, {"message": text, **details})
    assert CATALOGUE[code].who == who


@known
def test_case_punctuation_and_endings_do_not_matter(row: Row) -> None:
    assert classify([f"  {row[0].upper().replace('.', ' !')} (ref 77)"])[0] == row[1]


@known
def test_the_words_are_kept_whatever_the_code(row: Row) -> None:
    said = ["Something else.", row[0]]
    assert classify(said)[1]["message"] == f"Something else. {row[0]}"


@known
def test_the_sentence_names_what_xero_named(row: Row) -> None:
    _, code, _, details = row
    sentence, remedy = render(code, {"document": "invoice 1042", **classify([row[0]])[1]})
    assert all(value in sentence + remedy for value in details.values())


def _in_the_element(text: str) -> tuple[int, dict[str, Any]]:
    return 200, {"Invoices": [_refused(ValidationErrors=[{"Message": text}])]}


def _in_the_contact(text: str) -> tuple[int, dict[str, Any]]:
    contact = {"Name": "A", "ValidationErrors": [{"Message": text}]}
    return 200, {"Invoices": [_refused(Contact=contact)]}


def _in_a_line(text: str) -> tuple[int, dict[str, Any]]:
    lines = [{"Description": "x"}, {"Description": "y", "ValidationErrors": [{"Message": text}]}]
    return 200, {"Invoices": [_refused(ValidationErrors=[], LineItems=lines)]}


def _summarised(text: str) -> tuple[int, dict[str, Any]]:
    element = {"InvoiceNumber": "1", "ValidationErrors": [{"Message": text}]}
    return 400, {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [element],
    }


def _as_the_message(text: str) -> tuple[int, dict[str, Any]]:
    return 400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": text, "Elements": []}


def _as_the_detail(text: str) -> tuple[int, dict[str, Any]]:
    return 400, {"Title": "Bad Request", "Status": 400, "Detail": text, "Instance": "i"}


def _refused(**more: Any) -> dict[str, Any]:
    zero = "00000000-0000-0000-0000-000000000000"
    return {"InvoiceID": zero, "InvoiceNumber": "1", "StatusAttributeString": "ERROR", **more}


def _read(status: int, body: Any) -> Result:
    call = make_call(
        [
            QueuedElement(
                Element("invoices.create", "invoice", StepKey("invoice", "1"), {"InvoiceNumber": "1"}), ["1"]
            )
        ]
    )
    return read_answer(call, Answer(status, {}, msgspec.json.encode(body))).results[0]


@known
@pytest.mark.parametrize(
    "place", [_in_the_element, _in_the_contact, _in_a_line, _summarised, _as_the_message, _as_the_detail]
)
def test_wherever_the_text_stands(row: Row, place: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    text, code, _, details = row
    status, body = place(text)
    result = _read(status, body)
    if text.startswith("Idempotency Key") and status == 400:
        assert result.verdict == "unknown", "Xero did not look at this request: it is looked up"
        return
    assert (result.verdict, result.code) == ("refused", code)
    assert result.details == {"message": text, **details}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A contact with the specified ContactName already exists", "contact_name_taken"),
        ("The contact name Invoice 7 already exists.", "contact_name_taken"),
        ("Contact name must be unique", "contact_name_taken"),
        ("A contact with this ContactNumber already exists", "contact_number_taken"),
        ("Contact number 77 already exists", "contact_number_taken"),
        ("An invoice with this number already exists.", "number_taken"),
        ("Invoice number 5001 is already in use", "number_taken"),
        ("The PurchaseOrderNumber has already been used", "number_taken"),
        ("CreditNoteNumber already exists", "number_taken"),
        ("Item code already exists", "item_code_taken"),
        ("The payment exceeds the amount due", "exceeds_amount_due"),
        ("Payment amount is greater than the amount due", "exceeds_amount_due"),
    ],
)
def test_other_words_for_what_only_needs_looking_up(text: str, code: str) -> None:
    assert classify([text])[0] == code


def test_an_unknown_text_keeps_xeros_words() -> None:
    assert classify(["The moon is full.", "Truly."]) == (
        "xero_refused",
        {"message": "The moon is full. Truly."},
    )
    assert classify([]) == ("xero_refused", {"message": ""})
    assert "The moon is full." in render("xero_refused", {"message": "The moon is full."})[0]


def test_of_several_messages_the_one_that_says_most_decides() -> None:
    state = "Invoice not of valid status for modification"
    money = "This document cannot be edited as it has a payment or credit note allocated to it."
    assert classify([state, money])[0] == "paid_not_editable"
    assert classify([money, state])[0] == "paid_not_editable"
    assert classify(["Something new.", "Invoice # must be unique"])[0] == "number_taken"


@pytest.mark.parametrize(
    "name",
    [
        "Invoice # must be unique & contact number Ltd",
        "Idempotency Key: K is used with a different request.",
    ],
)
def test_a_contact_name_cannot_pass_for_another_error(name: str) -> None:
    text = (
        f"The contact name {name} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )
    result = _read(*_summarised(text))
    assert (result.verdict, result.code, result.details["name"]) == ("refused", "contact_name_taken", name)


def test_a_taken_contact_number_is_told_from_a_taken_name() -> None:
    number = "Another contact has this contact number. Please enter a different contact number."
    assert is_duplicate_contact_number([number])
    assert not is_duplicate_contact_number(["The contact name A is already assigned to another contact."])


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
    assert messages_of({"StatusAttributeString": "OK", "InvoiceNumber": "1"}) == []

"""Facts about batches and error shapes (reference §2, §6)."""

from typing import Any

import pytest
from xero_python.exceptions import AccountingBadRequestException, NotFoundException

from .client import Xero, invoice, parse


def test_a_batch_is_not_atomic_and_keeps_its_order(xero: Xero, contact_id: str) -> None:
    good, bad = invoice(contact_id, InvoiceNumber="1"), invoice(contact_id, InvoiceNumber="2", DueDate=None)
    answer = xero.write("put", "invoices", good, bad, invoice(contact_id, InvoiceNumber="3"))
    shown = [(part["InvoiceNumber"], part["StatusAttributeString"]) for part in answer]
    assert shown == [("1", "OK"), ("2", "ERROR"), ("3", "OK")]
    assert [found["InvoiceNumber"] for found in xero.list("invoices")] == ["1", "3"]


def test_a_failed_element_says_so_and_has_an_all_zero_id(xero: Xero, contact_id: str) -> None:
    failed = xero.put("invoices", invoice(contact_id, DueDate=None))
    assert failed["HasErrors"] is True
    assert failed["InvoiceID"] == "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("asked", [{"summarize_errors": True}, {}])
def test_summarised_errors_list_only_failures_while_the_rest_is_created(
    xero: Xero, contact_id: str, asked: dict[str, bool]
) -> None:
    elements = [invoice(contact_id, InvoiceNumber=number) for number in ("1", "2", "1")]
    with pytest.raises(AccountingBadRequestException) as caught:
        xero.api.create_invoices(xero.tenant_id, {"Invoices": elements}, **asked)
    body = parse(caught.value.http_resp.data)
    assert {name: body[name] for name in ("ErrorNumber", "Type", "Message")} == {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
    }
    assert [part["ValidationErrors"] for part in body["Elements"]] == [
        [{"Message": "Invoice # must be unique."}]
    ]
    assert caught.value.reason == "Invoice # must be unique."
    assert [found["InvoiceNumber"] for found in xero.list("invoices")] == ["1", "2"]


def test_two_invoices_of_one_number_in_a_batch_collide(xero: Xero, contact_id: str) -> None:
    answer = xero.write("put", "invoices", *[invoice(contact_id, InvoiceNumber="1")] * 2)
    assert [part["StatusAttributeString"] for part in answer] == ["OK", "ERROR"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b'{"Invoices": 3}'])
def test_a_body_that_cannot_be_read_is_refused_as_a_whole(xero: Xero, body: bytes) -> None:
    answer = xero.raw("PUT", "Invoices?summarizeErrors=false", body)
    assert (answer.status, parse(answer.data)["Type"]) == (400, "PostDataInvalidException")


@pytest.mark.parametrize(
    "change",
    [
        {"Status": "BOGUS"},
        {"Date": "soon"},
        {"LineItems": [{"Quantity": "two"}]},
        {"LineItems": ["text"]},
        {"LineItems": [{"Description": {}}]},
        {"Contact": "text"},
        {"LineAmountTypes": "Gross"},
        {"Total": "NaN"},
    ],
)
def test_one_unreadable_value_refuses_all_elements_and_names_none(
    xero: Xero, contact_id: str, change: dict[str, Any]
) -> None:
    body = {"Invoices": [invoice(contact_id), invoice(contact_id, **change)]}
    answer = xero.raw("PUT", "Invoices?summarizeErrors=false", body)
    assert (answer.status, parse(answer.data)["Type"]) == (400, "PostDataInvalidException")
    assert "Elements" not in parse(answer.data)
    assert xero.list("invoices") == []


def test_a_body_over_the_size_limit_is_refused(xero: Xero) -> None:
    assert xero.raw("PUT", "Invoices", b" " * 3_500_001).status == 413


def test_a_single_object_is_taken_for_a_batch_of_one(xero: Xero) -> None:
    answer = parse(xero.raw("POST", "Contacts", {"Name": "Bare"}).data)
    assert answer["Contacts"][0]["Name"] == "Bare"


def test_accounts_take_one_element_a_call(xero: Xero) -> None:
    elements = [{"Code": code, "Name": code, "Type": "EXPENSE"} for code in ("701", "702")]
    answer = parse(xero.raw("PUT", "Accounts", {"Accounts": elements}).data)
    assert [found["Code"] for found in answer["Accounts"]] == ["701"]


def test_unknown_addresses_are_404(xero: Xero) -> None:
    with pytest.raises(NotFoundException):
        xero.get("invoices", "11111111-1111-1111-1111-111111111111")
    assert xero.raw("GET", "Nothing").status == 404


def test_a_refused_batch_says_number_type_and_message(xero: Xero, contact_id: str) -> None:
    answer = xero.raw("PUT", "Invoices", {"Invoices": [invoice(contact_id, DueDate=None)]})
    body = parse(answer.data)
    assert answer.status == 400
    assert (body["ErrorNumber"], body["Type"], body["Message"]) == (
        10,
        "ValidationException",
        "A validation exception occurred",
    )
    assert [error["Message"] for error in body["Elements"][0]["ValidationErrors"]] == [
        "The document DueDate field must be specified"
    ]


def test_the_body_of_a_500(xero: Xero) -> None:
    xero.admin.fault("error_before", method="GET", path="^Invoices")
    answer = xero.raw("GET", "Invoices")
    assert answer.status == 500
    assert {"Title", "Detail", "Status", "Instance"} <= set(parse(answer.data))

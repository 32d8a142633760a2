"""What Xero's answers mean, element by element."""

from typing import Any

import msgspec
import pytest

from sinks.xero.calls import Call, QueuedElement, make_call
from sinks.xero.client import Answer
from sinks.xero.elements import Element, StepKey
from sinks.xero.responses import decode, read_answer
from sinks.xero.routes import RouteName

NOTHING = "00000000-0000-0000-0000-000000000000"


def _call(*numbers: str) -> Call:
    parts = [
        QueuedElement(Element("invoices.create", "invoice", StepKey("invoice", n), {"InvoiceNumber": n}), [n])
        for n in numbers
    ]
    return make_call(parts)


def _read(call: Call, status: int, body: Any) -> list[tuple[str, str]]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return [(r.verdict, r.code or "") for r in read_answer(call, Answer(status, {}, raw)).results]


def _made(number: str) -> dict[str, Any]:
    return {"InvoiceID": f"id-{number}", "InvoiceNumber": number, "StatusAttributeString": "OK"}


def _error(number: str, text: str = "Invoice # must be unique.") -> dict[str, Any]:
    return {
        "InvoiceID": NOTHING,
        "InvoiceNumber": number,
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": text}],
    }


def test_results_are_matched_by_number_whatever_their_order() -> None:
    call = _call("1", "2", "3")
    results = read_answer(
        call, Answer(200, {}, msgspec.json.encode({"Invoices": [_made("3"), _error("2"), _made("1")]}))
    ).results
    assert [r.verdict for r in results] == ["ok", "refused", "ok"]
    assert results[0].found[0]["InvoiceID"] == "id-1"
    assert results[1].code == "number_taken"


def test_an_element_that_is_missing_is_unknown() -> None:
    assert _read(_call("1", "2"), 200, {"Invoices": [_made("1")]}) == [("ok", ""), ("unknown", "")]


def test_an_element_with_neither_error_nor_id_is_unknown() -> None:
    assert _read(_call("1"), 200, {"Invoices": [{"InvoiceNumber": "1", "InvoiceID": NOTHING}]}) == [
        ("unknown", "")
    ]


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"Invoices": 3}'])
def test_a_success_that_cannot_be_read_is_unknown(body: bytes) -> None:
    assert _read(_call("1", "2"), 200, body) == [("unknown", "")] * 2


def test_of_summarised_errors_those_not_named_may_have_been_done() -> None:
    body = {"ErrorNumber": 10, "Message": "A validation exception occurred", "Elements": [_error("2")]}
    assert _read(_call("1", "2", "3"), 400, body) == [
        ("unknown", ""),
        ("refused", "number_taken"),
        ("unknown", ""),
    ]


def test_a_batch_refused_without_naming_an_element_is_split() -> None:
    assert _read(_call("1", "2"), 400, {"Message": "Bad request"}) == [("split", "")] * 2


@pytest.mark.parametrize("told", [{}, {"Elements": [{"ValidationErrors": [{"Message": "Too much"}]}]}])
def test_payments_of_which_nobody_knows_the_refused_one_may_have_been_made(told: dict[str, Any]) -> None:
    parts = [
        QueuedElement(
            Element("payments.create", "payment", StepKey("payment", n), {"Invoice": {"InvoiceID": n}}), [n]
        )
        for n in ("1", "2")
    ]
    body = msgspec.json.encode({"Message": "A validation exception occurred", **told})
    results = read_answer(make_call(parts), Answer(400, {}, body)).results
    assert [(r.verdict, r.halve) for r in results] == [("unknown", True)] * 2


def test_a_single_element_refused_as_a_whole_is_refused_with_the_words() -> None:
    results = read_answer(_call("1"), Answer(400, {}, b'{"Message": "The sky is grey"}')).results
    assert (results[0].verdict, results[0].code) == ("refused", "xero_refused")
    assert "The sky is grey" in results[0].details["message"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(401, "not_applied"), (403, "not_applied"), (429, "not_applied"), (500, "unknown"), (503, "unknown")],
)
def test_statuses_about_the_whole_account(status: int, verdict: str) -> None:
    assert _read(_call("1"), status, b"{}") == [(verdict, "")]


def test_a_server_error_to_a_read_changes_nothing() -> None:
    call = make_call(
        [QueuedElement(Element("invoices.read", "read invoice", StepKey("invoice", "1"), xero_id="x"), ["1"])]
    )
    assert _read(call, 500, b"") == [("not_applied", "")]


def test_what_is_not_there_is_an_answer() -> None:
    call = make_call(
        [QueuedElement(Element("invoices.read", "read invoice", StepKey("invoice", "1"), xero_id="x"), ["1"])]
    )
    results = read_answer(call, Answer(404, {}, b"not found")).results
    assert (results[0].verdict, results[0].found) == ("ok", ())


def test_one_of_several_reads_that_is_missing_is_asked_again_alone() -> None:
    parts = [
        QueuedElement(Element("invoices.read", "read invoice", StepKey("invoice", n), xero_id=f"id-{n}"), [n])
        for n in "12"
    ]
    body = {"Invoices": [{"InvoiceID": "ID-2", "Status": "PAID", "LineItems": [{}]}]}
    assert _read(make_call(parts), 200, body) == [("split", ""), ("ok", "")]


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ({"LineItems": [{}], "AmountPaid": 0}, "ok"),
        ({"LineItems": [{}], "AmountPaid": "5.0000", "Payments": [{}]}, "ok"),
        ({"LineItems": [{}], "AmountPaid": 5.0, "Payments": []}, "split"),
        ({"LineItems": [{}], "AmountPaid": 5.0}, "split"),
        ({"LineItems": []}, "split"),
        ({}, "split"),
        ({"Status": "DELETED"}, "ok"),
    ],
)
def test_summary_of_an_invoice_among_several_is_read_again_alone(shown: dict[str, Any], verdict: str) -> None:
    parts = [
        QueuedElement(Element("invoices.read", "read invoice", StepKey("invoice", n), xero_id=f"id-{n}"), [n])
        for n in "12"
    ]
    whole = {"InvoiceID": "id-1", "LineItems": [{}]}
    body = {"Invoices": [{"InvoiceID": "id-2", **shown}, whole]}
    assert _read(make_call(parts), 200, body) == [("ok", ""), (verdict, "")]


@pytest.mark.parametrize(
    ("route", "envelope", "key", "found"),
    [("contacts.find", "Contacts", "Name", 1), ("credit_notes.find", "CreditNotes", "CreditNoteNumber", 0)],
)
def test_only_a_contact_is_believed_under_another_name(
    route: RouteName, envelope: str, key: str, found: int
) -> None:
    """Xero decides which names are the same; numbers are the same or are not, whatever a filter let by."""
    element = Element(
        route, "look up contact by name", StepKey("contact", "1"), query={"where": "x"}, wanted="A"
    )
    answer = Answer(200, {}, msgspec.json.encode({envelope: [{key: "Other"}]}))
    [result] = read_answer(make_call([QueuedElement(element, ["1"])]), answer).results
    assert len(result.found) == found


def test_a_reused_key_is_never_taken_for_a_refusal() -> None:
    body = {"Message": "Idempotency Key: K is used with a different request."}
    assert _read(_call("1"), 400, body) == [("unknown", "")]


def test_each_bill_that_is_looked_up_gets_all_that_was_found_unless_the_page_is_full() -> None:
    parts = [
        QueuedElement(
            Element("bills.find", "look up bill", StepKey("bill", n), query={"InvoiceNumbers": n}, wanted=n),
            [n],
        )
        for n in "12"
    ]
    found = {"Invoices": [_made("1"), _made("1")]}
    results = read_answer(make_call(parts), Answer(200, {}, msgspec.json.encode(found))).results
    assert [[o["InvoiceNumber"] for o in r.found] for r in results] == [["1", "1"]] * 2
    assert _read(make_call(parts), 200, {"Invoices": [_made("1")] * 1000}) == [("split", "")] * 2
    assert _read(make_call(parts[:1]), 200, {"Invoices": []}) == [("ok", "")]


def test_look_up_that_finds_nothing_may_come_without_a_list() -> None:
    element = Element(
        "invoices.find", "look up invoice", StepKey("invoice", "1"), query={"InvoiceNumbers": "1"}, wanted="1"
    )
    call = make_call([QueuedElement(element, ["1"])])
    [result] = read_answer(call, Answer(200, {}, b'{"Status": "OK"}')).results
    assert (result.verdict, result.found) == ("ok", ())
    assert _read(call, 200, {"Invoices": 3}) == [("not_applied", "")]


def test_nulls_in_lists_are_no_addresses() -> None:
    raw = b'{"Contacts": [null, {"Phones": [], "Name": null, "Addresses": [ null, {"City": ", null"}]}]}'
    assert decode(raw) == {"Contacts": [{"Phones": [], "Name": None, "Addresses": [{"City": ", null"}]}]}

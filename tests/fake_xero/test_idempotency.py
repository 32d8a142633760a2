"""Facts about Idempotency-Key (reference §4)."""

from typing import Any

import pytest

from .client import Xero, invoice, parse, payment


def put(xero: Xero, key: str, name: str, path: str = "Contacts?summarizeErrors=false") -> Any:
    return xero.raw("PUT", path, {"Contacts": [{"Name": name}]}, Idempotency_Key=key)


def test_a_repeated_request_gets_the_stored_answer(xero: Xero) -> None:
    first, again = put(xero, "k", "A"), put(xero, "k", "A")
    assert first.data == again.data
    assert len(xero.list("contacts")) == 1
    assert xero.admin.counters()["replays"] == 1


def test_a_key_is_kept_six_minutes_from_the_first_call(xero: Xero) -> None:
    xero.admin.set_clock(rate=0)
    put(xero, "k", "A")
    xero.admin.advance(355)
    assert b"ERROR" not in put(xero, "k", "A").data
    xero.admin.advance(10)  # 365 s after the first call, 10 s after the repeat
    assert b"already assigned to another contact" in put(xero, "k", "A").data


@pytest.mark.parametrize(
    ("name", "path"), [("B", "Contacts?summarizeErrors=false"), ("A", "Contacts?summarizeErrors=true")]
)
def test_a_different_request_with_the_same_key_is_refused(xero: Xero, name: str, path: str) -> None:
    put(xero, "k", "A")
    answer = put(xero, "k", name, path)
    assert answer.status == 400
    assert parse(answer.data)["Message"] == "Idempotency Key: k is used with a different request."


@pytest.mark.parametrize(
    "path",
    [
        "Contacts?unitdp=4&summarizeErrors=false",
        "Contacts?summarizeErrors=false&unitdp=4&",
        "Contacts?summarizeErrors=false&unitdp=%34",
        "%43ontacts?summarizeErrors=false&unitdp=4",
        "Contacts/?summarizeErrors=false&unitdp=4",
    ],
    ids=["query in another order", "empty parameter", "query encoded", "path encoded", "slash at the end"],
)
def test_the_same_parameters_written_in_another_way_are_a_different_request(xero: Xero, path: str) -> None:
    assert put(xero, "k", "A", "Contacts?summarizeErrors=false&unitdp=4").status == 200
    answer = put(xero, "k", "A", path)
    assert (answer.status, b"is used with a different request" in answer.data) == (400, True)


@pytest.mark.parametrize("body", [b'{"Contacts": [{"Name":"A"}]}', b'{"Contacts":[{"Name":"\\u0041"}]}'])
def test_the_same_content_in_other_bytes_is_a_different_request(xero: Xero, body: bytes) -> None:
    path = "Contacts?summarizeErrors=false"
    assert xero.raw("PUT", path, b'{"Contacts":[{"Name":"A"}]}', Idempotency_Key="k").status == 200
    assert xero.raw("PUT", path, body, Idempotency_Key="k").status == 400


def test_the_same_request_by_another_method_is_a_different_one(xero: Xero) -> None:
    body = b'{"Contacts":[{"Name":"A"}]}'
    assert xero.raw("PUT", "Contacts", body, Idempotency_Key="k").status == 200
    assert xero.raw("POST", "Contacts", body, Idempotency_Key="k").status == 400


def test_errors_are_replayed_too(xero: Xero, contact_id: str) -> None:
    body = {"Contacts": [{"Name": "Widgets & Co"}]}
    first = xero.raw("PUT", "Contacts", body, Idempotency_Key="k")
    xero.update("contacts", contact_id, {"Name": "No longer taken"})
    again = xero.raw("PUT", "Contacts", body, Idempotency_Key="k")
    assert (first.status, again.status, again.data) == (400, 400, first.data)


@pytest.mark.parametrize(("kind", "applied"), [("error_before", 0), ("error_after", 1)])
def test_a_500_is_replayed_under_its_key(xero: Xero, kind: str, applied: int) -> None:
    xero.admin.fault(kind)
    assert [put(xero, "k", "A").status for _ in range(2)] == [500, 500]
    assert len(xero.list("contacts")) == applied


def test_replays_count_against_the_limits(xero: Xero) -> None:
    remaining = [int(put(xero, "k", "A").headers["X-MinLimit-Remaining"]) for _ in range(2)]
    assert remaining[1] == remaining[0] - 1


def test_keys_have_128_characters_at_most(xero: Xero) -> None:
    assert put(xero, "k" * 128, "A").status == 200
    assert put(xero, "k" * 129, "B").status == 400


def test_keys_belong_to_an_app(xero: Xero) -> None:
    put(xero, "k", "A")
    other = Xero(xero.server, xero.server.by_hand_client_id, xero.server.by_hand_client_secret)
    assert put(other, "k", "B").status == 200


def test_a_call_that_was_rate_limited_leaves_no_trace_under_its_key(xero: Xero) -> None:
    xero.admin.fault("rate_limit")
    assert [put(xero, "k", "A").status for _ in range(2)] == [429, 200]


def test_the_sdk_sends_the_key(xero: Xero, contact_id: str) -> None:
    made = xero.put("invoices", invoice(contact_id))["InvoiceID"]
    for _ in range(2):
        xero.put("payments", payment(made, 1), idempotency_key="acme-1")
    assert len(xero.list("payments")) == 1
    assert xero.admin.calls()[-2]["idempotency_key"] == "acme-1"

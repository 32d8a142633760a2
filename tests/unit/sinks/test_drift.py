"""What counts as a difference between Xero and what we put there, and what can be done about it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connections.facts import Account, OrganisationFacts
from sinks.drift.acts import proposal
from sinks.drift.compare import CompareContext, Difference, Sent, compare, merged, updated
from sinks.drift.history import last_person
from sinks.xero.elements import Kind, Link, StepKey

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FACTS = OrganisationFacts(
    name="Demo",
    base_currency="USD",
    fetched_at=NOW,
    accounts=(
        Account(account_id="a-1", code="090", name="Bank", type="BANK", status="ACTIVE"),
        Account(account_id="a-2", code="", name="Till", type="BANK", status="ACTIVE"),
    ),
)
SENT = {
    "InvoiceNumber": "1",
    "Reference": "Spring",
    "Date": "2026-03-02",
    "DueDate": "2026-04-01",
    "CurrencyCode": "USD",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": "c-1"},
    "LineItems": [{"UnitAmount": "100.00", "TaxAmount": "8.00"}],
}
SHOWN: dict[str, Any] = {
    "InvoiceID": "i-1",
    "InvoiceNumber": "1",
    "Reference": "Spring",
    "DateString": "2026-03-02T00:00:00",
    "DueDate": "/Date(1775001600000+0000)/",
    "CurrencyCode": "USD",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": "c-1", "Name": "Widgets"},
    "LineItems": [{"LineAmount": 100}],
    "SubTotal": Decimal("100.00"),
    "TotalTax": Decimal("8.00"),
    "Total": Decimal("108.00"),
    "AmountDue": Decimal("108.00"),
    "AmountPaid": Decimal("0.00"),
}
PAYMENT = {"Amount": "8.00", "Date": "2026-03-03", "Reference": "Cash #12345678", "Account": {"Code": "090"}}
PAID = {
    "PaymentID": "p-1",
    "Amount": 8,
    "Date": "/Date(1772496000000)/",
    "Reference": "Cash #12345678",
    "Status": "AUTHORISED",
    "Account": {"AccountID": "a-1"},
}


def put(
    kind: Kind = "invoice", body: Any = None, *, ended: bool = False, removed: bool = False, **facts: Any
) -> Sent:
    body = SENT if body is None else body
    total = {"expected_total": "108.00"} if kind not in ("contact", "payment") else {}
    link = Link(StepKey(kind, "r"), f"{kind[0]}-1", "1", removed=removed, facts={**total, **facts})
    return Sent(link, body, ended)


def found(ours: Sent, xeros: Any, **around: Any) -> list[tuple[str, str, str]]:
    return [(one.field, one.ours, one.xeros) for one in compare(ours, xeros, CompareContext(FACTS, **around))]


def test_what_was_sent_is_what_is_shown() -> None:
    assert found(put(), SHOWN) == []


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"Total": Decimal("109.00")}, ("total", "108.00", "109.00")),
        ({"SubTotal": 99, "TotalTax": 8}, ("net", "100.00", "99.00")),
        ({"TotalTax": 9}, ("tax", "8.00", "9.00")),
        ({"LineItems": [{}, {}]}, ("lines", "1", "2")),
        ({"AmountDue": Decimal("8.00")}, ("amount_due", "108.00", "8.00")),
        ({"DateString": "2026-03-05T00:00:00"}, ("date", "2026-03-02", "2026-03-05")),
        ({"DueDate": None}, ("due_date", "2026-04-01", "")),
        ({"Reference": "Summer"}, ("reference", "Spring", "Summer")),
        ({"InvoiceNumber": "1-B"}, ("number", "1", "1-B")),
        ({"Contact": {"ContactID": "c-2", "Name": "Bolts"}}, ("contact", "c-1", "c-2 Bolts")),
        ({"CurrencyCode": "EUR"}, ("currency", "USD", "EUR")),
        ({"Status": "VOIDED", "Total": 0}, ("status", "AUTHORISED", "VOIDED")),
    ],
)
def test_field_that_was_changed(changed: dict[str, Any], difference: tuple[str, str, str]) -> None:
    assert found(put(), {**SHOWN, **changed}) == [difference]


@pytest.mark.parametrize(
    "changed",
    [
        {"Status": "PAID"},
        {"Reference": " Spring "},
        {"LineItems": []},  # a summary
        {"Url": "https://elsewhere.example.com"},
    ],
)
def test_what_is_no_difference(changed: dict[str, Any]) -> None:
    assert found(put(), {**SHOWN, **changed}) == []


def test_draft_that_somebody_approved_is_information() -> None:
    draft = put(body={**SENT, "Status": "DRAFT"})
    assert compare(draft, SHOWN, CompareContext(FACTS)) == [
        Difference("status", "DRAFT", "AUTHORISED", information=True)
    ]
    assert found(draft, {**SHOWN, "Status": "SUBMITTED"}) == []


def test_contact_that_the_sent_one_was_merged_into_is_right() -> None:
    shown = {**SHOWN, "Contact": {"ContactID": "c-2"}}
    assert found(put(), shown, contacts=("c-2",)) == []


def test_money_of_others_is_told_and_explains_what_is_due() -> None:
    foreign = {"PaymentID": "12345678-9", "Amount": 50, "Date": "2026-03-09", "Reference": "By hand"}
    shown = {**SHOWN, "Payments": [foreign], "AmountCredited": 8, "AmountDue": 50}
    assert compare(put(), shown, CompareContext(FACTS)) == [
        Difference("payment 12345678", "", "50.00 of 2026-03-09 By hand", information=True),
        Difference("credit", "0.00", "8.00", information=True),
    ]


def test_our_payments_make_what_is_due() -> None:
    ours = put("payment", PAYMENT)
    shown = {**SHOWN, "Payments": [PAID], "AmountDue": 100}
    assert found(put(), shown, payments=[ours]) == []
    deleted = {**SHOWN, "Payments": []}
    assert found(put(), deleted, payments=[ours]) == [("amount_due", "100.00", "108.00")]
    taken_off = put("payment", {**PAYMENT, "Status": "DELETED"})
    assert found(put(), deleted, payments=[taken_off]) == []


@pytest.mark.parametrize(
    ("changed", "differences"),
    [
        ({}, []),
        ({"Status": "DELETED"}, [("status", "AUTHORISED", "DELETED")]),
        ({"Amount": 9}, [("amount", "8.00", "9.00")]),
        ({"Date": "2026-03-04"}, [("date", "2026-03-03", "2026-03-04")]),
        ({"Account": {"AccountID": "a-2"}}, [("account", "090", "Till")]),
        ({"Account": {"Code": "090"}}, []),
    ],
)
def test_payment(changed: dict[str, Any], differences: list[tuple[str, str, str]]) -> None:
    assert found(put("payment", PAYMENT), {**PAID, **changed}) == differences


def test_account_that_is_no_longer_known_says_nothing() -> None:
    assert found(put("payment", {**PAYMENT, "Account": {"Code": "old"}}), PAID) == []


@pytest.mark.parametrize("kind", ["invoice", "payment", "purchase_order"])
def test_what_xero_does_not_know(kind: Kind) -> None:
    assert found(put(kind), None) == [("status", "AUTHORISED", "not in Xero")]
    assert found(put(kind, ended=True), None) == []


def test_what_is_known_to_be_gone() -> None:
    gone = {**SHOWN, "Status": "VOIDED"}
    assert found(put(removed=True), gone) == [
        ("status", "AUTHORISED", "VOIDED")
    ]  # by hand: nobody asked for it
    assert found(put(body={}, removed=True), gone) == []
    assert found(put("payment", PAYMENT, removed=True), {**PAID, "Status": "DELETED"}) == []


def test_what_salesbinder_took_back_may_be_there_or_not() -> None:
    assert found(put(ended=True), {**SHOWN, "Status": "VOIDED"}) == []
    assert found(put(ended=True), SHOWN) == []  # others may have put something on it


def test_what_we_removed_and_xero_still_shows() -> None:
    assert found(put(body={**SENT, "Status": "VOIDED"}), SHOWN) == [("status", "DELETED", "AUTHORISED")]


CONTACT: dict[str, Any] = {
    "ContactID": "c-1",
    "ContactStatus": "ACTIVE",
    "Name": "Widgets",
    "EmailAddress": "a@example.com",
    "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "123", "PhoneAreaCode": ""}],
    "Addresses": [{"AddressType": "POBOX", "AddressLine1": "1 Road", "City": "", "AttentionTo": "Ann"}],
}
FIELDS = {
    "name": "Widgets",
    "email": "a@example.com",
    "phone": "123",
    "fax": "",
    "website": "https://widgets.example.com",
    "billing": {"AddressLine1": "1 Road"},
    "shipping": {},
}


@pytest.mark.parametrize(
    ("changed", "differences"),
    [
        ({}, []),
        ({"Name": "Widgets Ltd"}, [("name", "Widgets", "Widgets Ltd")]),
        ({"EmailAddress": None}, [("email", "a@example.com", "")]),
        (
            {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "123", "PhoneAreaCode": "09"}]},
            [("phone", "123", "09 123")],
        ),
        (
            {"Addresses": [{"AddressType": "POBOX", "AddressLine1": "1 Road", "City": "Bath"}]},
            [("billing", "1 Road", "1 Road, Bath")],
        ),
        ({"ContactStatus": "ARCHIVED"}, [("status", "ACTIVE", "ARCHIVED")]),
        ({"ContactStatus": "ARCHIVED", "MergedToContactID": "c-9"}, [("merged", "c-1", "c-9")]),
        (
            {"Phones": [*CONTACT["Phones"], {"PhoneType": "FAX", "PhoneNumber": "5"}]},
            [],
        ),  # blank in SalesBinder
    ],
)
def test_contact(changed: dict[str, Any], differences: list[tuple[str, str, str]]) -> None:
    assert found(put("contact", {}, sent=FIELDS), {**CONTACT, **changed}) == differences


def test_shared_contact_may_have_what_either_side_sent() -> None:
    other = Link(StepKey("contact", "supplier/s"), "c-1", facts={"sent": {**FIELDS, "phone": "456"}})
    shown = {**CONTACT, "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "456"}]}
    assert found(put("contact", {}, sent=FIELDS), shown, rivals=[other]) == []
    third = {**CONTACT, "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "789"}]}
    assert found(put("contact", {}, sent=FIELDS), third, rivals=[other]) == [("phone", "123", "789")]


def test_bodies_add_up() -> None:
    bodies = [{"Date": "2026-03-02", "Status": "DRAFT"}, None, {"Status": "AUTHORISED"}]
    assert merged(bodies) == {"Date": "2026-03-02", "Status": "AUTHORISED"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("/Date(1772409600000+0000)/", NOW),
        ("2026-03-02T00:00:00", NOW),
        ("soon", None),
        (None, None),
    ],
)
def test_time_of_the_last_change(text: str | None, moment: datetime | None) -> None:
    assert updated({"UpdatedDateUTC": text}) == moment


@pytest.mark.parametrize(
    ("kind", "field", "status", "information", "setting", "proposed"),
    [
        ("invoice", "total", "DRAFT", False, "refuse", ("resend", "")),
        ("invoice", "total", "AUTHORISED", False, "push", ("resend", "")),
        (
            "invoice",
            "total",
            "AUTHORISED",
            False,
            "refuse",
            ("resend", "fails while edit_authorised is refuse"),
        ),
        (
            "invoice",
            "amount_due",
            "AUTHORISED",
            False,
            "push",
            ("follows", "comes right with payments and amounts"),
        ),
        ("invoice", "status", "VOIDED", False, "push", ("adopt", "what was taken out of Xero stays out")),
        ("invoice", "credit", "PAID", True, "push", ("adopt", "nothing of ours was changed")),
        ("purchase_order", "date", "AUTHORISED", False, "refuse", ("resend", "")),
        ("purchase_order", "date", "BILLED", False, "refuse", ("adopt", "the order is billed")),
        ("bill", "total", "AUTHORISED", False, "push", ("adopt", "put it right in Xero by hand")),
        ("payment", "status", "DELETED", False, "refuse", ("resend", "")),
        ("payment", "amount", "AUTHORISED", False, "refuse", ("adopt", "look at it in Xero")),
        ("payment", "status", "", False, "refuse", ("adopt", "look at it in Xero")),
        ("contact", "phone", "ACTIVE", False, "refuse", ("resend", "")),
        ("contact", "status", "ARCHIVED", False, "refuse", ("adopt", "restore it in Xero")),
    ],
)
def test_proposals(
    kind: str, field: str, status: str, information: bool, setting: str, proposed: tuple[str, str]
) -> None:
    row = {"kind": kind, "field": field, "xero_status": status, "information": information}
    assert proposal(row, setting) == proposed


def written(user: str, day: int, changes: str = "Edited", **other: Any) -> dict[str, Any]:
    """A line of Xero's history."""
    at = datetime(2026, 3, day, 9, tzinfo=UTC)
    return {
        "User": user,
        "Changes": changes,
        "DateUTC": f"/Date({int(at.timestamp()) * 1000}+0000)/",
        **other,
    }


@pytest.mark.parametrize(
    ("lines", "name", "day"),
    [
        ([written("Ann", 2), written("Bo", 4), written("Cy", 3)], "Bo", 4),
        ([written("System Generated", 9), written("Ann", 2)], "Ann", 2),
        ([written("Ann", 2), written("Bo", 4, "Note")], "Ann", 2),
        ([written("System Generated", 9)], "", None),
        ([written("", 9), {"Changes": "Edited"}], "", None),
        ([{"User": "Ann", "DateUTCString": "2026-03-05T09:00:00"}], "Ann", 5),
        ([{"User": "Ann", "DateUTC": "soon"}], "", None),
        ([], "", None),
    ],
)
def test_the_newest_change_of_a_person_counts(
    lines: list[dict[str, Any]], name: str, day: int | None
) -> None:
    at = None if day is None else datetime(2026, 3, day, 9, tzinfo=UTC)
    assert last_person(lines) == (name, at)

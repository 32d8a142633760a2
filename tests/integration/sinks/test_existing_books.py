"""An organisation that was there before us: nothing of its own is overwritten that should not be."""

import copy
from typing import Any

import pytest

from tests.integration.sinks.purchases import bills_in, happened, order
from tests.integration.sinks.shops import Maker, Shop
from tests.integration.sinks.test_contacts import FULL

OWN = {
    "AccountNumber": "A-1",
    "FirstName": "Ann",
    "LastName": "Lee",
    "TaxNumber": "GB 123",
    "CompanyNumber": "C 77",
    "BankAccountDetails": "01-0123-0123456-00",
    "EmailAddress": "own@xero.example",
    "DefaultCurrency": "USD",
    "SalesDefaultAccountCode": "200",
    "PurchasesDefaultAccountCode": "300",
    "AccountsReceivableTaxType": "OUTPUT",
    "Phones": [
        {"PhoneType": "DEFAULT", "PhoneNumber": "111", "PhoneAreaCode": "04", "PhoneCountryCode": "64"},
        {"PhoneType": "FAX", "PhoneNumber": "112"},
        {"PhoneType": "MOBILE", "PhoneNumber": "222"},
        {"PhoneType": "DDI", "PhoneNumber": "333"},
    ],
    "Addresses": [
        {"AddressType": "POBOX", "AddressLine1": "Old", "AddressLine3": "Door 3", "AttentionTo": "Ann"},
        {"AddressType": "STREET", "AddressLine1": "Old dock", "City": "Port", "AttentionTo": "Bob"},
    ],
    "ContactPersons": [{"FirstName": "Bob", "LastName": "Smith", "EmailAddress": "bob@xero.example"}],
}
AWKWARD = [
    'O\'Brien "Best" & Sons, 100%',
    'x" OR Name=="y',
    '"',
    "back\\slash\\",
    "A;B|C && D || E == F AND G",
    "C++ / C# (R&D) [x] {y} %20 + ?",
    "株式会社テスト",
    "Ärger, Öl & Über GmbH",
    "İstanbul Ticaret",
    "😀 Emoji Ltd",
    "Straße 9",
    "null",
]


def by_hand(books: Shop, name: str, **more: Any) -> Any:
    """A contact as somebody has kept it in Xero for years."""
    return books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": name, **copy.deepcopy(OWN), **more}]})


def own_invoice(books: Shop, kind: str, number: str, name: str) -> None:
    """An invoice or bill of 54.00 that somebody has written in Xero."""
    taxed = {"AccountCode": "200", "TaxType": "OUTPUT"}
    if kind == "ACCPAY":
        taxed = {"AccountCode": "300", "TaxType": "INPUT"}
    body = {
        "Type": kind,
        "InvoiceNumber": number,
        "Contact": {"Name": name},
        "Status": "AUTHORISED",
        "Date": "2026-03-01",
        "DueDate": "2026-03-31",
        "LineItems": [{"Description": "By hand", "Quantity": 1, "UnitAmount": 50, **taxed}],
    }
    books.by_hand("PUT", "Invoices", {"Invoices": [body]})


def contact(books: Shop, contact_id: str) -> dict[str, Any]:
    [found] = [c for c in books.books["contacts"] if c["id"] == contact_id]
    return dict(found)


async def test_first_day_with_contacts_and_numbers_of_its_own(books: Shop, make: Maker) -> None:
    ids = {name: by_hand(books, name)["ContactID"] for name in ("Widgets", "Northern Parts", "Nobody")}
    own_invoice(books, "ACCREC", "5001", "Widgets")
    own_invoice(books, "ACCPAY", "701", "Northern Parts")
    before = {name: contact(books, key) for name, key in ids.items()}
    invoices = [dict(each) for each in books.books["invoices"]]
    widgets, parts = make.customer("Widgets"), make.customer("Northern Parts", office_phone="9")
    purchase = order(make, 701, customer=parts)
    events = [
        make.created(make.document(widgets, 5001)),
        make.created(make.document(widgets, 5002)),
        happened(make, "created", purchase),
        happened(make, "received", purchase),
    ]
    assert await books.run(*events) == ["number_taken", "posted", "posted", "posted"]
    assert books.books["invoices"][:2] == invoices
    assert [bill["total"] for bill in bills_in(books)] == ["54.00", "108.00"]
    assert books.invoice("5002")["contact_id"] == ids["Widgets"]
    assert contact(books, ids["Nobody"]) == before["Nobody"]
    assert contact(books, ids["Widgets"]) == before["Widgets"] | {"contact_number": widgets["id"]}
    phones = dict(before["Northern Parts"]["phones"])
    phones["DEFAULT"] = {"PhoneNumber": "9", "PhoneAreaCode": "", "PhoneCountryCode": ""}
    assert contact(books, ids["Northern Parts"]) == before["Northern Parts"] | {
        "contact_number": parts["id"],
        "phones": phones,
    }


async def test_match_with_every_field_leaves_what_salesbinder_does_not_have(books: Shop, make: Maker) -> None:
    contact_id = by_hand(books, "Widgets")["ContactID"]
    before = contact(books, contact_id)
    await books.run(make.contact("created", make.customer("Widgets", **FULL)))
    after = contact(books, contact_id)
    assert {k: v for k, v in after["texts"].items() if k != "EmailAddress"} == {
        k: v for k, v in before["texts"].items() if k != "EmailAddress"
    }
    assert (after["persons"], after["phones"]["MOBILE"], after["phones"]["DDI"]) == (
        before["persons"],
        before["phones"]["MOBILE"],
        before["phones"]["DDI"],
    )
    assert {kind: address["AttentionTo"] for kind, address in after["addresses"].items()} == {
        "POBOX": "Ann",
        "STREET": "Bob",
    }


async def test_number_of_another_program_stays_on_a_match(books: Shop, make: Maker) -> None:
    contact_id = by_hand(books, "Widgets", ContactNumber="CRM-7")["ContactID"]
    customer = make.customer("Widgets", office_phone="9")
    assert await books.run(make.contact("created", customer)) == ["posted"]
    assert await books.run(make.changed(customer, office_phone="10")) == ["posted"]
    found = contact(books, contact_id)
    assert (found["contact_number"], found["phones"]["DEFAULT"]["PhoneNumber"]) == ("CRM-7", "10")


async def test_address_that_is_cleared_keeps_who_it_was_for(books: Shop, make: Maker) -> None:
    contact_id = by_hand(books, "Widgets")["ContactID"]
    customer = make.customer("Widgets", billing_city="Bern")
    await books.run(make.contact("created", customer))
    assert await books.run(make.changed(customer, billing_city="")) == ["posted"]
    address = contact(books, contact_id)["addresses"]["POBOX"]
    assert (address["City"], address["AttentionTo"]) == ("", "Ann")


async def test_names_with_signs_that_queries_use_are_found(books: Shop, make: Maker) -> None:
    """All at once, so that they are looked up together where they can be."""
    ids = {name: by_hand(books, name)["ContactID"] for name in (*AWKWARD, 'O"Brien', 'Brien "Best"')}
    customers = {name: make.customer(name, office_phone=str(place)) for place, name in enumerate(AWKWARD)}
    created = [make.contact("created", customer) for customer in customers.values()]
    assert await books.run(*created) == ["posted"] * len(AWKWARD)
    assert len(books.books["contacts"]) == len(ids)
    assert {name: contact(books, ids[name])["contact_number"] for name in AWKWARD} == {
        name: customer["id"] for name, customer in customers.items()
    }


@pytest.mark.parametrize(
    "name", [" Widgets  &\tCo ", "WIDGETS & CO", "Wídgets & Cô", "Widgets\u00a0& Co\x00"]
)
async def test_blanks_case_accents_and_control_characters_make_no_other_name(
    books: Shop, make: Maker, name: str
) -> None:
    contact_id = by_hand(books, "Widgets & Co")["ContactID"]
    customer = make.customer(name)
    assert await books.run(make.contact("created", customer)) == ["posted"]
    assert contact(books, contact_id)["contact_number"] == customer["id"]


async def test_look_up_that_xero_refuses_fails_and_is_not_repeated(books: Shop, make: Maker) -> None:
    by_hand(books, "Widgets")
    created = make.contact("created", make.customer("Widgets"))
    books.xero.admin.fault("error_before", method="GET", path="^Contacts", status=400, times=3)
    try:
        assert await books.run(created) == ["xero_refused"]
    finally:
        books.xero.admin.clear_faults()
    assert [call for call in books.calls() if "Contacts" in call] == ["PUT Contacts", "GET Contacts"]
    assert await books.retry(created) == ["posted"]


@pytest.mark.parametrize("name", ["", "  ", "\x01\x02", "x" * 256, "A <b>"])
async def test_name_that_cannot_be_stops_the_document_and_says_so(
    books: Shop, make: Maker, name: str
) -> None:
    customer = make.customer(name)
    created = [make.contact("created", customer), make.created(make.document(customer, 1))]
    assert await books.run(*created) == ["contact_name_invalid"] * 2
    assert (books.books["contacts"], books.books["invoices"]) == ([], [])

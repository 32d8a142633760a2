"""Records of a customer that do not tell all: what they do not name stays as it was."""

from typing import Any

import pytest

from tests.integration.sinks.purchases import happened, order
from tests.integration.sinks.shops import Maker, Shop

FULL: dict[str, Any] = {
    "customer_number": 101,
    "office_email": "a@full.example",
    "office_phone": "123",
    "office_fax": "456",
    "url": "www.full.example",
    "billing_address_1": "1 Main St",
    "billing_address_2": "",
    "billing_city": "Town",
    "billing_region": "BC",
    "billing_postal_code": "V5K",
    "billing_country": "Canada",
    "shipping_address_1": "2 Dock Rd",
    "shipping_address_2": "",
    "shipping_city": "Port",
    "shipping_region": "",
    "shipping_postal_code": "",
    "shipping_country": "Canada",
}


def thin(customer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The customer as documents of other programs carry it."""
    return {"id": customer["id"], "name": customer["name"], "customer_number": 101, **more}


def is_full(contact: dict[str, Any]) -> bool:
    """True when all that ``FULL`` says is there."""
    phones, addresses = contact["phones"], contact["addresses"]
    return (
        contact["email"] == "a@full.example"
        and (phones["DEFAULT"]["PhoneNumber"], phones["FAX"]["PhoneNumber"]) == ("123", "456")
        and (addresses["POBOX"]["AddressLine1"], addresses["POBOX"]["City"]) == ("1 Main St", "Town")
        and (addresses["STREET"]["AddressLine1"], addresses["STREET"]["Country"]) == ("2 Dock Rd", "Canada")
    )


@pytest.mark.parametrize("dated", [False, True])
async def test_thin_customer_of_a_document_clears_nothing(books: Shop, make: Maker, dated: bool) -> None:
    customer = make.customer("Full Customer", **FULL)
    await books.run(make.contact("created", customer))
    make.minute += 5
    party = thin(customer, **({"modified": make.now} if dated else {}))
    assert await books.run(make.created(make.document(party, 1))) == ["posted"]
    assert is_full(books.contact("Full Customer"))
    assert [call for call in books.calls() if call == "POST Contacts"] == []


async def test_thin_supplier_of_an_order_clears_nothing(books: Shop, make: Maker) -> None:
    supplier = make.customer("Full Customer", **FULL)
    await books.run(make.contact("created", supplier, "supplier"))
    make.minute += 5
    document = order(make, customer=thin(supplier, modified=make.now))
    assert await books.run(happened(make, "created", document)) == ["posted"]
    assert is_full(books.contact("Full Customer"))


async def test_thin_customer_without_a_date_never_changes_a_linked_one(books: Shop, make: Maker) -> None:
    customer = make.customer("Full Customer", **FULL)
    await books.run(make.contact("created", customer))
    make.minute += 5
    party = thin({**customer, "name": "Renamed by a document"}, office_email="other@full.example")
    assert await books.run(make.created(make.document(party, 1))) == ["posted"]
    assert is_full(books.contact("Full Customer"))
    assert books.invoice("1")["contact_name"] == "Full Customer"


async def test_thin_customer_without_a_date_makes_a_contact_that_a_full_one_then_fills(
    books: Shop, make: Maker
) -> None:
    customer = make.customer("Full Customer", **FULL)
    make.minute += 5
    assert await books.run(make.created(make.document(thin(customer), 1))) == ["posted"]
    assert books.contact("Full Customer")["email"] == ""
    assert await books.run(make.contact("created", customer)) == ["posted"]
    assert is_full(books.contact("Full Customer"))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_thin_newest_snapshot_does_not_hide_a_full_one(
    books: Shop, make: Maker, order: tuple[int, int]
) -> None:
    """At once, so that both are merged and the contact is made of one snapshot."""
    customer = make.customer("Full Customer", **FULL)
    full = make.contact("created", customer)
    make.minute += 1
    events = [full, make.contact("edited", thin({**customer, "name": "Thin Customer"}, modified=make.now))]
    await books.run(*(events[place] for place in order))
    assert is_full(books.contact("Thin Customer"))


async def test_older_full_snapshot_that_comes_late_brings_what_nothing_newer_told(
    books: Shop, make: Maker
) -> None:
    customer = make.customer("Old Name", **FULL)
    full = make.contact("created", customer)
    make.minute += 1
    newer = make.contact("edited", thin({**customer, "name": "New Name"}, modified=make.now, office_fax=""))
    assert await books.run(newer) == ["posted"]
    assert await books.run(full) == ["posted"]
    contact = books.contact("New Name")
    assert contact["email"] == "a@full.example"
    assert contact["addresses"]["POBOX"]["City"] == "Town"
    assert "FAX" not in contact["phones"]


async def test_absent_is_kept_and_null_and_blank_are_cleared(books: Shop, make: Maker) -> None:
    customer = make.customer("Full Customer", **FULL)
    await books.run(make.contact("created", customer))
    make.minute += 1
    edit = make.contact("edited", thin(customer, modified=make.now, office_fax=None, office_email=""))
    assert await books.run(edit) == ["posted"]
    contact = books.contact("Full Customer")
    assert (contact["email"], contact["phones"]["FAX"]["PhoneNumber"]) == ("", "")
    assert contact["phones"]["DEFAULT"]["PhoneNumber"] == "123"
    assert contact["addresses"]["POBOX"]["AddressLine1"] == "1 Main St"


async def test_parts_of_an_address_that_are_absent_keep_what_was_said(books: Shop, make: Maker) -> None:
    customer = make.customer("Full Customer", **FULL)
    await books.run(make.contact("created", customer))
    make.minute += 1
    edit = make.contact("edited", thin(customer, modified=make.now, billing_city="Village", shipping_city=""))
    assert await books.run(edit) == ["posted"]
    addresses = books.contact("Full Customer")["addresses"]
    assert [addresses["POBOX"][part] for part in ("AddressLine1", "City", "Region", "PostalCode")] == [
        "1 Main St",
        "Village",
        "BC",
        "V5K",
    ]
    assert (addresses["STREET"]["AddressLine1"], addresses["STREET"]["City"]) == ("2 Dock Rd", "")


async def test_parts_of_an_address_that_were_never_said_stay_as_in_xero(books: Shop, make: Maker) -> None:
    old = {"AddressType": "POBOX", "AddressLine1": "Old", "AddressLine3": "Floor 3", "City": "Oldtown"}
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Kept", "Addresses": [old]}]})
    customer = make.customer("Kept", billing_city="Newtown")
    assert await books.run(make.contact("created", customer)) == ["posted"]
    address = books.contact("Kept")["addresses"]["POBOX"]
    assert [address[part] for part in ("AddressLine1", "AddressLine3", "City")] == [
        "Old",
        "Floor 3",
        "Newtown",
    ]
    assert await books.run(make.changed(customer, billing_region="BC")) == ["posted"]
    address = books.contact("Kept")["addresses"]["POBOX"]
    assert [address[part] for part in ("AddressLine1", "City", "Region")] == ["Old", "Newtown", "BC"]
    assert await books.run(make.changed(customer, billing_address_1="")) == ["already_there"]


@pytest.mark.parametrize("name", ["Full Customer", "Renamed before"])
async def test_a_dated_record_is_newer_than_an_undated_one_that_came_before_it(
    books: Shop, make: Maker, name: str
) -> None:
    customer = make.customer("Full Customer", **FULL)
    make.minute += 30
    await books.run(make.created(make.document(thin(customer), 1)))
    record = {**customer, "name": name}  # changed before the document was made, told after it
    assert await books.run(make.contact("created", record)) == ["posted"]
    assert is_full(books.contact(name))

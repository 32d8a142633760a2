"""Customers and suppliers: linked once, then kept equal field by field."""

import json
from typing import Any

import pytest

from tests.integration.sinks.shops import Maker, Shop

FULL = {
    "office_email": "hello@widgets.example",
    "office_phone": "555 0100",
    "office_fax": "555 0199",
    "url": "https://widgets.example",
    "billing_address_1": "1 Main Street",
    "billing_city": "Springfield",
    "billing_country": "USA",
    "shipping_address_1": "2 Dock Road",
    "shipping_city": "Shelbyville",
}


def existing(name: str, **more: Any) -> dict[str, Any]:
    """A contact as somebody keeps it in Xero."""
    return {
        "Name": name,
        "AccountNumber": "A-1",
        "EmailAddress": "old@widgets.example",
        "Phones": [
            {"PhoneType": "DEFAULT", "PhoneNumber": "111", "PhoneAreaCode": "04"},
            {"PhoneType": "MOBILE", "PhoneNumber": "222"},
        ],
        "Addresses": [
            {"AddressType": "POBOX", "AddressLine1": "Old", "City": "Oldtown", "AttentionTo": "Ann"},
            {"AddressType": "STREET", "AddressLine1": "Old dock"},
        ],
        "ContactPersons": [{"FirstName": "Bob", "LastName": "Smith"}],
        **more,
    }


async def test_created_makes_a_contact_with_all_seven_fields(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", **FULL)
    created = make.contact("created", customer)
    assert await books.run(created) == ["posted"]
    contact = books.contact("Widgets & Co")
    assert contact["contact_number"] == customer["id"]
    assert contact["email"] == "hello@widgets.example"
    assert contact["phones"]["DEFAULT"]["PhoneNumber"] == "555 0100"
    assert contact["phones"]["FAX"]["PhoneNumber"] == "555 0199"
    assert contact["addresses"]["POBOX"]["AddressLine1"] == "1 Main Street"
    assert contact["addresses"]["STREET"]["City"] == "Shelbyville"
    entry = await books.entry(created)
    assert (entry["xero_type"], entry["xero_id"]) == ("contact", contact["id"])


async def test_supplier_is_a_contact_too(books: Shop, make: Maker) -> None:
    supplier = make.customer("Bolts Ltd")
    assert await books.run(make.contact("created", supplier, "supplier")) == ["posted"]
    assert books.contact("Bolts Ltd")["contact_number"] == supplier["id"]


async def test_edit_pushes_all_and_clears_what_we_had_sent(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", **FULL)
    await books.run(make.contact("created", customer))
    by_hand = {"ContactID": books.contact("Widgets & Co")["id"], "EmailAddress": "changed@xero.example"}
    books.by_hand("POST", "Contacts", {"Contacts": [by_hand]})
    edit = make.changed(customer, name="Widgets Inc", office_fax="", shipping_address_1="", shipping_city="")
    assert await books.run(edit) == ["posted"]
    contact = books.contact("Widgets Inc")
    assert contact["email"] == "hello@widgets.example"
    assert contact["phones"]["FAX"]["PhoneNumber"] == ""
    assert contact["addresses"]["STREET"]["AddressLine1"] == ""
    assert contact["addresses"]["POBOX"]["AddressLine1"] == "1 Main Street"


async def test_edit_that_changes_nothing_costs_no_call(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", **FULL)
    await books.run(make.contact("created", customer))
    before = books.calls()
    assert await books.run(make.changed(customer, customer_number=77)) == ["already_there"]
    assert books.calls() == before


async def test_field_never_sent_stays_as_it_is(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    contact_id = books.contact("Widgets & Co")["id"]
    books.by_hand(
        "POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "EmailAddress": "a@b.example"}]}
    )
    assert await books.run(make.changed(customer, office_phone="1")) == ["posted"]
    assert books.contact("Widgets & Co")["email"] == "a@b.example"


async def test_first_sync_by_name_overwrites_only_what_is_not_blank(books: Shop, make: Maker) -> None:
    books.by_hand("PUT", "Contacts", {"Contacts": [existing("Widgets & Co")]})
    told = {"billing_address_1": "1 Main Street", "billing_city": "", "office_phone": "555 0100"}
    customer = make.customer("Widgets & Co", **told)
    assert await books.run(make.contact("created", customer)) == ["posted"]
    contact = books.contact("Widgets & Co")
    assert contact["contact_number"] == customer["id"]
    assert contact["email"] == "old@widgets.example"
    assert contact["texts"]["AccountNumber"] == "A-1"
    assert contact["persons"][0]["FirstName"] == "Bob"
    assert contact["phones"]["DEFAULT"]["PhoneNumber"] == "555 0100"
    assert contact["phones"]["DEFAULT"]["PhoneAreaCode"] == ""
    assert contact["phones"]["MOBILE"]["PhoneNumber"] == "222"
    assert contact["addresses"]["POBOX"]["AddressLine1"] == "1 Main Street"
    assert contact["addresses"]["POBOX"]["City"] == ""
    assert contact["addresses"]["POBOX"]["AttentionTo"] == "Ann"
    assert contact["addresses"]["STREET"]["AddressLine1"] == "Old dock"


async def test_name_that_xero_calls_the_same_is_a_match(books: Shop, make: Maker) -> None:
    books.by_hand("PUT", "Contacts", {"Contacts": [existing('Café "Ole" \\ Co')]})
    customer = make.customer('cafe "ole" \\ co')
    assert await books.run(make.contact("created", customer)) == ["posted"]
    assert books.contact('cafe "ole" \\ co')["contact_number"] == customer["id"]


async def test_contact_number_counts_before_the_name(books: Shop, make: Maker) -> None:
    """A contact of another name bears our number, and one of our name has none."""
    customer = make.customer("Widgets & Co")
    books.by_hand("PUT", "Contacts", {"Contacts": [existing("Widgets old", ContactNumber=customer["id"])]})
    assert await books.run(make.contact("created", customer)) == ["posted"]
    assert books.contact("Widgets & Co")["texts"]["AccountNumber"] == "A-1"


async def test_contact_of_our_number_cannot_take_a_name_that_is_taken(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    contacts = [existing("Widgets old", ContactNumber=customer["id"]), existing("Widgets & Co")]
    for contact in contacts:
        books.by_hand("PUT", "Contacts", {"Contacts": [contact]})
    created = make.contact("created", customer)
    assert await books.run(created) == ["contact_name_taken"]


async def test_archived_namesake_does_not_count(books: Shop, make: Maker) -> None:
    old = books.by_hand("PUT", "Contacts", {"Contacts": [existing("Widgets & Co")]})
    archived = {"ContactID": old["ContactID"], "ContactStatus": "ARCHIVED"}
    books.by_hand("POST", "Contacts", {"Contacts": [archived]})
    customer = make.customer("Widgets & Co")
    assert await books.run(make.contact("created", customer)) == ["posted"]
    named = [c for c in books.books["contacts"] if c["name"] == "Widgets & Co"]
    assert [(c["status"], c["contact_number"] == customer["id"]) for c in named] == [
        ("ARCHIVED", False),
        ("ACTIVE", True),
    ]


async def test_name_that_is_freed_while_we_look_is_taken(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    taken = "The contact name Widgets & Co is already assigned to another contact."
    element = {"ContactNumber": customer["id"], "ValidationErrors": [{"Message": taken}]}
    refused = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "…", "Elements": [element]}
    books.xero.admin.fault("answer", method="PUT", path="Contacts", value=json.dumps(refused))
    assert await books.run(make.contact("created", customer)) == ["posted"]

    other = make.customer("Bolts Ltd")
    element = {"ContactNumber": other["id"], "ValidationErrors": [{"Message": taken}]}
    refused["Elements"] = [element]
    books.xero.admin.fault("answer", method="PUT", path="Contacts", value=json.dumps(refused), times=2)
    assert await books.run(make.contact("created", other)) == ["contact_name_unseen"]


async def test_rename_to_a_name_that_is_taken_fails(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    books.by_hand("PUT", "Contacts", {"Contacts": [existing("Bolts Ltd")]})
    assert await books.run(make.changed(customer, name="Bolts Ltd")) == ["contact_name_taken"]
    assert books.contact("Widgets & Co")["contact_number"] == customer["id"]
    assert await books.run(make.changed(customer, name="Bolts Inc")) == ["posted"]
    assert [end for _, _, end in await books.log()] == ["posted", "superseded", "posted"]


@pytest.mark.parametrize("way", ["merged into it", "merged into ours", "renamed by hand"])
async def test_rename_to_a_taken_name_works_once_the_other_gives_way(
    books: Shop, make: Maker, way: str
) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    other = books.by_hand("PUT", "Contacts", {"Contacts": [existing("Bolts Ltd")]})["ContactID"]
    ours = books.contact("Widgets & Co")["id"]
    rename = make.changed(customer, name="Bolts Ltd", office_phone="7")
    assert await books.run(rename) == ["contact_name_taken"]
    if way == "renamed by hand":
        books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": other, "Name": "Bolts of old"}]})
    else:
        source, into = (ours, other) if way == "merged into it" else (other, ours)
        books.seed(merge={"source": source, "into": into})
    assert await books.retry(rename) == ["posted"]
    [living] = [c for c in books.books["contacts"] if c["name"] == "Bolts Ltd" and c["status"] == "ACTIVE"]
    assert living["phones"]["DEFAULT"]["PhoneNumber"] == "7"


async def test_archived_contact_fails_until_it_is_restored(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    contact_id = books.contact("Widgets & Co")["id"]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "ContactStatus": "ARCHIVED"}]})
    edit = make.changed(customer, office_phone="1")
    assert await books.run(edit) == ["contact_archived"]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "ContactStatus": "ACTIVE"}]})
    assert await books.retry(edit) == ["posted"]


async def test_merged_contact_is_followed(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", billing_city="Springfield")
    await books.run(make.contact("created", customer))
    other = books.by_hand("PUT", "Contacts", {"Contacts": [existing("Widgets Inc")]})
    books.seed(merge={"source": books.contact("Widgets & Co")["id"], "into": other["ContactID"]})
    assert await books.run(make.changed(customer, office_phone="555 0100")) == ["posted"]
    contact = next(c for c in books.books["contacts"] if c["id"] == other["ContactID"])
    assert contact["phones"]["DEFAULT"]["PhoneNumber"] == "555 0100"


async def test_two_new_customers_of_one_name_share_a_contact(books: Shop, make: Maker) -> None:
    one, two = make.customer("Widgets & Co", office_phone="1"), make.customer("Widgets & Co", office_fax="2")
    first, second = make.contact("created", one), make.contact("created", two)
    assert await books.run(first, second) == ["posted", "posted"]
    assert "contact_shared" in await books.warnings(first) + await books.warnings(second)
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "1"
    edit = make.changed(two, office_email="two@widgets.example")
    assert await books.run(edit) == ["posted"]
    assert await books.warnings(edit) == ["contact_shared"]


async def test_shared_contact_takes_from_each_side_only_what_it_changed(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_phone="1", office_email="one@widgets.example")
    supplier = make.customer("Widgets & Co", office_phone="2")
    await books.run(make.contact("created", customer))
    assert await books.run(make.contact("created", supplier, "supplier")) == ["posted"]
    assert await books.run(make.changed(customer, office_email="new@widgets.example")) == ["posted"]
    contact = books.contact("Widgets & Co")
    assert (contact["email"], contact["phones"]["DEFAULT"]["PhoneNumber"]) == ("new@widgets.example", "2")


async def test_deleted_customer_stays_in_xero(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    assert await books.run(make.contact("deleted", customer)) == ["not_needed"]
    assert books.contact("Widgets & Co")["status"] == "ACTIVE"


async def test_newest_modified_wins(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_phone="1")
    old = make.contact("created", customer)
    new = make.changed(customer, office_phone="2")
    assert await books.run(new) == ["posted"]
    assert await books.run(old) == ["superseded"]
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "2"


async def test_what_xero_cannot_hold_is_left_out_with_a_warning(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_email="nobody", billing_country="Côte d'Ivoire")
    created = make.contact("created", customer)
    assert await books.run(created) == ["posted"]
    assert await books.warnings(created) == ["email_left_out", "country_changed"]


async def test_name_that_xero_cannot_hold_fails_until_it_is_corrected(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets <Co>")
    created = make.contact("created", customer)
    assert await books.run(created) == ["contact_name_invalid"]
    assert await books.run(make.changed(customer, name="Widgets Co")) == ["posted"]
    assert await books.end(created) == "superseded"

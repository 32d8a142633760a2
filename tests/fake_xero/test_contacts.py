"""Facts about contacts (reference §1.2, §6)."""

from typing import Any

import pytest

from .client import Xero, invoice, messages

TAKEN = (
    "The contact name {} is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)
ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)


def test_put_refuses_a_name_that_an_active_contact_has(xero: Xero, contact_id: str) -> None:
    assert messages(xero.put("contacts", {"Name": "Widgets & Co"})) == [TAKEN.format("Widgets & Co")]


def test_names_compare_without_case_and_accents(xero: Xero) -> None:
    xero.put("contacts", {"Name": "Café Zürich"})
    assert messages(xero.put("contacts", {"Name": "CAFE ZURICH"})) == [TAKEN.format("CAFE ZURICH")]


def test_put_refuses_a_number_that_another_contact_has(xero: Xero, contact_id: str) -> None:
    refused = xero.put("contacts", {"Name": "Another", "ContactNumber": "sb-1"})
    assert messages(refused) == [
        "Another contact has this contact number. Please enter a different contact number."
    ]


def test_an_archived_namesake_does_not_count(xero: Xero, contact_id: str) -> None:
    xero.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})
    assert xero.put("contacts", {"Name": "Widgets & Co"})["ContactID"] != contact_id


@pytest.mark.parametrize(
    "element", [{"ContactNumber": "sb-1", "Name": "Renamed"}, {"Name": "widgets & co", "AccountNumber": "A"}]
)
def test_post_updates_the_contact_of_that_number_or_name(
    xero: Xero, contact_id: str, element: dict[str, Any]
) -> None:
    assert xero.post("contacts", element)["ContactID"] == contact_id


def test_post_prefers_the_number_over_the_name(xero: Xero, contact_id: str) -> None:
    xero.put("contacts", {"Name": "Other", "ContactNumber": "sb-2"})
    found = xero.post("contacts", {"ContactNumber": "sb-1", "Name": "Other"})
    assert messages(found) == [TAKEN.format("Other")]


def test_an_update_keeps_what_it_does_not_name(xero: Xero, contact_id: str) -> None:
    xero.update("contacts", contact_id, {"EmailAddress": "a@widgets.example", "TaxNumber": "T"})
    changed = xero.update("contacts", contact_id, {"TaxNumber": ""})
    assert (changed["EmailAddress"], changed["TaxNumber"], changed["Name"]) == (
        "a@widgets.example",
        "",
        "Widgets & Co",
    )


def test_phones_and_addresses_are_one_per_type(xero: Xero, contact_id: str) -> None:
    for number in ("1", "2"):
        xero.update("contacts", contact_id, {"Phones": [{"PhoneType": "FAX", "PhoneNumber": number}]})
    home = {"AddressType": "STREET", "City": "Vancouver", "Country": "Canada"}
    changed = xero.update("contacts", contact_id, {"Addresses": [home]})
    assert [phone["PhoneNumber"] for phone in changed["Phones"] if phone["PhoneType"] == "FAX"] == ["2"]
    assert [part["City"] for part in changed["Addresses"]] == ["Vancouver", ""]


def test_website_is_read_only(xero: Xero, contact_id: str) -> None:
    assert "Website" not in xero.update("contacts", contact_id, {"Website": "https://widgets.example"})


@pytest.mark.parametrize(
    ("element", "part"),
    [
        ({"Name": "a<b"}, "< or >"),
        ({"Name": " Blank"}, "spaces"),
        ({"Name": "two  blanks"}, "spaces"),
        ({"Name": "x" * 256}, "Name"),
        ({}, "name must be specified"),
        ({"Name": "N", "ContactNumber": "x" * 51}, "ContactNumber"),
        ({"Name": "N", "EmailAddress": "nobody"}, "Email address must be valid."),
        ({"Name": "N", "EmailAddress": "jörg@x.example"}, "Email address must be valid."),
        ({"Name": "N", "Addresses": [{"AddressType": "POBOX", "Country": "Türkiye"}]}, "A-Z"),
        ({"Name": "N", "Addresses": [{"AddressType": "POBOX", "AddressLine1": "x" * 501}]}, "AddressLine1"),
        ({"Name": "N", "Phones": [{"PhoneType": "FAX", "PhoneNumber": "1" * 51}]}, "PhoneNumber"),
        ({"Name": "N", "Phones": [{"PhoneType": "FAX", "PhoneAreaCode": "1" * 11}]}, "PhoneAreaCode"),
        ({"Name": "N", "Phones": [{"PhoneType": "FAX", "PhoneCountryCode": "1" * 21}]}, "PhoneCountryCode"),
        ({"Name": "N", "Addresses": [{"AddressType": "POBOX", "City": "x" * 256}]}, "City"),
        ({"Name": "N", "Addresses": [{"AddressType": "POBOX", "Region": "x" * 256}]}, "Region"),
        ({"Name": "N", "Addresses": [{"AddressType": "POBOX", "AttentionTo": "x" * 256}]}, "AttentionTo"),
        ({"Name": "N", "Addresses": [{"AddressType": "STREET", "PostalCode": "x" * 51}]}, "PostalCode"),
        ({"Name": "N", "Addresses": [{"AddressType": "STREET", "Country": "x" * 51}]}, "Country"),
        ({"Name": "N", "AccountNumber": "x" * 51}, "AccountNumber"),
        ({"Name": "N", "TaxNumber": "x" * 51}, "TaxNumber"),
        ({"Name": "N", "CompanyNumber": "x" * 51}, "CompanyNumber"),
        ({"Name": "N", "FirstName": "x" * 256}, "FirstName"),
        ({"Name": "N", "LastName": "x" * 256}, "LastName"),
        ({"Name": "N", "EmailAddress": "x" * 250 + "@x.example"}, "EmailAddress"),
        ({"Name": "N", "ContactPersons": [{"FirstName": "a"}] * 6}, "at most 5"),
    ],
)
def test_field_rules(xero: Xero, element: dict[str, Any], part: str) -> None:
    assert part in messages(xero.put("contacts", element))[0]


def test_a_refused_new_contact_has_an_all_zero_id(xero: Xero) -> None:
    assert xero.put("contacts", {"Name": ""})["ContactID"] == "00000000-0000-0000-0000-000000000000"


def test_an_archived_contact_takes_no_documents_and_no_edits(xero: Xero, contact_id: str) -> None:
    xero.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})
    assert messages(xero.put("invoices", invoice(contact_id))) == [ARCHIVED]
    assert messages(xero.update("contacts", contact_id, {"Name": "New"})) == [ARCHIVED]


def test_an_archived_contact_comes_back_with_status_active(xero: Xero, contact_id: str) -> None:
    xero.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})
    assert xero.update("contacts", contact_id, {"ContactStatus": "ACTIVE"})["ContactStatus"] == "ACTIVE"


def test_lists_leave_archived_contacts_out_unless_asked(xero: Xero, contact_id: str) -> None:
    xero.update("contacts", contact_id, {"ContactStatus": "ARCHIVED"})
    where = 'ContactNumber=="sb-1"'
    assert xero.list("contacts", where=where) == []
    assert [found["ContactID"] for found in xero.list("contacts", where=where, include_archived=True)] == [
        contact_id
    ]


def test_a_merged_contact_shows_where_it_went_when_fetched_by_id(xero: Xero, contact_id: str) -> None:
    into = xero.put("contacts", {"Name": "Into"})["ContactID"]
    made = xero.put("invoices", invoice(contact_id))
    xero.admin.seed(xero.tenant_id, merge={"source": contact_id, "into": into})
    assert xero.get("contacts", contact_id)["MergedToContactID"] == into
    assert "MergedToContactID" not in xero.list("contacts", include_archived=True)[0]
    assert xero.get("invoices", made["InvoiceID"])["Contact"]["ContactID"] == into


def test_documents_make_a_contact_a_customer_or_a_supplier(xero: Xero, contact_id: str) -> None:
    xero.put("invoices", invoice(contact_id))
    found = xero.get("contacts", contact_id)
    assert (found["IsCustomer"], found["IsSupplier"]) == (True, False)


def test_the_sdk_reads_a_contact_into_its_models(xero: Xero, contact_id: str) -> None:
    found = xero.api.get_contact(xero.tenant_id, contact_id).contacts[0]
    assert (found.name, found.contact_number) == ("Widgets & Co", "sb-1")


def test_names_in_a_where_compare_without_case_and_accents(xero: Xero) -> None:
    made = xero.put("contacts", {"Name": "Café Zürich"})["ContactID"]
    assert [found["ContactID"] for found in xero.list("contacts", where='Name=="CAFE zurich"')] == [made]


def test_whether_it_is_a_customer_or_a_supplier_is_read_only(xero: Xero, contact_id: str) -> None:
    changed = xero.update("contacts", contact_id, {"IsCustomer": True, "IsSupplier": True})
    assert (changed["IsCustomer"], changed["IsSupplier"]) == (False, False)


def test_contacts_cannot_be_deleted(xero: Xero, contact_id: str) -> None:
    assert xero.raw("DELETE", f"Contacts/{contact_id}").status in {404, 405}
    assert xero.get("contacts", contact_id)["ContactStatus"] == "ACTIVE"

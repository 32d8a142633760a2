"""Contacts as Xero is sent them: nearest forms, warnings, and what stays untouched."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commands import Address, ContactSnapshot
from contracts.reasons import Refused
from sinks.resolve import ResolvedContact, contact_body, resolve_contact
from tests.unit.resolve.books import CONTACT


def resolve(**fields: Any) -> ResolvedContact:
    return resolve_contact(msgspec.structs.replace(CONTACT, **fields))


def codes(resolved: ResolvedContact) -> list[str]:
    return [each.code for each in resolved.warnings]


def test_all_seven_fields_have_one_normal_form() -> None:
    resolved = resolve(
        name="  Widgets   & Co ",
        email=" accounts@widgets.example ",
        phone="604-555-0101",
        fax="",
        website="www.widgets.example",
        billing=Address(line_1="1  Main St", city="Vancouver", postal_code="V5K 0A1", country="Canada"),
        shipping=Address(line_1=" "),
    )
    assert resolved.fields == {
        "name": "Widgets & Co",
        "phone": "604-555-0101",
        "fax": "",
        "email": "accounts@widgets.example",
        "website": "www.widgets.example",
        "billing": {
            "AddressLine1": "1 Main St",
            "City": "Vancouver",
            "PostalCode": "V5K 0A1",
            "Country": "Canada",
        },
        "shipping": {},
    }
    assert [(made.code, made.text.partition(" was")[0]) for made in resolved.warnings] == [
        ("text_changed", "The name 'Widgets   & Co'"),
        ("text_changed", "The billing address '1  Main St'"),
    ]
    assert msgspec.json.decode(msgspec.json.encode(resolved.wire_fields())) == resolved.fields


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "it is blank"),
        (" \n\t ", "it is blank"),
        ("x" * 256, "it has 256 characters, 255 are allowed"),
        ("a < b", "it contains < or >"),
        ("a > b", "it contains < or >"),
    ],
)
def test_a_name_that_xero_does_not_take_is_refused(name: str, problem: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve(name=name)
    assert (caught.value.code, caught.value.details["problem"]) == ("contact_name_invalid", problem)


@pytest.mark.parametrize("name", ["x" * 255, "Café Élan", 'O\'Neil "Bolt" & Co'])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert resolve(name=name).fields["name"] == name


@pytest.mark.parametrize(
    ("given_country", "sent", "changed"),
    [
        ("Canada", "Canada", False),
        ("New  Zealand", "New Zealand", False),
        ("Côte d'Ivoire", "Cote dIvoire", True),
        ("São Tomé & Príncipe", "Sao Tome Principe", True),
        ("Österreich", "Osterreich", True),
        ("Færøerne", "Faeroerne", True),
        ("U.S.A.", "USA", True),
        ("Guinea-Bissau", "Guinea Bissau", True),
        ("x" * 60, "x" * 50, True),
        ("中国", "", True),
        ("", "", False),
    ],
)
def test_a_country_is_written_in_plain_letters(given_country: str, sent: str, changed: bool) -> None:
    resolved = resolve(billing=Address(country=given_country))
    assert resolved.fields["billing"] == ({"Country": sent} if sent else {})
    assert codes(resolved) == (["country_changed"] if changed else [])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "müller@example.com", "email_left_out"),
        ("email", "two@example.com, three@example.com", "email_left_out"),
        ("email", "nobody", "email_left_out"),
        ("email", "two..dots@example.com", "email_left_out"),
        ("email", ".dot@example.com", "email_left_out"),
        ("email", "hyphen@-example.com", "email_left_out"),
        ("email", "a" * 250 + "@example.com", "email_left_out"),
        ("phone", "1" * 51, "phone_left_out"),
        ("fax", "1" * 51, "phone_left_out"),
        ("website", "www.example.com and more", "website_left_out"),
    ],
)
def test_a_value_that_xero_cannot_hold_is_left_out_neither_sent_nor_cleared(
    field: str, value: str, code: str
) -> None:
    resolved = resolve(**{field: value})
    assert field not in resolved.fields
    assert codes(resolved) == [code]


def test_long_parts_of_an_address_are_cut() -> None:
    resolved = resolve(shipping=Address(line_1="x" * 501, city="y" * 256, postal_code="z" * 51))
    address = resolved.fields["shipping"]
    assert isinstance(address, dict)
    assert {name: len(text) for name, text in address.items()} == {
        "AddressLine1": 500,
        "City": 255,
        "PostalCode": 50,
    }
    assert codes(resolved) == ["text_cut"] * 3


EXISTING = {
    "ContactID": "c",
    "Addresses": [
        {"AddressType": "POBOX", "AddressLine1": "Old", "AddressLine3": "Floor 3", "AttentionTo": "Ann"},
        {"AddressType": "STREET", "AddressLine1": "Old street", "AttentionTo": "Bob"},
    ],
    "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "1"}, {"PhoneType": "DEFAULT", "PhoneAreaCode": "64"}],
}


def test_a_new_contact_has_only_what_is_not_blank() -> None:
    resolved = resolve(email="a@example.com", fax="5", billing=Address(city="Bern"))
    assert contact_body(resolved.fields, ()) == {
        "Name": "Widgets",
        "EmailAddress": "a@example.com",
        "Phones": [{"PhoneType": "FAX", "PhoneNumber": "5", "PhoneAreaCode": "", "PhoneCountryCode": ""}],
        "Addresses": [
            {
                "AddressType": "POBOX",
                "AddressLine1": "",
                "AddressLine2": "",
                "AddressLine3": "",
                "AddressLine4": "",
                "City": "Bern",
                "Region": "",
                "PostalCode": "",
                "Country": "",
            }
        ],
    }


def test_an_address_is_replaced_as_a_whole_but_for_attention_to() -> None:
    body = contact_body({"billing": {"City": "Bern"}}, (), EXISTING)
    (address,) = body["Addresses"]
    assert address["AttentionTo"] == "Ann"
    assert (address["City"], address["AddressLine1"], address["AddressLine3"]) == ("Bern", "", "")
    assert set(body) == {"Addresses"}


def test_what_is_cleared_is_sent_blank_and_nothing_else() -> None:
    body = contact_body({"name": "Widgets", "fax": ""}, ("email", "phone", "shipping"), EXISTING)
    assert (body["Name"], body["EmailAddress"]) == ("Widgets", "")
    assert [(each["PhoneType"], each["PhoneNumber"]) for each in body["Phones"]] == [("DEFAULT", "")]
    (address,) = body["Addresses"]
    assert (address["AddressType"], address["AddressLine1"], address["AttentionTo"]) == ("STREET", "", "Bob")


TEXT = st.text(max_size=600)
ADDRESSES = st.builds(
    Address, line_1=TEXT, line_2=TEXT, city=TEXT, region=TEXT, postal_code=TEXT, country=TEXT
)


@given(TEXT, TEXT, TEXT, TEXT, TEXT, ADDRESSES, ADDRESSES)
def test_whatever_is_not_refused_fits_xero(
    name: str, email: str, phone: str, fax: str, website: str, billing: Address, shipping: Address
) -> None:
    contact: ContactSnapshot = msgspec.structs.replace(
        CONTACT,
        name=name,
        email=email,
        phone=phone,
        fax=fax,
        website=website,
        billing=billing,
        shipping=shipping,
    )
    try:
        resolved = resolve_contact(contact)
    except Refused as refusal:
        assert refusal.code == "contact_name_invalid"
        return
    body = contact_body(resolved.fields, ())
    assert 1 <= len(body["Name"]) <= 255
    assert " ".join(body["Name"].split()) == body["Name"]
    assert not set("<>") & set(body["Name"])
    for each in body.get("Phones", ()):
        assert len(each["PhoneNumber"]) <= 50
    for each in body.get("Addresses", ()):
        assert len(each["AddressLine1"]) <= 500
        assert re.fullmatch(r"([A-Za-z]+( [A-Za-z]+)*)?", each["Country"])
        assert len(each["Country"]) <= 50
    again = resolve_contact(
        msgspec.structs.replace(contact, name=body["Name"], phone=str(resolved.fields.get("phone", "")))
    )
    assert again.fields["name"] == resolved.fields["name"]

"""Contacts: the seven fields that are kept equal, in the form in which Xero takes them."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from contracts.commands import Address, ContactSnapshot
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.resolve.texts import cut, one_line, tidy

Field = str | dict[str, str]
"""A text, or an address as Xero's names to texts without the blank ones."""

_NAME_LIMIT = 255
_EMAIL_LIMIT = 255
_PHONE_LIMIT = 50
_WEBSITE_LIMIT = 255
# Source of the limits: Xero's OpenAPI description, 2026.
_ADDRESS_LIMITS: Final = {
    "AddressLine1": 500,
    "AddressLine2": 500,
    "City": 255,
    "Region": 255,
    "PostalCode": 50,
    "Country": 50,
}
_BLANK = "(blank)"
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+")
_LETTERS_OF_THEIR_OWN = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}
    | {"ł": "l", "Ł": "L", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)
"""Letters that Unicode does not take apart into a plain one and an accent."""

_PHONE_TYPES: Final = {"phone": "DEFAULT", "fax": "FAX"}
_ADDRESS_TYPES: Final = {"billing": "POBOX", "shipping": "STREET"}
_TEXTS: Final = {"name": "Name", "email": "EmailAddress", "website": "Website"}
_ALL_LINES: Final = ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4")
_ADDRESS_PARTS: Final = (*_ALL_LINES, "City", "Region", "PostalCode", "Country")


@dataclass(frozen=True, slots=True)
class ResolvedContact:
    """A contact's fields in one normal form: equal values have equal forms.

    ``fields`` maps ``name``, ``phone``, ``fax``, ``email``, ``website``, ``billing`` and ``shipping`` to a
    text (blank ``""``) or an address (blank ``{}``). A field that Xero cannot hold is left out: it is neither
    sent nor cleared, and ``warnings`` say so.
    """

    fields: dict[str, Field]
    warnings: tuple[Warning, ...]

    def wire_fields(self) -> dict[str, Field]:
        """The fields as plain JSON, to be kept as what was last sent."""
        return dict(self.fields)


@lru_cache(maxsize=4096)
def resolve_contact(contact: ContactSnapshot) -> ResolvedContact:
    """The contact in the nearest form that Xero takes. Kept, since each step of each document asks for it.

    Raises:
        Refused: ``contact_name_invalid``; only the name decides whether there can be a contact at all.
    """
    warnings: list[Warning] = []
    fields: dict[str, Field | None] = {
        "name": _name(contact.name, warnings),
        "phone": _phone(contact.phone, "phone number", warnings),
        "fax": _phone(contact.fax, "fax number", warnings),
        "email": _email(contact.email, warnings),
        "website": _website(contact.website, warnings),
        "billing": _address(contact.billing, "billing address", warnings),
        "shipping": _address(contact.shipping, "shipping address", warnings),
    }
    held = {name: value for name, value in fields.items() if value is not None}
    return ResolvedContact(held, tuple(warnings))


def _name(given: str, warnings: list[Warning]) -> str:
    name = tidy(given, "name", warnings)
    problem = ""
    if not name:
        problem = "it is blank"
    elif len(name) > _NAME_LIMIT:
        problem = f"it has {len(name)} characters, {_NAME_LIMIT} are allowed"
    elif "<" in name or ">" in name:
        problem = "it contains < or >"
    if problem:
        raise Refused("contact_name_invalid", name=name[:_NAME_LIMIT] or _BLANK, problem=problem)
    return name


def _phone(given: str, field: str, warnings: list[Warning]) -> str | None:
    number = tidy(given, field, warnings)
    if len(number) > _PHONE_LIMIT:
        warnings.append(warning("phone_left_out", field=field, value=number))
        return None
    return number


def _email(given: str, warnings: list[Warning]) -> str | None:
    address = given.strip()
    if address and (len(address) > _EMAIL_LIMIT or not _EMAIL.fullmatch(address)):
        warnings.append(warning("email_left_out", value=address))
        return None
    return address


def _website(given: str, warnings: list[Warning]) -> str | None:
    website = given.strip()
    if len(website) > _WEBSITE_LIMIT or len(website.split()) > 1:
        warnings.append(warning("website_left_out", value=website))
        return None
    return website


def _address(address: Address, field: str, warnings: list[Warning]) -> dict[str, str]:
    given = {
        "AddressLine1": address.line_1,
        "AddressLine2": address.line_2,
        "City": address.city,
        "Region": address.region,
        "PostalCode": address.postal_code,
        "Country": _country(address.country, warnings),
    }
    cuts = {
        name: cut(tidy(text, field, warnings), _ADDRESS_LIMITS[name], field, warnings)
        for name, text in given.items()
    }
    return {name: text for name, text in cuts.items() if text}


def _country(given: str, warnings: list[Warning]) -> str:
    """Plain letters and single blanks: accents, apostrophes and dots go, other signs part words."""
    wanted = one_line(given)
    plain = unicodedata.normalize("NFKD", wanted.translate(_LETTERS_OF_THEIR_OWN))
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’.")
    plain = one_line(re.sub(r"[^A-Za-z]+", " ", plain))[: _ADDRESS_LIMITS["Country"]].strip()
    if plain != wanted:
        warnings.append(warning("country_changed", value=wanted, sent=plain or _BLANK))
    return plain


def contact_body(
    fields_to_push: Mapping[str, Field],
    cleared: Collection[str],
    existing: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Xero's Contact element that sets the fields which are not blank, and blanks the ``cleared`` ones.

    Phones and addresses of other types are not named, so Xero leaves them alone. An address is replaced as a
    whole, apart from ``AttentionTo``, which is kept from ``existing``, the contact as Xero returned it.
    """
    wanted: dict[str, Field] = {name: value for name, value in fields_to_push.items() if value}
    wanted |= {name: {} if name in _ADDRESS_TYPES else "" for name in cleared}
    body: dict[str, Any] = {_TEXTS[name]: value for name, value in wanted.items() if name in _TEXTS}
    phones = [_phone_body(kind, wanted[name]) for name, kind in _PHONE_TYPES.items() if name in wanted]
    addresses = [
        _address_body(kind, wanted[name], existing or {})
        for name, kind in _ADDRESS_TYPES.items()
        if name in wanted
    ]
    if phones:
        body["Phones"] = phones
    if addresses:
        body["Addresses"] = addresses
    return body


def _phone_body(kind: str, number: Field) -> dict[str, Any]:
    """SalesBinder's number is whole: what Xero had as area and country code would stand before it."""
    return {"PhoneType": kind, "PhoneNumber": number, "PhoneAreaCode": "", "PhoneCountryCode": ""}


def _address_body(kind: str, address: Field, existing: Mapping[str, Any]) -> dict[str, Any]:
    parts: Mapping[str, str] = address if isinstance(address, dict) else {}
    body: dict[str, Any] = {"AddressType": kind, **{name: parts.get(name, "") for name in _ADDRESS_PARTS}}
    for known in existing.get("Addresses") or ():
        if known.get("AddressType") == kind and known.get("AttentionTo"):
            body["AttentionTo"] = known["AttentionTo"]
    return body

"""Contacts: the seven fields that are kept in sync, in Xero's form."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from contracts.commands import Address, ContactSnapshot
from contracts.json import Body, JsonObject
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.resolve.folding import told
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
_ADDRESS_OF: Final = {
    "AddressLine1": "line_1",
    "AddressLine2": "line_2",
    "City": "city",
    "Region": "region",
    "PostalCode": "postal_code",
    "Country": "country",
}
_LATER_LINES: Final = ("AddressLine3", "AddressLine4")
_BLANK = "(blank)"
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+")
_LETTERS_OF_THEIR_OWN = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}
    | {"ł": "l", "Ł": "L", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)
"""Letters that Unicode does not split into a plain one and an accent."""

_PHONE_TYPES: Final = {"phone": "DEFAULT", "fax": "FAX"}
_ADDRESS_TYPES: Final = {"billing": "POBOX", "shipping": "STREET"}
_TEXTS: Final = {"name": "Name", "email": "EmailAddress", "website": "Website"}
_ALL_LINES: Final = ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4")
_ADDRESS_PARTS: Final = (*_ALL_LINES, "City", "Region", "PostalCode", "Country")


@dataclass(frozen=True, slots=True)
class ResolvedContact:
    """A contact's fields in one normal form: equal values have equal forms.

    ``fields`` maps ``name``, ``phone``, ``fax``, ``email``, ``website``, ``billing`` and ``shipping`` to a
    text (blank ``""``) or an address (blank ``{}``). A field that SalesBinder does not tell is left out, and
    one that Xero cannot hold: it is neither sent nor cleared, and ``warnings`` say so of the latter.
    """

    fields: dict[str, Field]
    warnings: tuple[Warning, ...]
    untold: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For addresses that are given in part: the other parts, by Xero's names."""

    def wire_fields(self) -> dict[str, Field]:
        """Return the fields as plain JSON, to be kept as last sent."""
        return dict(self.fields)


@lru_cache(maxsize=4096)
def resolve_contact(contact: ContactSnapshot) -> ResolvedContact:
    """Return the contact in the nearest form that Xero takes. Kept, since each step of each document asks for
    it.

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
    told_now = told(contact)
    untold = {name: untold_parts(name, told_now) for name in _ADDRESS_TYPES if name in held}
    return ResolvedContact(held, tuple(warnings), {name: parts for name, parts in untold.items() if parts})


def untold_parts(address: str, fields: Collection[str]) -> frozenset[str]:
    """Return the parts of an address that are not among the fields that SalesBinder gave (``billing.city``),
    by Xero's names. SalesBinder has two lines; Xero's others go along with them.
    """
    parts = {name for name, part in _ADDRESS_OF.items() if f"{address}.{part}" not in fields}
    return frozenset({*parts, *(_LATER_LINES if {"AddressLine1", "AddressLine2"} <= parts else ())})


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


def _phone(given: str | None, field: str, warnings: list[Warning]) -> str | None:
    if given is None:
        return None
    number = tidy(given, field, warnings)
    if len(number) > _PHONE_LIMIT:
        warnings.append(warning("phone_left_out", field=field, value=number))
        return None
    return number


def _email(given: str | None, warnings: list[Warning]) -> str | None:
    if given is None:
        return None
    address = given.strip()
    if address and (len(address) > _EMAIL_LIMIT or not _EMAIL.fullmatch(address)):
        warnings.append(warning("email_left_out", value=address))
        return None
    return address


def _website(given: str | None, warnings: list[Warning]) -> str | None:
    if given is None:
        return None
    website = given.strip()
    if len(website) > _WEBSITE_LIMIT or len(website.split()) > 1:
        warnings.append(warning("website_left_out", value=website))
        return None
    return website


def _address(address: Address, field: str, warnings: list[Warning]) -> dict[str, str] | None:
    if address == Address():
        return None
    given = {name: getattr(address, part) or "" for name, part in _ADDRESS_OF.items()}
    given["Country"] = _country(given["Country"], warnings)
    cuts = {
        name: cut(tidy(text, field, warnings), _ADDRESS_LIMITS[name], field, warnings)
        for name, text in given.items()
    }
    return {name: text for name, text in cuts.items() if text}


def _country(given: str, warnings: list[Warning]) -> str:
    """Return it in plain letters and single blanks: accents, apostrophes and dots are dropped, other signs
    separate words.
    """
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
    existing: JsonObject | None = None,
    kept: Mapping[str, Collection[str]] | None = None,
) -> Body:
    """Return Xero's Contact element that sets the fields which are not blank, and blanks the ``cleared``
    ones.

    Phones and addresses of other types are not named, so Xero leaves them alone. An address is replaced as a
    whole, apart from ``AttentionTo`` and the parts of ``kept`` (by field), which stay as in ``existing``, the
    contact as Xero returned it.
    """
    wanted: dict[str, Field] = {name: value for name, value in fields_to_push.items() if value}
    wanted |= {name: {} if name in _ADDRESS_TYPES else "" for name in cleared}
    body: Body = {_TEXTS[name]: value for name, value in wanted.items() if name in _TEXTS}
    phones = [_phone_body(kind, wanted[name]) for name, kind in _PHONE_TYPES.items() if name in wanted]
    addresses = [
        _address_body(kind, wanted[name], existing or {}, (kept or {}).get(name, ()))
        for name, kind in _ADDRESS_TYPES.items()
        if name in wanted
    ]
    if phones:
        body["Phones"] = phones
    if addresses:
        body["Addresses"] = addresses
    return body


def _phone_body(kind: str, number: Field) -> Body:
    """Return a phone for Xero. SalesBinder's number is complete: Xero would put an earlier area or country
    code before it.
    """
    return {"PhoneType": kind, "PhoneNumber": number, "PhoneAreaCode": "", "PhoneCountryCode": ""}


def _address_body(kind: str, address: Field, existing: JsonObject, kept: Collection[str]) -> Body:
    parts: Mapping[str, str] = address if isinstance(address, dict) else {}
    body: Body = {"AddressType": kind, **{name: parts.get(name, "") for name in _ADDRESS_PARTS}}
    for known in existing.get("Addresses") or ():
        if known.get("AddressType") == kind:
            body |= {name: known[name] for name in ("AttentionTo", *kept) if known.get(name)}
    return body

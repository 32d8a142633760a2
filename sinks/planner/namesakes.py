"""Group records of one name: one makes the contact, the others are linked to it. Pure.

Xero knows one active contact of a name. So of the records that are not linked yet and whose names Xero takes
for one, the newest value of each field goes out with the first call, and the others cost none of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from contracts.commands import ContactSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused
from sinks.resolve.contacts import Field, resolve_contact
from sinks.xero.elements import StepKey
from sinks.xero.names import name_key

Rank = tuple[bool, datetime, datetime]
"""How new a value is: one with a time of its own takes precedence over one without."""
Offers = Mapping[str, tuple[Field, Rank]]
"""By field (``name``, ``phone``, …): a value that is not blank, and how new it is."""

_NUMBERS_BYTES = 2300
"""Largest size of a look-up of several numbers, as part of an address."""
_AROUND_A_NUMBER = len("ContactNumber%3D%3D%22%22%20OR%20")


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one name that are planned together and not linked yet."""

    offers: Offers
    untold: Mapping[str, frozenset[str]]
    """For addresses among the offers: the parts that their record does not contain."""
    records: tuple[str, ...]
    """Their ids, in order."""

    def numbers_with(self, record_id: str) -> tuple[str, ...]:
        """Return ids that are looked up in one call, this one among them; the same for all of them."""
        longest = max(len(quote(one, safe="")) for one in self.records)
        size = max(1, _NUMBERS_BYTES // (_AROUND_A_NUMBER + longest))
        place = self.records.index(record_id) // size * size
        return self.records[place : place + size]


@dataclass(frozen=True, slots=True)
class Namesake:
    """A contact that this lane has just made or found, and the fields that it sent."""

    contact: JsonObject
    """The contact as Xero returned it."""
    offers: Offers

    @property
    def contact_id(self) -> str:
        """Its id in Xero."""
        return str(self.contact["ContactID"])

    def news(self, group: Group) -> dict[str, Field]:
        """Return the fields that the group has newer, or that nobody has sent."""
        return {
            name: value
            for name, (value, rank) in group.offers.items()
            if name not in self.offers or (rank > self.offers[name][1] and value != self.offers[name][0])
        }


def name_claim(name: str) -> StepKey:
    """Return the name itself: no two calls that give it to a contact are ever under way."""
    return StepKey("contact", f"name/{name_key(name)}")


def group_of(contacts: Iterable[ContactSnapshot]) -> Group:
    """Return records of one name as a group; of each field the newest value that is not blank."""
    offers: dict[str, tuple[Field, Rank]] = {}
    untold: dict[str, frozenset[str]] = {}
    records = set()
    for contact in contacts:
        records.add(contact.record_id)
        try:
            resolved = resolve_contact(contact)
        except Refused:
            continue
        rank = rank_of(contact)
        for name, value in resolved.fields.items():
            if value and (name not in offers or rank > offers[name][1]):
                offers[name] = (value, rank)
                untold[name] = resolved.untold.get(name, frozenset())
    return Group(offers, untold, tuple(sorted(records)))


def rank_of(contact: ContactSnapshot) -> Rank:
    """Return the rank of the snapshot by age among other records."""
    return (contact.dated, *contact.stamp[:2])

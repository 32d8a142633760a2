"""Fold several snapshots of a customer or supplier into one, with the latest value of each field. Pure.

A snapshot need not be complete: a missing field keeps the value of an older one. So the newest known snapshot
of a record is put together field by field, each from the newest snapshot that has it.
"""

from collections.abc import Iterator, Mapping

import msgspec

from contracts.commands import Address, ContactSnapshot, FieldStamp
from contracts.newness import Stamp

_TEXTS = ("email", "phone", "fax", "website")
_ADDRESSES = ("billing", "shipping")
_PARTS = Address.__struct_fields__
TOLD_FIELDS = (*_TEXTS, *(f"{name}.{part}" for name in _ADDRESSES for part in _PARTS))
"""All that ``told`` may name."""

Told = dict[str, tuple[str, Stamp]]
"""By field (``email``, ``billing.city``): its value, and how new it is."""


def told(contact: ContactSnapshot) -> Told:
    """Return every field but the name that the snapshot contains, including blank ones."""
    older = {one.field: one.stamp for one in contact.older}
    own = contact.stamp
    return {field: (text, older.get(field, own)) for field, text in _texts(contact)}


def folded_snapshots(held: ContactSnapshot, came: ContactSnapshot) -> ContactSnapshot:
    """Return the two as one, with the latest value of each field. Of equal stamps, ``came`` is the newer.

    A document's data about a customer that has no time of its own counts only while nothing else is known.
    """
    if held.dated != came.dated:
        return held if held.dated else came
    newer = came if came.stamp[:2] >= held.stamp[:2] else held
    both, other = told(came), told(held)
    for field, (text, at) in other.items():
        if field not in both or at[:2] > both[field][1][:2]:
            both[field] = (text, at)
    return _made(newer, both)


def completed(own: ContactSnapshot, known: ContactSnapshot | None) -> ContactSnapshot:
    """Return ``own``, with its missing fields from the known snapshots before it, and with fields of newer
    ones: these may have no call of their own, since a field that is blank and was never sent needs none.
    """
    if known is None or (own.dated and not known.dated):
        return own
    fields, last = told(own), own.stamp[:2]
    before, newer = {}, {}
    for field, said in told(known).items():
        if said[1][:2] > last and own.dated:
            newer[field] = said
        elif field not in fields and said[1][:2] <= last:
            before[field] = said
    return _made(own, {**before, **fields, **newer}) if before or newer else own


def news(contact: ContactSnapshot, sent: Mapping[str, Stamp], last: Stamp) -> ContactSnapshot | None:
    """Return the snapshot without the fields that are older than Xero's; None if nothing is left of it.

    Args:
        sent: how new each sent field is; one that is missing was never sent.
        last: how new the newest sent snapshot is, its name included.
    """
    fields = told(contact)
    fresh = {f: said for f, said in fields.items() if f not in sent or said[1][:2] >= sent[f][:2]}
    if contact.stamp[:2] < last[:2] and not fresh:
        return None
    return contact if len(fresh) == len(fields) else _made(contact, fresh)


def _texts(contact: ContactSnapshot) -> Iterator[tuple[str, str]]:
    for name in _TEXTS:
        if (text := getattr(contact, name)) is not None:
            yield name, text
    for name in _ADDRESSES:
        address = getattr(contact, name)
        for part in _PARTS:
            if (text := getattr(address, part)) is not None:
                yield f"{name}.{part}", text


def _made(newest: ContactSnapshot, fields: Told) -> ContactSnapshot:
    """Return a snapshot of these fields that is as new as ``newest``."""
    texts = {field: text for field, (text, _) in fields.items()}
    addresses = {
        name: Address(**{part: texts.get(f"{name}.{part}") for part in _PARTS}) for name in _ADDRESSES
    }
    last = newest.stamp[:2]
    older = tuple(
        FieldStamp(field=field, moment=at.moment, time=at.time)
        for field, (_, at) in sorted(fields.items())
        if at[:2] != last
    )
    plain = {name: texts.get(name) for name in _TEXTS}
    made: ContactSnapshot = msgspec.structs.replace(newest, **plain, **addresses, older=older)
    return made

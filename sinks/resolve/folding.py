"""What SalesBinder said last of each field of a customer or supplier, out of several snapshots. Pure.

A snapshot need not tell all: a field that it does not name keeps what an older one said. So the newest known
snapshot of a record is put together field by field, each from the newest that told it.
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
"""By field (``email``, ``billing.city``): what was said, and how new that is."""


def told(contact: ContactSnapshot) -> Told:
    """Return every field but the name that the snapshot tells, blank ones too."""
    older = {one.field: one.stamp for one in contact.older}
    return {field: (text, older.get(field, contact.stamp)) for field, text in _texts(contact)}


def folded_snapshots(held: ContactSnapshot, came: ContactSnapshot) -> ContactSnapshot:
    """Return the two as one: what each said last. Of equal stamps ``came`` is the newer.

    What a document says of a customer without telling when that was so counts only while nothing else is
    known.
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
    """Return ``own`` with the fields that it does not tell as the known snapshots told them before it, and
    with those that newer ones told since: they may be in no call of their own, since what is blank and was
    never sent needs none.
    """
    if known is None or (own.dated and not known.dated):
        return own
    fields = told(own)
    before, newer = {}, {}
    for field, said in told(known).items():
        if said[1][:2] > own.stamp[:2] and own.dated:
            newer[field] = said
        elif field not in fields and said[1][:2] <= own.stamp[:2]:
            before[field] = said
    return _made(own, {**before, **fields, **newer}) if before or newer else own


def news(contact: ContactSnapshot, sent: Mapping[str, Stamp], last: Stamp) -> ContactSnapshot | None:
    """Return the snapshot without what is older than what Xero has; None if nothing is left of it.

    Args:
        sent: how new each field is that was told to Xero; one that is not there never was.
        last: how new the newest snapshot is that was sent, its name included.
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
    older = tuple(
        FieldStamp(field=field, moment=at.moment, time=at.time)
        for field, (_, at) in sorted(fields.items())
        if at[:2] != newest.stamp[:2]
    )
    plain = {name: texts.get(name) for name in _TEXTS}
    made: ContactSnapshot = msgspec.structs.replace(newest, **plain, **addresses, older=older)
    return made

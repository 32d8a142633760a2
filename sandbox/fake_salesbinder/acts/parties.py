"""Customers, prospects and suppliers: created, edited, converted, deleted."""

from dataclasses import replace
from typing import Any

from ..records import CUSTOMER, OTHER_PARTY_FIELDS, PARTY_FIELDS, PROSPECT, SUPPLIER, Party
from ..shop import Shop
from ..truth import TrueParty
from .base import Refused, act, text

_KINDS = {"customer": CUSTOMER, "prospect": PROSPECT, "supplier": SUPPLIER}
_FIELDS = (*PARTY_FIELDS, *OTHER_PARTY_FIELDS)


@act
def create_party(shop: Shop, kind: str, **fields: Any) -> str:
    """Create a customer, prospect or supplier with fields such as `name`; returns its id."""
    context_id = _KINDS.get(kind)
    if context_id is None:
        raise Refused("context_id", "valid", f"{kind!r} is none of {', '.join(_KINDS)}")
    return _created(shop, kind, context_id, {name: text(fields, name, "") for name in _FIELDS})


def _created(shop: Shop, kind: str, context_id: int, fields: dict[str, str | None]) -> str:
    if not (fields["name"] or "").strip():
        raise Refused("name", "_required", "This field is required")
    now = shop.stamp()
    # Customers, prospects and suppliers share one row of numbers, as they share one resource.
    party = Party(shop.new_id(), context_id, shop.next_number(CUSTOMER), fields, now, now)
    shop.store.parties.put(party)
    shop.truth.parties[party.id] = TrueParty(party.id, kind, dict(fields))
    shop.happened("created", party)
    return party.id


@act
def edit_party(shop: Shop, party_id: str, **fields: Any) -> None:
    """Change fields of an account, or save it as it is."""
    party = shop.party(party_id)
    wanted = {name: text(fields, name) for name in _FIELDS if name in fields}
    if "name" in wanted and not (wanted["name"] or "").strip():
        raise Refused("name", "_required", "This field is required")
    changed = tuple(name for name in wanted if wanted[name] != party.fields[name])
    party = shop.save_party(replace(party, fields={**party.fields, **wanted}))
    shop.truth.parties[party_id].fields.update(wanted)
    if shop.switches.customer_edit_moves_documents == "yes":
        for document in list(shop.store.documents.all()):
            if document.party_id == party_id:
                shop.save(document)
    named = any(name in PARTY_FIELDS for name in changed)
    what = "edited" if named else "unnamed_field_edited" if changed else "saved_unchanged"
    shop.happened(what, party, fields=changed)


@act
def convert_prospect(shop: Shop, party_id: str) -> str:
    """Make a customer of a prospect; returns the customer's id, which is the prospect's by the switch."""
    party = shop.party(party_id)
    if party.context_id != PROSPECT:
        raise Refused("context_id", "valid", "Only prospects can be converted")
    if shop.switches.converted_prospect == "new_id":
        shop.happened("converted", party)
        return _created(shop, "customer", CUSTOMER, dict(party.fields))
    moves = shop.switches.conversion_moves_modified
    party = shop.save_party(replace(party, context_id=CUSTOMER), moves=moves)
    shop.truth.parties[party_id].kind = "customer"
    shop.happened("created", party)
    return party_id


@act
def delete_party(shop: Shop, party_id: str) -> None:
    """Delete an account. Refused while it has documents (reference §4)."""
    party = shop.party(party_id)
    if any(document.party_id == party_id for document in shop.store.documents.all()):
        raise Refused("id", "documents", "This account has documents and cannot be deleted")
    shop.store.parties.remove(party_id)
    shop.bury(party_id, party.context_id)
    shop.truth.parties[party_id].deleted = True
    shop.happened("deleted", party)


@act
def assign(shop: Shop, record_id: str, user_id: str | None) -> None:
    """Assign an account, and with it its documents, to a user, or to nobody."""
    shop.save_party(replace(shop.party(record_id), assigned_to=user_id), moves="no")

"""Archiving accounts and documents, and bringing them back (reference §5)."""

from dataclasses import replace

from ..shop import Shop
from .base import act


@act
def archive(shop: Shop, record_id: str) -> None:
    """Archive an account or document."""
    _set(shop, record_id, True, shop.switches.archive_moves_modified)
    if shop.switches.archived_in_log == "yes":
        held = shop.store.documents.get(record_id) or shop.party(record_id)
        shop.bury(record_id, held.context_id)


@act
def unarchive(shop: Shop, record_id: str) -> None:
    """Bring an account or document back from the archive."""
    _set(shop, record_id, False, shop.switches.unarchive_moves_modified)


def _set(shop: Shop, record_id: str, archived: bool, moves: str) -> None:
    what = "archived" if archived else "unarchived"
    if record_id in shop.store.documents:
        document = shop.save(replace(shop.document(record_id), archived=archived), moves=moves)
        shop.truth.documents[record_id].archived = archived
        shop.happened(what, document)
    else:
        party = shop.save_party(replace(shop.party(record_id), archived=archived), moves=moves)
        shop.truth.parties[record_id].archived = archived
        shop.happened(what, party)

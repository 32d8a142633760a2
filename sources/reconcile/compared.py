"""Compare some documents with what the database holds about them: one query per kind of knowledge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from connections.store import Connection as Connected
from connections.store import SettingChange
from runtime.database import Connection
from sinks.drift import books
from sinks.drift.books import Actions, ByHand
from sources.batch import Kept
from sources.reconcile import runs
from sources.reconcile.result import Result
from sources.reconcile.shop import ShopDocument
from sources.reconcile.sides import Compared, Kind, Rules, compared, has_bill
from sources.reconcile.why import DECIDING, Around, Unclear, why
from sources.store import keeping

_FOREVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """What holds for all documents of the account."""

    account: str
    connection: Connected
    began: datetime
    history: Sequence[SettingChange]
    log_read_at: datetime | None
    """When the last whole reading of SalesBinder's deletion log began."""


@dataclass(frozen=True, slots=True)
class _Records:
    """What the database holds about some records."""

    kept: Mapping[Any, Kept]
    actions: Mapping[tuple[str, str], Actions]
    by_hand: Mapping[str, Sequence[ByHand]]
    unclear: Mapping[str, Unclear]


async def compare_batch(
    connection: Connection,
    given: Known,
    documents: Sequence[ShopDocument],
    lone: Sequence[tuple[str, str]],
) -> list[Result]:
    """Return the results of these documents, and of the bills that belong to them.

    Args:
        lone: linked documents (entity, record id) that SalesBinder does not show.
    """
    sides = await _sides(connection, given, documents, lone)
    differing = sorted({one.record_id for one in sides if not one.agrees})
    around = _Records(
        await keeping.kept(connection, given.account, differing),
        await books.actions_of(connection, given.account, differing),
        await books.changed_by_hand(connection, given.account, differing),
        await runs.unclear(connection, given.account, differing),
    )
    told = {document.id: document for document in documents}
    return [
        Result(
            compared=one,
            reason=None if one.agrees else why(one, _around(one, told.get(one.record_id), around, given)),
        )
        for one in sides
    ]


async def _sides(
    connection: Connection,
    given: Known,
    documents: Sequence[ShopDocument],
    lone: Sequence[tuple[str, str]],
) -> list[Compared]:
    account, settings = given.account, given.connection.settings
    facts = given.connection.facts
    rules = Rules(settings=settings, currency=facts.base_currency if facts is not None else "")
    by_key: dict[tuple[str, str], ShopDocument | None] = {
        **dict.fromkeys(lone),
        **{(document.entity, document.id): document for document in documents},
    }
    links = await books.linked(connection, account, [record for _, record in by_key])
    urls = {key: given.connection.addresses.record(account, *key) for key in by_key}
    pointing = await books.with_urls(connection, account, {url for url in urls.values() if url})
    contacts = await books.contacts_of(connection, account, {_party(document) for document in documents})
    found = []
    for (entity, record_id), document in by_key.items():
        own = links.get(record_id, ())
        contact = contacts.get(_party(document), "") if document is not None else ""
        kinds: list[Kind] = ["invoice"] if entity == "invoice" else ["purchase_order"]
        if entity == "purchase_order" and has_bill(document, own, settings):
            kinds.append("bill")
        for kind in kinds:
            one = compared(
                kind,
                record_id,
                document,
                own,
                pointing.get(urls[entity, record_id], ()),
                contact,
                rules,
            )
            if one.shop is not None or one.xero is not None:
                found.append(one)
    return found


def _read_since(read_at: datetime | None, began: datetime) -> bool:
    return read_at is not None and read_at >= began


def _party(document: ShopDocument) -> str:
    kind = "customer" if document.entity == "invoice" else "supplier"
    return f"{kind}/{document.party_id}"


def _around(one: Compared, document: ShopDocument | None, records: _Records, given: Known) -> Around:
    entity: Any = "invoice" if one.kind == "invoice" else "purchase_order"
    kept = records.kept.get((entity, one.record_id))
    created = (document.created if document is not None else None) or _FOREVER
    changed = {
        change.key
        for change in given.history
        if change.key in DECIDING and change.at is not None and change.at > created
    }
    return Around(
        account=given.account,
        began=given.began,
        actions=records.actions.get((entity, one.record_id)),
        by_hand=records.by_hand.get(one.record_id, ()),
        unclear=records.unclear.get(one.record_id),
        log_is_read=_read_since(given.log_read_at, given.began),
        is_told=document is not None and document.is_told,
        was_here_before=kept is not None and not kept.is_whole,
        is_to_be_sent=kept is not None and kept.history,
        changed_settings=frozenset(changed),
    )

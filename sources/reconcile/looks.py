"""What one answer of SalesBinder shows a comparison: documents of a page, money of a detail. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from sources.batch import DOCUMENTS, Kept, Wish
from sources.problems import Unreadable
from sources.reading import row_id, signature
from sources.reconcile.shop import ShopDocument, money_of, read_shop_row
from sources.salesbinder import answers
from sources.salesbinder.documents import read_detail
from sources.salesbinder.rows import read_row
from sources.salesbinder.transactions import agreed
from sources.salesbinder.verdicts import Answer
from sources.schedule.layers import Listing
from sources.store.store import Account


def body_of(answer: Answer) -> bytes:
    """Return an answer's body.

    Raises:
        Unreadable: the list is not there at all.
    """
    if answer.verdict == "not_there":
        raise Unreadable(
            "answer",
            answer.status,
            "the list is not there",
            "Check the account's name, which is its sub-domain, and that its plan has the API.",
            "list_refused",
        )
    return answer.body


def read_rows(
    rows: Sequence[Any],
    listing: Listing,
    kept: Mapping[Any, Kept],
    account: Account,
    cut_off: datetime | None,
) -> tuple[list[tuple[ShopDocument, bool]], list[Wish]]:
    """Return the documents of a page, each with whether its detail is to be read, and details that the reader
    is to read because a row shows something else than was told. Rows that cannot be read are the reader's.
    """
    entity = DOCUMENTS[listing]
    found: dict[str, tuple[ShopDocument, bool]] = {}
    wishes: list[Wish] = []
    for row in rows:
        before = kept.get((entity, row_id(row) or ""))
        try:
            document = read_shop_row(row, entity, before)
        except Unreadable:
            continue
        early = cut_off is not None and document.created is not None and document.created < cut_off
        unknown = document.balance is not None and document.paid is None
        untold = before is not None and not document.is_told and not before.history
        found[document.id] = (document, unknown and not early and not _is_stock(before))
        if untold:
            shown = signature(read_row(row, entity))
            wishes.append(Wish(document.id, "changed", account.now, shown, entity=entity))
    return [*found.values()], wishes


def _is_stock(kept: Kept | None) -> bool:
    return kept is not None and getattr(kept.known, "stock", None) is not None


def with_money(document: ShopDocument, answer: Answer, account: str) -> ShopDocument:
    """Return the document with what its detail says was paid and refunded, if it says so readably."""
    try:
        if answer.verdict != "answered":
            return document
        detail = read_detail(answers.read_detail(answer.body, "document"), document.id, account)
        if detail.unreadable_money is not None:
            return document
        paid, refunded = money_of(agreed(detail.transactions, detail.total), detail.total)
    except Unreadable:
        return document
    return msgspec.structs.replace(document, balance=detail.total, paid=paid, refunded=refunded)

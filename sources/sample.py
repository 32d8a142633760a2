"""What a shop's own documents show, for setting an account up: tax rates, ways of paying, some to preview."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from connections.settings import tax_key
from contracts.events.types import CONTEXTS
from mappers.totals import clean_rate
from sources.problems import Unreadable
from sources.salesbinder.answers import listed, read_detail, read_list
from sources.salesbinder.rows import is_taken_out
from sources.salesbinder.transactions import read_transactions
from sources.salesbinder.values import amount_of, is_blank, text
from sources.salesbinder.verdicts import Answer
from sources.schedule.layers import PAGE_LIMIT
from sources.schedule.questions import Question

Ask = Callable[[Question], Awaitable[Answer]]
DETAILS: Final = 12
"""Invoices whose payments are looked at."""
PREVIEWED: Final = 3
"""Documents that are kept for the preview, besides the newest."""


class NotSampled(Exception):
    """The newest documents could not be looked at; ``str()`` says why, ``remedy`` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(problem)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    sales: dict[str, int] = {}
    """How many lines of invoices have each rate, by the setting's key: ``8``, ``8+5``."""
    purchases: dict[str, int] = {}
    """The same of purchase orders."""
    methods: dict[str, int] = {}
    """How many payments have each reference, as it was written."""
    documents: list[dict[str, Any]] = []
    """Details as they came: the newest invoice, and others that differ from it."""


async def sample(ask: Ask) -> Sample:
    """Ask for the newest invoices and orders, and for the details of a few; about 15 calls.

    One list that the key's user may not see has nothing.

    Raises:
        NoAnswer: SalesBinder does not answer.
        NotSampled: it answers something else, or refuses both lists.
    """
    seen = await _rows(ask, CONTEXTS["invoice"]), await _rows(ask, CONTEXTS["purchase_order"])
    if seen == (None, None):
        raise NotSampled(
            "SalesBinder refuses the API key, or its user may see neither invoices nor purchase orders",
            "give the user these permissions in SalesBinder, or give another API key",
        )
    invoices, orders = (rows or [] for rows in seen)
    paid = [row for row in invoices if _has_money(row)][: DETAILS - 1]
    newest = invoices[:1]
    chosen = {str(row["id"]): row for row in (*newest, *paid) if not is_blank(row.get("id"))}
    details = [found for own_id in chosen if (found := await _detail(ask, own_id)) is not None]
    order = await _detail(ask, str(orders[0]["id"])) if orders else None
    methods: Counter[str] = Counter()
    for detail in details:
        methods.update(_methods(detail))
    return Sample(
        sales=dict(_rates([*invoices, *details]).most_common()),
        purchases=dict(_rates([*orders, *([order] if order else [])]).most_common()),
        methods=dict(methods.most_common()),
        documents=_to_preview(details, order),
    )


async def _rows(ask: Ask, context: int) -> list[Mapping[str, Any]] | None:
    """Return the newest documents; None for a list that may not be read."""
    asked = {"contextId": str(context), "page": "1", "pageLimit": str(PAGE_LIMIT)}
    answer = await ask(Question("documents.json", asked))
    if answer.verdict in ("key_refused", "not_permitted"):
        return None
    try:
        if answer.verdict != "answered":
            raise Unreadable("answer", answer.status, "it is of no use", "", "answer_unreadable")
        rows = read_list(answer.body, ("documents", "document")).rows
    except Unreadable as wrong:
        raise _of_no_use(answer) from wrong
    return [row for row in rows if isinstance(row, Mapping) and not is_blank(row.get("id"))]


async def _detail(ask: Ask, own_id: str) -> dict[str, Any] | None:
    answer = await ask(Question(f"documents/{quote(own_id, safe='')}.json", {}))
    if answer.verdict == "blocked":
        raise _of_no_use(answer)
    try:
        return read_detail(answer.body, "document")
    except Unreadable:
        return None


def _of_no_use(answer: Answer) -> NotSampled:
    if answer.verdict == "blocked":
        return NotSampled("SalesBinder has blocked the account for too many calls", "look again in a minute")
    return NotSampled(
        f"SalesBinder's list of documents cannot be read (status {answer.status})", "look again later"
    )


def _has_money(row: Mapping[str, Any]) -> bool:
    try:
        return not is_blank(row.get("total_transactions")) and bool(amount_of(row["total_transactions"], ""))
    except Unreadable:
        return False


def _rates(documents: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Return how many lines have each rate; a line that has none has rate 0."""
    found: Counter[str] = Counter()
    for document in documents:
        for line in listed(document.get("document_items")) or []:
            if isinstance(line, Mapping) and not is_taken_out(line):
                try:
                    rates = [clean_rate(amount_of(line.get(name) or 0, name)) for name in ("tax", "tax2")]
                except Unreadable:
                    continue
                found[tax_key(*rates)] += 1
    return found


def _methods(detail: Mapping[str, Any]) -> list[str]:
    own_id = text(detail.get("id"))
    try:
        rows = read_transactions(detail.get("transactions"), own_id if isinstance(own_id, str) else "")
    except Unreadable:
        return []
    return [" ".join(row.reference.split()) for row in rows if row.amount > 0 and row.reference.strip()]


def _to_preview(details: Sequence[dict[str, Any]], order: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the newest invoice, then the paid one with the most lines, the one with the most payments, and
    an order: each once.
    """
    lines: Callable[[dict[str, Any]], int] = lambda each: len(listed(each.get("document_items")) or [])  # noqa: E731
    money: Callable[[dict[str, Any]], int] = lambda each: len(listed(each.get("transactions")) or [])  # noqa: E731
    ranked = [*details[:1], *sorted(details[1:], key=lines)[-1:], *sorted(details[1:], key=money)[-1:]]
    chosen: dict[str, dict[str, Any]] = {}
    for each in (*ranked, *([order] if order else []), *details):
        chosen.setdefault(str(each.get("id")), each)
    return [*chosen.values()][: PREVIEWED + 1]

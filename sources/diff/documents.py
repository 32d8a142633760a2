"""Invoices and purchase orders: from what was told last and one detail answer to events. Pure."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from contracts.commands import Action
from mappers.moments import plain_moment
from sources.diff.known import KnownDocument
from sources.diff.look import Change, Look, Outcome, doubted, moments
from sources.diff.money import Money, diff_money, with_earlier
from sources.diff.stocked import known_money, known_then, was_edited
from sources.events import Event, made_event
from sources.problems import LOOK_AGAIN, Problem, Unreadable
from sources.salesbinder.deleted import Deletion
from sources.salesbinder.digests import edit_digest
from sources.salesbinder.documents import Detail
from sources.salesbinder.rows import hash_of
from sources.salesbinder.statuses import CANCELLED, PAYING, is_known, is_received, says_unpaid
from sources.salesbinder.transactions import HALF_A_CENT, agreed

_BY_HAND = "If it was meant, make the change in Xero by hand: no event says this."


def diff_document(
    before: KnownDocument | None, detail: Detail, look: Look, *, whole: bool = False
) -> Outcome[KnownDocument | None]:
    """Return what a detail tells beyond what was told before; ``whole``: and all that was there before the
    connection, under the same ids of transactions.

    Problems of the money keep only the money back; any other keeps the whole look back.
    """
    if before is not None and (wrong := _unfit(before, detail)) is not None:
        return Outcome(before, problems=(wrong,), again=True)
    found = _Found(before, detail, look, whole)
    if before is not None and detail.document.modified < before.modified:
        doubt = doubted(before.doubt, found.mark, look)
        if doubt is not None:
            return Outcome(msgspec.structs.replace(before, doubt=doubt), again=True)
    changes = (*_reset_first(found.content(), found.money()), *found.state())
    if whole and before is not None and found.again:
        return diff_document(before, detail, look)
    revision = before.revision + bool(changes) if before else 1
    times = moments(changes, _since(before, detail, look), look)
    body = {**detail.body, "modified": found.modified.isoformat()}
    try:
        events = tuple(
            _event(change, time, detail, body, look, revision)
            for change, time in zip(changes, times, strict=True)
        )
    except Unreadable as wrong:
        return Outcome(before, problems=(wrong.of(detail.entity, detail.id),), again=True)
    known = found.known(times[-1] if times else found.time, revision, {each.action for each in changes})
    return Outcome(known, events, tuple(found.problems), found.again)


def _reset_first(content: Sequence[Change], money: Sequence[Change]) -> tuple[Change, ...]:
    """Return what changed in their order, but a reset before an edit: under payments Xero lets no amounts
    change, and once they are off, nobody tries the edit again.
    """
    if any(change.action == "created" for change in content):
        return (*content, *money)
    return tuple(sorted((*content, *money), key=lambda change: change.action != "reset"))


def _since(before: KnownDocument | None, detail: Detail, look: Look) -> datetime | None:
    """Return the moment before which no event can be: each also tells the customer as they are now, who may
    have been changed after the document.
    """
    changed = detail.document.customer.modified
    known = [] if before is None else [before.time]
    if changed is not None:
        known.append(look.not_ahead(plain_moment(changed)))
    return max(known, default=None)


def _unfit(before: KnownDocument, detail: Detail) -> Problem | None:
    """Return why this detail cannot follow what is known."""
    if before.entity != detail.entity:
        wrong = Unreadable(
            "context_id",
            detail.entity,
            f"it was a document of type {before.entity} before",
            LOOK_AGAIN + "If it stays, report the answer to SalesBinder.",
            "record_foreign",
        )
        return wrong.of(before.entity, before.id)
    if before.deleted:
        wrong = Unreadable(
            "id",
            before.id,
            "SalesBinder's deleted log has it, yet it is shown",
            LOOK_AGAIN + "If it stays, make the document again in SalesBinder under a new id.",
            "deleted_yet_visible",
        )
        return wrong.of(before.entity, before.id)
    missing = [name for name in before.header_fields if name not in detail.shape.header]
    if before.line_fields and detail.shape.lines is not None:
        lost = [name for name in before.line_fields if name not in detail.shape.lines]
        missing += [f"document_items.{name}" for name in lost]
    if not missing:
        return None
    wrong = Unreadable(
        missing[0],
        None,
        "the document had it before, and a change would look different",
        LOOK_AGAIN + "If it stays, report the answer to SalesBinder: its API has changed.",
        "field_vanished",
    )
    return wrong.of(before.entity, before.id)


@dataclass
class _Found:
    """What one look finds, part by part."""

    before: KnownDocument | None
    detail: Detail
    look: Look
    tells_all: bool

    def __post_init__(self) -> None:
        before = self.before
        self.problems: list[Problem] = []
        self.again = False
        self.digest = edit_digest(self.detail)
        self.mark = hash_of((self.detail.mark, self.digest))
        modified = plain_moment(self.detail.document.modified)
        self.modified = max(modified, before.modified) if before else modified
        """Never goes back, or the pipeline would take what is told now for older than what was told."""
        has_moved = before is None or self.tells_all or modified > before.modified
        self.moved = modified if has_moved else None
        self.time = before.time if before else self.look.not_ahead(modified)
        self.cancelled = before.cancelled if before and not self.tells_all else False
        self.received = before.received if before and not self.tells_all else False
        self.has_earlier_money = False
        """Whether it had money of which nobody knows that it was told."""
        self.sums = Money(
            before.transactions if before else {},
            before.gone if before else {},
            before.resets if before else 0,
        )  # fmt: skip

    def _report(self, wrong: Unreadable) -> None:
        self.problems.append(wrong.of(self.detail.entity, self.detail.id))

    def content(self) -> list[Change]:
        """Return created or edited."""
        before = self.before
        if before is None or self.tells_all:
            return [Change("created", self.moved)]
        if before.stock is not None and not before.digest:
            edited = was_edited(before, before.stock, self.detail)
        else:
            edited = self.digest != before.digest
        return [Change("edited", self.moved, (before.digest,))] if edited else []

    def money(self) -> tuple[Change, ...]:
        """Return what is told of an invoice's money; nothing if transactions and sum disagree."""
        if self.detail.entity != "invoice":
            return ()
        try:
            if self.detail.unreadable_money is not None:
                if self._has_no_money(self.detail.unreadable_money):
                    return ()
                raise self.detail.unreadable_money
            rows = agreed(self.detail.transactions, self.detail.total)
            before = self.sums
            if self.before is not None and self.before.stock is not None and not self.tells_all:
                try:
                    before = replace(before, transactions=known_then(self.before.stock, rows))
                except Unreadable as wrong:
                    if self.before.stock.has_failed:
                        raise
                    # What there is now is where we start from: later changes can be told again.
                    self._report(wrong)
                    self.has_earlier_money = True
                    told = {row.id: known_money(row) for row in rows if row.amount}
                    self.sums = replace(before, transactions=told)
                    return ()
            found = diff_money(before, rows, self.moved, self.look.shrunk)
            is_reset = found.resets > before.resets
            if is_reset:
                self._refuse_hidden()
            self.sums = found
            self.has_earlier_money = bool(before.transactions or before.gone) and not is_reset
            if self.tells_all:
                return with_earlier(before, rows, self.moved, self.sums.changes, self._price())
        except Unreadable as wrong:
            self._report(wrong)
            self.again = True
            return ()
        return self.sums.changes

    def _refuse_hidden(self) -> None:
        """Refuse a reset that the status contradicts: payments that the key may not see are gone from the
        transactions and from their sum alike.
        """
        detail = self.detail
        is_paid = detail.status in PAYING and self._price() > 0 and abs(detail.total) < HALF_A_CENT
        if is_paid or (detail.is_total_blank and not says_unpaid(detail.status)):
            raise Unreadable(
                "total_transactions",
                None if detail.is_total_blank else detail.total,
                f"all payments are gone, and the status is '{detail.status}'",
                LOOK_AGAIN + "If it stays, check in SalesBinder what the key's user may see of payments.",
                "sums_disagree",
            )

    def _price(self) -> Decimal:
        document = self.detail.document
        return sum(filter(None, (document.total_price, document.total_tax, document.total_tax2)), Decimal(0))

    def _has_no_money(self, wrong: Unreadable) -> bool:
        """Return True if no transactions are listed because there are none: the sum says so, and none is
        known that could be gone.
        """
        stock = self.before.stock if self.before is not None else None
        sums = [self.detail.total, Decimal(0) if stock is None or stock.has_failed else stock.total]
        return (
            wrong.code == "transactions_missing"
            and not self.sums.transactions
            and all(each is not None and abs(each) < HALF_A_CENT for each in sums)
        )

    def state(self) -> list[Change]:
        """Return cancelled or received, each once."""
        detail = self.detail
        if not is_known(detail.entity, detail.status) and (
            self.before is None or self.before.status != detail.status
        ):
            self._report(
                Unreadable(
                    "status",
                    detail.status,
                    "this status is not known, so it changes nothing",
                    "Nothing is needed unless it means cancelled or received; then report it to us.",
                    "status_unknown",
                )
            )
        return self._cancelled() if detail.entity == "invoice" else self._received()

    def _cancelled(self) -> list[Change]:
        status = self.detail.status
        if status in CANCELLED and not self.cancelled:
            self.cancelled = True
            return [Change("cancelled", self.moved)]
        if self.cancelled and status not in CANCELLED and status and is_known("invoice", status):
            self._went_back("cancelled_live_again", "it was cancelled before")
        return []

    def _received(self) -> list[Change]:
        zero = Decimal(0)
        lines = [
            (Decimal(line.quantity), Decimal(line.quantity_partially_received or zero))
            for line in self.detail.document.document_items
        ]
        full = is_received(self.detail.status, lines)
        if full and not self.received:
            self.received = True
            return [Change("received", self.moved)]
        in_part = any(came for _, came in lines) or self.detail.status.startswith("part")
        if self.received and not full and in_part:
            self._went_back("received_in_part_again", "it was received in full before")
        return []

    def _went_back(self, code: Any, problem: str) -> None:
        if self.before is not None and self.before.status == self.detail.status:
            return
        self._report(Unreadable("status", self.detail.status, problem, _BY_HAND, code))

    def _is_whole(self, told: Set[Action]) -> bool | None:
        """Return whether nothing is left to be told of what was there before the connection."""
        before = self.before
        if before is None or self.tells_all or told & {"cancelled", "received"}:
            return True
        if before.whole or (before.whole is None and before.revision):
            return before.whole
        has_earlier = self.has_earlier_money or before.cancelled or before.received
        return bool(told) and not has_earlier and not self.again

    def known(self, time: datetime, revision: int, told: Set[Action]) -> KnownDocument:
        """Return what is known after this look."""
        detail, before = self.detail, self.before
        stock = before.stock if before is not None and self.again else None
        return KnownDocument(
            entity=detail.entity,
            id=detail.id,
            digest=self.digest,
            header_fields=detail.shape.header,
            line_fields=detail.shape.lines or (before.line_fields if before else None),
            modified=self.modified,
            time=time,
            transactions=dict(self.sums.transactions),
            gone=dict(self.sums.gone),
            resets=self.sums.resets,
            cancelled=self.cancelled,
            received=self.received,
            revision=revision,
            status=detail.status,
            stock=stock,
            whole=self._is_whole(told),
        )


def _event(
    change: Change, time: datetime, detail: Detail, body: dict[str, Any], look: Look, revision: int
) -> Event:
    data: dict[str, Any] = {"document": body}
    if change.transaction is not None:
        data["transaction"] = {**change.transaction, "document_id": detail.id}
    return made_event(
        look.account,
        detail.entity,
        change.action,
        detail.id,
        time,
        data,
        (change.action, str(revision), *change.identity),
    )


def diff_deleted_document(
    before: KnownDocument, deletion: Deletion, look: Look
) -> Outcome[KnownDocument]:  # fmt: skip
    """Return the deletion of a known document; nothing if it was told before."""
    if before.deleted:
        return Outcome(before)
    time = max(look.not_ahead(deletion.created), before.time)
    data = {"document": {"id": before.id}}
    event = made_event(look.account, before.entity, "deleted", before.id, time, data, ("deleted",))
    known = msgspec.structs.replace(before, deleted=True, time=time, revision=before.revision + 1)
    return Outcome(known, (event,))

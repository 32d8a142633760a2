"""What an answer of use changes, kept in one transaction: records, events, scan, what was learnt."""

from collections.abc import Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from contracts.commands import Entity
from runtime.crash_points import crash_point
from runtime.database import Connection
from sources.batch import ENTITIES, Batch
from sources.context import Context, moment_of_connection, newest_of, newest_then
from sources.details import ask_once_more, nothing_is_there, read_any_detail
from sources.diff.look import Look
from sources.odd import listed_yet_missing, note_clock, note_oddity, note_skipped
from sources.reading import (
    entity_of,
    ids_of,
    may_have_changed,
    note_wires,
    read_page,
    rows_of,
    with_strange_rows,
)
from sources.salesbinder.answers import Page, SentRow, read_json, read_list, read_sent
from sources.salesbinder.verdicts import Answer
from sources.schedule.choice import CLOCKS, DetailRequest, ListRequest, Request
from sources.schedule.layers import LISTINGS, Listing
from sources.schedule.questions import RESOURCES
from sources.schedule.scans import Finished, Scan, Step, after_no_page, after_page, scan_key
from sources.schedule.trust import may_relax, noted
from sources.store import keeping, store
from sources.store.store import Account, Lease

_WIDER: Final = (timedelta(0), timedelta(hours=3), timedelta(hours=26))
"""By how much more the delta asks back, each time that it missed something: a day covers every time zone."""


class Keeper:
    """Keeps answers under the reader's lease."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection, self._lease = connection, lease
        self._account = lease.account
        self.may_be_untold = True
        """Whether the outbox may hold something: a reader before this one may have left events there."""

    async def answer(self, account: Account, request: Request, answer: Answer) -> None:
        """Keep all that an answer says in one transaction: records, events, scan, what was learnt."""
        at = answer.date or account.now
        async with store.fenced(self._connection, self._lease):
            context = Context(
                Look(self._account, at, account.shrunk, account.now),
                account.connected or at,
                now=account.now,
                is_relaxed=may_relax(account.standing.trust),
                cut_off=account.cut_off,
            )
            if isinstance(request, DetailRequest):
                batch = await self._detail(account, request, answer, context)
            else:
                batch = await self._listed(account, request, answer, context)
            note_clock(answer.date, account.now, batch)
            await self.keep(account, batch)
            await self._learn(account, request, batch, at, is_there=answer.verdict == "answered")
            crash_point("seen.before_commit")
        crash_point("seen.after_commit")

    async def keep(self, account: Account, batch: Batch) -> None:
        """Keep what an answer changed, within a transaction of the lease."""
        asked, problems = account.now, account.problems
        if await keeping.keep(self._connection, self._account, batch, asked, problems=problems):
            self.may_be_untold = True

    async def _detail(
        self, account: Account, request: DetailRequest, answer: Answer, context: Context
    ) -> Batch:
        wish = account.wishes[request.record_id]
        found = await keeping.kept(self._connection, self._account, [wish.record_id])
        if answer.verdict == "not_there" and account.missing:
            return nothing_is_there(wish, found, context)
        batch = read_any_detail(answer.verdict == "not_there", answer.body, wish, found, context)
        # An answer that could not be read, or was refused, before anybody knew what it is about.
        batch.seen.add(("document", wish.record_id))
        return batch

    async def _listed(
        self, account: Account, request: ListRequest, answer: Answer, context: Context
    ) -> Batch:
        scan, finished = request.scan, account.standing.finished
        at = answer.date or account.now - CLOCKS
        last = finished.get(scan.key)
        count = last.whole if last is not None else None
        if answer.verdict == "not_there":
            batch = Batch()
            await self._go_on(account, after_no_page(scan, count), at, last, context, batch)
            return batch
        names = RESOURCES[scan.listing].names
        page = read_sent(answer.body, names) or read_list(answer.body, names)
        ids = ids_of(page.rows, scan.listing)
        delta, stock = (finished.get(scan_key(layer, scan.listing)) for layer in ("delta", "all"))
        context = replace(
            context,
            stock_taken=frozenset(each for each in LISTINGS["all"] if scan_key("all", each) in finished),
            unseen=frozenset(
                each
                for each in LISTINGS["all"]
                if (done := finished.get(scan_key("all", each))) is not None and done.unseen
            ),
            delta_asked=delta.asked if delta is not None else None,
            newest_then=newest_then(stock, context.connected),
        )
        batch = await self._changed(scan, page, ids, context)
        scan = with_strange_rows(scan, batch)
        step = after_page(scan, page, ids, at, count, newest_of(page.rows))
        if step.state == "done" and not scan.strange:
            batch.seen.add(rows_of(scan))
        if batch.wanted and scan.listing in ENTITIES:
            entity = ENTITIES[scan.listing]
            for each in await keeping.in_vain(self._connection, self._account, entity, batch.wanted):
                batch.problems.append(listed_yet_missing().of(entity, each))
        if scan.layer == "all" and _may_hide(account, scan.listing):
            await keeping.note_listed(self._connection, self._account, ENTITIES[scan.listing], ids)
        await self._go_on(account, step, at, last, context, batch)
        return batch

    async def _changed(self, scan: Scan, page: Page, ids: Set[str], context: Context) -> Batch:
        """Return what the rows of a page change; only those are parsed that were not sent so before."""
        if not page.rows or not isinstance(page.rows[0], SentRow):
            return read_page(scan, page, await keeping.kept(self._connection, self._account, ids), context)
        entity = entity_of(scan.listing)
        known = await keeping.kept_in_brief(self._connection, self._account, entity, ids)
        sent = [row for row in page.rows if may_have_changed(row, known, context)]
        rows = tuple(read_json(bytes(row.body)) for row in sent)
        there = [row.id for row in sent if row.id in known]
        found = await keeping.kept(self._connection, self._account, there)
        batch = read_page(scan, replace(page, rows=rows), found, context)
        note_wires(sent, rows, entity, found, batch)
        return batch

    async def _go_on(
        self,
        account: Account,
        step: Step,
        at: datetime,
        last: Finished | None,
        context: Context,
        batch: Batch,
    ) -> None:
        note_oddity(step, batch)
        scan = step.scan
        if step.state == "done":
            note_skipped(scan, batch)
            is_whole = scan.layer == "all" and step.oddity is None and not scan.skipped
            if is_whole and _may_hide(account, scan.listing):
                await self._ask_once_more(ENTITIES[scan.listing], scan.started, context, batch)
        await keeping.keep_scan(self._connection, self._account, step, at, last)

    async def _ask_once_more(self, entity: Entity, since: datetime, context: Context, batch: Batch) -> None:
        """Ask for records that are reported as listed and not shown, and that no row showed ``since``."""
        gone = await keeping.not_listed(self._connection, self._account, entity, since)
        kept = await keeping.kept(self._connection, self._account, gone)
        for record_id in gone:
            key = (entity, record_id)
            ask_once_more(key, batch.kept.get(key) or kept.get(key), context, batch)

    async def _learn(
        self, account: Account, request: Request, batch: Batch, at: datetime, *, is_there: bool
    ) -> None:
        standing = account.standing
        statuses = dict(standing.open_statuses)
        if isinstance(request, ListRequest) and batch.statuses:
            listing: Listing = request.scan.listing
            statuses[listing] = statuses.get(listing, frozenset()) | batch.statuses
        wider = next((each for each in _WIDER if each > standing.widened), None)
        trust = noted(standing.trust, batch.told, batch.moved) if batch.has_evidence else None
        news = statuses if statuses != dict(standing.open_statuses) else None
        widened = wider if batch.missed else None
        connected = moment_of_connection(account.connected, at, account.now)
        is_as_before = account.is_well and connected == account.connected
        if is_as_before and trust is None and news is None and widened is None:
            return
        await keeping.keep_learnt(
            self._connection,
            self._account,
            connected,
            held_until=standing.blocked_until,
            is_there=is_there,
            trust=trust,
            statuses=news,
            widened=widened,
        )


def _may_hide(account: Account, listing: Listing) -> bool:
    """Return True if a problem is known of a record of this list."""
    problems = account.problems
    return problems is None or any(entity == ENTITIES.get(listing) for entity, _ in problems)

"""Reconcile one account, beside its reader: each step is one call or one batch, kept in one transaction.

SalesBinder's rows are read again, at the background's pace within the account's limits; then details, only of
documents whose money the reader does not hold as the row shows it; then the account's lane reads in Xero what
was changed there since it read last, as ``sbx drift`` does; then all is compared from the database alone.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import psycopg
import structlog

from connections import store as connections
from runtime.crash_points import crash_point
from runtime.database import Connection
from runtime.trouble import about_the_database, in_words
from sinks.drift import books
from sources.batch import DOCUMENTS
from sources.reader import Asks
from sources.reconcile import runs
from sources.reconcile.compared import Known, compare_batch
from sources.reconcile.months import Months
from sources.reconcile.runs import Run
from sources.reconcile.shop import ShopDocument
from sources.reconcile.shop_side import ShopSide
from sources.reconcile.steps import Steps, after, may_go_on, not_connected
from sources.reconcile.xero_side import XeroSide
from sources.schedule.layers import LISTINGS
from sources.schedule.scans import scan_key
from sources.store import history, store
from sources.store.store import Lease

log = structlog.stdlib.get_logger(__name__)

BY_SCHEDULE: Final = "reconcile_every"
"""Who asked, where nobody did; the setting that says how often."""
_BATCH: Final = 500
_IDLE: Final = 2.0
_DUE_EVERY: Final = 30.0
_MOST_TEXT: Final = 500
"""Characters of an error's own text that are told."""
_EVERY: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Reconciler(Steps):
    """Reconciles an account under its reader's lease."""

    def __init__(self, connection: Connection, lease: Lease, client: Asks) -> None:
        super().__init__(connection, lease)
        self._shop, self._books = ShopSide(connection, lease, client), XeroSide(connection, lease)
        self._due_after = 0.0

    async def turn(self) -> float:
        """Take one step, if there is one; return the seconds until the next may be due.

        A comparison with a fault ends, with that as its reason: it neither stops the reading of the account
        nor is tried for ever.

        Raises:
            LeaseLost: another worker has the account.
            psycopg.Error: the database is away; the step is taken again.
        """
        try:
            return await self._turn()
        except store.LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - it is told, and ends the comparison
            await self._stumble(error)
            return _IDLE

    async def _turn(self) -> float:
        async with store.fenced(self._connection, self._lease):
            run = await runs.open_run(self._connection, self._account)
            if run is None:
                await self._ask_if_due()
        if run is None:
            return _IDLE
        if run.due_at > run.now:
            return min((run.due_at - run.now).total_seconds(), _IDLE)
        return await self._step(run)

    async def _stumble(self, error: Exception) -> None:
        """End the comparison that broke off, or put it off if that is the database's doing.

        A deadlock, or a statement that took too long, is trouble of the comparison alone as long as the
        database takes this note; it is tried again, and not for ever.

        Raises:
            LeaseLost: another worker has the account.
            psycopg.Error: the database does not even take the note: it is away, for the reader, too.
        """
        is_trouble = isinstance(error, psycopg.Error) and about_the_database(error)
        async with store.fenced(self._connection, self._lease):
            found = await runs.open_row(self._connection, self._account)
            if found is None:
                log.error("no reconciliation could be begun", account=self._account, exc_info=error)
                return
            run_id, failures = str(found["run_id"]), int(found["failures"])
            if is_trouble and may_go_on(failures):
                log.warning("a reconciliation is put off", account=self._account, problem=_in_words(error))
                until = found["now"] + after(failures)
                await runs.put_off(self._connection, run_id, until, _in_words(error), failed=True)
            else:
                log.error("a reconciliation broke", account=self._account, exc_info=error)
                await runs.finish(self._connection, self._account, run_id, _in_words(error))
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")

    async def _step(self, run: Run) -> float:
        if run.phase == "rows":
            return await self._shop.rows(run)
        if run.phase == "details":
            return await self._shop.details(run)
        if run.phase == "xero":
            return await self._books.read(run)
        await self._compare(run)
        return 0.0

    async def _ask_if_due(self) -> None:
        if time.monotonic() < self._due_after:
            return
        self._due_after = time.monotonic() + _DUE_EVERY
        account = await store.load(self._connection, self._account)
        known = await connections.load_connection(self._connection, self._account)
        if known is None or known.status == "lost" or known.paused_at is not None:
            return
        if any(scan_key("all", each) not in account.standing.finished for each in LISTINGS["all"]):
            return
        every = interval(known.settings.reconcile_every)
        last = await runs.last_asked(self._connection, self._account)
        is_due = every is not None and (last is None or account.now - last >= every)
        # What is from before the connection would all be missing: it is compared once it was sent.
        if is_due and not await history.is_waiting(self._connection, self._account):
            await runs.ask(self._connection, self._account, BY_SCHEDULE)

    async def _compare(self, run: Run) -> None:
        """Compare the next documents of SalesBinder, then those that are in Xero alone; or end."""
        known = await connections.load_connection(self._connection, self._account)
        if known is None:
            await self.finish(run, not_connected(self._account))
            return
        is_last = False
        async with store.fenced(self._connection, self._lease):
            changed = await connections.settings_history(self._connection, self._account)
            account = await store.load(self._connection, self._account)
            log_read = account.standing.finished.get(scan_key("log", "log"))
            log_read_at = log_read.started if log_read is not None else None
            given = Known(self._account, known, run.started_at, changed, log_read_at)
            documents: list[ShopDocument] = []
            lone: list[tuple[str, str]] = []
            if run.phase == "records":
                documents = await runs.documents_after(
                    self._connection, self._account, run.run_id, run.after, _BATCH
                )
                last = (documents[-1].entity, documents[-1].id) if documents else run.after
                is_last = len(documents) < _BATCH
            else:
                linked = await books.next_linked(self._connection, self._account, run.after, _BATCH)
                last = linked[-1] if linked else run.after
                is_last = len(linked) < _BATCH
                lone = await self._without_document(run, linked)
            results = await compare_batch(self._connection, given, documents, lone)
            months = Months(run.months)
            for each in results:
                months.add(each.compared)
            await runs.keep_results(self._connection, self._account, run.run_id, results, last, months.all())
            if is_last and run.phase == "records":
                await runs.enter(self._connection, run.run_id, "links")
            elif is_last:
                await runs.finish(self._connection, self._account, run.run_id, None)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")

    async def _without_document(self, run: Run, linked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return those of these linked documents that SalesBinder did not show, as far as it can be told."""
        listings = {entity: listing for listing, entity in DOCUMENTS.items()}
        shown = await runs.shown_to(self._connection, self._account, run.run_id, linked)
        return [
            (entity, record)
            for entity, record in linked
            if (entity, record) not in shown
            and run.lists.get(listings["invoice" if entity == "invoice" else "purchase_order"]) == "read"
        ]


def _in_words(error: Exception) -> str:
    """Return what broke a comparison, and what to do."""
    if isinstance(error, psycopg.Error):
        words = in_words(error)
        if about_the_database(error):
            return f"{words.problem}; {words.remedy}"
        text = words.problem
    else:
        text = f"{type(error).__name__}: {error}"
    return f"an internal error: {text[:_MOST_TEXT]}; nothing was changed: report it with the worker's log"


def interval(every: str) -> timedelta | None:
    """Return a setting such as ``1d`` as a duration; None for ``off``."""
    return None if every == "off" else int(every[:-1]) * _EVERY[every[-1]]

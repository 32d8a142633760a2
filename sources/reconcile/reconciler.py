"""Reconcile one account, beside its reader: each step is one call or one batch, kept in one transaction.

SalesBinder's rows are read again, at the background's pace within the account's limits; then details, only of
documents whose money the reader does not hold as the row shows it; then the account's lane reads in Xero what
was changed there since it read last, as ``sbx drift`` does; then all is compared from the database alone.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
import structlog

from connections import store as connections
from runtime import metrics
from runtime.crash_points import crash_point
from runtime.database import Connection
from runtime.trouble import about_the_database, in_words
from sinks.drift import acts as drift
from sinks.drift import books
from sources.client import NoAnswer
from sources.problems import Unreadable
from sources.reader import Asks
from sources.reading import DOCUMENTS, Batch, ids_of
from sources.reconcile import runs
from sources.reconcile.compared import Known, compare_batch
from sources.reconcile.looks import body_of, read_rows, with_money
from sources.reconcile.months import Months
from sources.reconcile.runs import ListState, Run
from sources.reconcile.shop import ShopDocument
from sources.salesbinder import answers
from sources.salesbinder.verdicts import Answer
from sources.schedule.budget import blocked_until
from sources.schedule.choice import DetailRequest, ListRequest, background_at
from sources.schedule.layers import LISTINGS, Listing
from sources.schedule.questions import RESOURCES, Question, question
from sources.schedule.scans import Scan, Step, after_no_page, after_page, scan_key
from sources.store import store
from sources.store.store import Account, Lease

log = structlog.stdlib.get_logger(__name__)

BY_SCHEDULE: Final = "reconcile_every"
"""Who asked, where nobody did; the setting that says how often."""
MAX_DETAILS: Final = 500
"""Details of one comparison: beyond them, paid and refunded are compared as a sum."""
_WHY: Final = "reconcile"
"""What its calls are counted as."""
_BATCH: Final = 500
_IDLE: Final = 2.0
_WAITING: Final = timedelta(seconds=1)
_DUE_EVERY: Final = 30.0
_SHORTEST: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(minutes=10)
_GIVE_UP: Final = 30
"""Answers of no use in a row after which a comparison ends with an error."""
_MOST_TEXT: Final = 500
"""Characters of an error's own text that are told."""
_EVERY: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Reconciler:
    """Reconciles an account under its reader's lease."""

    def __init__(self, connection: Connection, lease: Lease, client: Asks) -> None:
        self._connection, self._lease, self._client = connection, lease, client
        self._account = lease.account
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
            if is_trouble and failures + 1 < _GIVE_UP:
                log.warning("a reconciliation is put off", account=self._account, problem=_in_words(error))
                until = found["now"] + _after(failures)
                await runs.put_off(self._connection, run_id, until, _in_words(error), failed=True)
            else:
                log.error("a reconciliation broke", account=self._account, exc_info=error)
                await runs.finish(self._connection, self._account, run_id, _in_words(error))
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")

    async def _step(self, run: Run) -> float:
        if run.phase == "rows":
            return await self._rows(run)
        if run.phase == "details":
            return await self._details(run)
        if run.phase == "xero":
            return await self._xero(run)
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
        if every is not None and (last is None or account.now - last >= every):
            await runs.ask(self._connection, self._account, BY_SCHEDULE)

    # SalesBinder

    async def _rows(self, run: Run) -> float:
        listing = _next_list(run)
        if listing is None and set(run.lists.values()) == {"refused"}:
            await self._finish(run, "SalesBinder refuses the key: 'sbx source status' says what to do")
            return 0.0
        if listing is None:
            async with store.fenced(self._connection, self._lease):
                await runs.enter(self._connection, run.run_id, "details")
                crash_point("reconcile_step.before_commit")
            crash_point("reconcile_step.after_commit")
            return 0.0
        scan = run.scan or Scan(layer="all", listing=listing, started=run.now)
        wait, account, answer = await self._ask(run, question(ListRequest(scan)))
        if account is None or answer is None:
            return wait
        if answer.verdict in ("key_refused", "not_permitted"):
            await self._keep_page(run, account, [], None, {**run.lists, listing: "refused"})
            return 0.0
        try:
            if answer.verdict == "not_there" and scan.page > 1:
                await self._page(run, account, (), after_no_page(scan, None))
                return 0.0
            page = answers.read_list(body_of(answer), RESOURCES[listing].names)
        except Unreadable as wrong:
            return await self._trouble(run, account, str(wrong))
        at = answer.date or account.now
        # A list that is suddenly cut says nothing of documents that it does not show.
        last = account.standing.finished.get(scan_key("all", listing))
        count = last.whole if last is not None else None
        step = after_page(scan, page, ids_of(page.rows, listing), at, count)
        await self._page(run, account, page.rows, step)
        return 0.0

    async def _page(self, run: Run, account: Account, rows: Sequence[Any], step: Step) -> None:
        lists = dict(run.lists)
        if step.state == "done":
            lists[step.scan.listing] = "odd" if step.oddity is not None else "read"
        await self._keep_page(run, account, rows, None if step.state == "done" else step.scan, lists)

    async def _keep_page(
        self,
        run: Run,
        account: Account,
        rows: Sequence[Any],
        scan: Scan | None,
        lists: Mapping[Listing, ListState],
    ) -> None:
        listing = _next_list(run) or "invoices"
        async with store.fenced(self._connection, self._lease):
            known = await connections.load_connection(self._connection, self._account)
            cut_off = known.enabled_at if known is not None else None
            kept = await store.kept(self._connection, self._account, ids_of(rows, listing))
            found, wishes = read_rows(rows, listing, kept, account, cut_off)
            await runs.keep_rows(self._connection, self._account, run.run_id, found, scan, lists)
            await store.keep(self._connection, self._account, Batch(wanted=wishes))
            crash_point("reconcile_rows.before_commit")
        crash_point("reconcile_rows.after_commit")

    async def _details(self, run: Run) -> float:
        wanted = await runs.next_wanted(self._connection, self._account, run.run_id)
        if wanted is None or run.details >= MAX_DETAILS:
            async with store.fenced(self._connection, self._lease):
                await runs.enter(self._connection, run.run_id, "xero")
                crash_point("reconcile_step.before_commit")
            crash_point("reconcile_step.after_commit")
            return 0.0
        wait, account, answer = await self._ask(run, question(DetailRequest(wanted.id, "deep")))
        if account is None or answer is None:
            return wait
        document = with_money(wanted, answer, self._account)
        async with store.fenced(self._connection, self._lease):
            await runs.keep_detail(self._connection, self._account, run.run_id, document)
            crash_point("reconcile_rows.before_commit")
        crash_point("reconcile_rows.after_commit")
        return 0.0

    async def _ask(self, run: Run, asked: Question) -> tuple[float, Account | None, Answer | None]:
        """Make a call once one is free; without an account, none was made and it is to wait that long."""
        async with store.fenced(self._connection, self._lease):
            account = await store.load(self._connection, self._account)
            free = background_at(account.standing, account.now)
            if free > account.now:
                return (free - account.now).total_seconds(), None, None
            await store.add_call(self._connection, self._account, account.now, background=True)
            await runs.count_call(self._connection, run.run_id)
            crash_point("reconcile_question.before_commit")
        crash_point("reconcile_question.after_commit")
        try:
            answer = await self._client.ask(asked)
        except NoAnswer as error:
            metrics.SOURCE_CALLS.labels(_WHY, "no_answer").inc()
            return await self._trouble(run, account, str(error)), account, None
        metrics.SOURCE_CALLS.labels(_WHY, answer.verdict).inc()
        if answer.verdict == "blocked":
            async with store.fenced(self._connection, self._lease):
                until = blocked_until(account.now, account.failures + 1, answer.retry_after)
                await store.keep_trouble(self._connection, self._account, "salesbinder_blocked", "429", until)
                crash_point("reconcile_step.before_commit")
            crash_point("reconcile_step.after_commit")
            return _IDLE, account, None
        if answer.verdict in ("unavailable", "redirected"):
            return await self._trouble(run, account, f"it answered {answer.status}"), account, None
        return 0.0, account, answer

    async def _trouble(self, run: Run, account: Account, text: str) -> float:
        """Try again later; a while without any use of the answers ends the comparison."""
        if run.failures + 1 >= _GIVE_UP:
            await self._finish(run, f"SalesBinder gives no usable answer: {text}")
            return 0.0
        wait = _after(run.failures)
        await self._put_off(run, account.now + wait, f"SalesBinder: {text}", failed=True)
        return min(wait.total_seconds(), _IDLE)

    # Xero

    async def _xero(self, run: Run) -> float:
        known = await connections.load_connection(self._connection, self._account)
        if known is None:
            await self._finish(run, _not_connected(self._account))
            return 0.0
        if run.xero_run is None:
            return await self._ask_for_xero(run)
        reading = await drift.reading(self._connection, run.xero_run)
        if reading["finished_at"] is None:
            why = f"Xero is read: {reading['calls']} of about {reading['calls_expected']} calls"
            if known.status == "lost":
                why = "Xero no longer accepts our access: connect the account again"
            elif known.paused_at is not None:
                why = f"the account is paused: {known.paused_reason}"
            await self._put_off(run, run.now + _WAITING, why, failed=False)
            return _WAITING.total_seconds()
        if reading["error"] is not None:
            await self._finish(run, f"Xero could not be read: {reading['error']}")
            return 0.0
        async with store.fenced(self._connection, self._lease):
            await runs.xero_read(self._connection, run.run_id, reading["calls"])
            await runs.enter(self._connection, run.run_id, "records")
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")
        return 0.0

    async def _ask_for_xero(self, run: Run) -> float:
        """Ask the lane to read what was changed since it read last. One that is under way may have read
        before SalesBinder's rows were: it is waited for.
        """
        async with store.fenced(self._connection, self._lease):
            other = await drift.reading_under_way(self._connection, self._account)
            if other is None:
                is_whole = await books.are_whole(self._connection, self._account)
                plan = await drift.plan(self._connection, self._account, full=not is_whole)
                asked = await drift.ask(self._connection, self._account, plan, run.actor)
                await runs.wait_for_xero(self._connection, run.run_id, asked)
            else:
                why = "a comparison of Xero that was asked for before is under way"
                await runs.put_off(self._connection, run.run_id, run.now + _WAITING, why, failed=False)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")
        return 0.0 if other is None else _WAITING.total_seconds()

    # Comparing

    async def _compare(self, run: Run) -> None:
        """Compare the next documents of SalesBinder, then those that are in Xero alone; or end."""
        known = await connections.load_connection(self._connection, self._account)
        if known is None:
            await self._finish(run, _not_connected(self._account))
            return
        is_last = False
        async with store.fenced(self._connection, self._lease):
            history = await connections.settings_history(self._connection, self._account)
            account = await store.load(self._connection, self._account)
            log_read = account.standing.finished.get(scan_key("log", "log"))
            log_read_at = log_read.started if log_read is not None else None
            given = Known(self._account, known, run.started_at, history, log_read_at)
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

    async def _put_off(self, run: Run, until: datetime, why: str, *, failed: bool) -> None:
        async with store.fenced(self._connection, self._lease):
            await runs.put_off(self._connection, run.run_id, until, why, failed=failed)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")

    async def _finish(self, run: Run, error: str) -> None:
        async with store.fenced(self._connection, self._lease):
            await runs.finish(self._connection, self._account, run.run_id, error)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")


def _after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return min(_SHORTEST * (1 << min(failures, 10)), _LONGEST)


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


def _next_list(run: Run) -> Listing | None:
    return next((each for each in DOCUMENTS if each not in run.lists), None)


def _not_connected(account: str) -> str:
    return f"'{account}' is not connected to Xero: sbx connect {account}"


def interval(every: str) -> timedelta | None:
    """Return a setting such as ``1d`` as a duration; None for ``off``."""
    return None if every == "off" else int(every[:-1]) * _EVERY[every[-1]]

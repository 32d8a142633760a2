"""SalesBinder's side of a reconciliation: its rows again, and details where money is not known."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from connections import store as connections
from runtime import metrics
from runtime.crash_points import crash_point
from runtime.database import Connection
from sources.batch import DOCUMENTS, Batch
from sources.client import NoAnswer
from sources.misses import OUTAGE
from sources.odd import unseen_in_words
from sources.problems import Unreadable
from sources.reader import Asks
from sources.reading import ids_of
from sources.reconcile import runs
from sources.reconcile.looks import body_of, read_rows, with_money
from sources.reconcile.runs import ListState, Reading, Run
from sources.reconcile.steps import Steps, after, may_go_on
from sources.salesbinder import answers
from sources.salesbinder.verdicts import Answer
from sources.schedule.budget import blocked_until
from sources.schedule.choice import DetailRequest, ListRequest, background_at
from sources.schedule.failing import after_failure
from sources.schedule.layers import Listing
from sources.schedule.questions import RESOURCES, Question, question
from sources.schedule.scans import Scan, Step, after_no_page, after_page, scan_key
from sources.store import keeping, store
from sources.store.store import Account, Lease

MAX_DETAILS: Final = 500
"""Details of one comparison: beyond them, paid and refunded are compared as a sum."""
_WHY: Final = "reconcile"
"""What its calls are counted as."""
_IDLE: Final = 2.0
_PAGE_AGAIN: Final = timedelta(minutes=1)
"""A page that fails while others are shown is asked for again so late at most."""
_DETAIL_TRIES: Final = 3
"""So often a detail may fail while others are shown; then its money is compared as a sum."""


class _NoUse(Exception):
    """A call to which no answer of use came."""

    def __init__(self, account: Account, text: str) -> None:
        self.account = account
        super().__init__(text)


class ShopSide(Steps):
    """Reads SalesBinder for a reconciliation, at the background's pace within the account's limits."""

    def __init__(self, connection: Connection, lease: Lease, client: Asks) -> None:
        super().__init__(connection, lease)
        self._client = client

    async def rows(self, run: Run) -> float:
        """Read a page; return the seconds until the next step may be due."""
        listing = _next_list(run)
        if listing is None and set(run.lists.values()) == {"refused"}:
            await self.finish(run, "SalesBinder refuses the key: 'sbx source status' says what to do")
            return 0.0
        if listing is None:
            await self.enter(run, "details")
            return 0.0
        scan = run.scan or Scan(layer="all", listing=listing, started=run.now)
        try:
            wait, account, answer = await self._ask(run, question(ListRequest(scan)))
        except _NoUse as none:
            return await self._page_failed(run, none.account, scan, str(none))
        if account is None or answer is None:
            return wait
        if answer.verdict in ("key_refused", "not_permitted"):
            refused = Reading(None, {**run.lists, listing: "refused"}, {})
            await self._keep_page(run, account, listing, [], refused)
            return 0.0
        try:
            if answer.verdict == "not_there" and scan.page > 1:
                await self._keep_page(run, account, listing, (), _after(run, after_no_page(scan, None)))
                return 0.0
            page = answers.read_list(body_of(answer), RESOURCES[listing].names)
        except Unreadable as wrong:
            if wrong.code == "list_refused":
                return await self._trouble(run, account, str(wrong))
            return await self._page_failed(run, account, scan, str(wrong))
        at = answer.date or account.now
        step = after_page(scan, page, ids_of(page.rows, listing), at, _rows_before(account, listing))
        await self._keep_page(run, account, listing, page.rows, _after(run, step))
        return 0.0

    async def _page_failed(self, run: Run, account: Account, scan: Scan, text: str) -> float:
        """Go on in smaller pages, or behind rows that cannot be shown, once a page failed again; while the
        reader has no answers either, wait for SalesBinder.
        """
        if account.failures >= OUTAGE or not may_go_on(run.failures):
            return await self._trouble(run, account, text)
        step = after_failure(scan, _rows_before(account, scan.listing))
        wait = min(after(run.failures), _PAGE_AGAIN)
        async with store.fenced(self._connection, self._lease):
            until, why = account.now + wait, f"SalesBinder: {text}"
            await runs.page_failed(self._connection, run.run_id, _after(run, step), until, why)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")
        return min(wait.total_seconds(), _IDLE)

    async def _keep_page(
        self, run: Run, account: Account, listing: Listing, rows: Sequence[Any], reading: Reading
    ) -> None:
        async with store.fenced(self._connection, self._lease):
            known = await connections.load_connection(self._connection, self._account)
            cut_off = known.enabled_at if known is not None else None
            kept = await keeping.kept(self._connection, self._account, ids_of(rows, listing))
            found, wishes = read_rows(rows, listing, kept, account, cut_off)
            await runs.keep_rows(self._connection, self._account, run.run_id, found, reading)
            await keeping.keep(self._connection, self._account, Batch(wanted=wishes), account.now)
            crash_point("reconcile_rows.before_commit")
        crash_point("reconcile_rows.after_commit")

    async def details(self, run: Run) -> float:
        """Read a detail of a document whose money is not known; return the same."""
        wanted = await runs.next_wanted(self._connection, self._account, run.run_id)
        if wanted is None or run.details >= MAX_DETAILS:
            await self.enter(run, "xero")
            return 0.0
        document = wanted
        try:
            wait, account, answer = await self._ask(run, question(DetailRequest(wanted.id, "deep")))
        except _NoUse as none:
            if none.account.failures >= OUTAGE or run.failures < _DETAIL_TRIES:
                return await self._trouble(run, none.account, str(none))
        else:
            if account is None or answer is None:
                return wait
            document = with_money(wanted, answer, self._account)
        async with store.fenced(self._connection, self._lease):
            await runs.keep_detail(self._connection, self._account, run.run_id, document)
            crash_point("reconcile_rows.before_commit")
        crash_point("reconcile_rows.after_commit")
        return 0.0

    async def _ask(self, run: Run, asked: Question) -> tuple[float, Account | None, Answer | None]:
        """Make a call once one is free; without an account, none was made and it is to wait that long.

        Raises:
            _NoUse: there is no answer, or none of use.
        """
        async with store.fenced(self._connection, self._lease):
            account = await store.load(self._connection, self._account)
            if account.is_unproven:
                return _IDLE, None, None
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
            raise _NoUse(account, str(error)) from error
        metrics.SOURCE_CALLS.labels(_WHY, answer.verdict).inc()
        if answer.verdict == "blocked":
            async with store.fenced(self._connection, self._lease):
                until = blocked_until(account.now, account.failures + 1, answer.retry_after)
                await keeping.keep_trouble(
                    self._connection, self._account, "salesbinder_blocked", "429", until
                )
                crash_point("reconcile_step.before_commit")
            crash_point("reconcile_step.after_commit")
            return _IDLE, account, None
        if answer.verdict in ("unavailable", "redirected"):
            raise _NoUse(account, f"it answered {answer.status}")
        return 0.0, account, answer

    async def _trouble(self, run: Run, account: Account, text: str) -> float:
        """Try again later; a while without any use of the answers ends the comparison."""
        if not may_go_on(run.failures):
            await self.finish(run, f"SalesBinder gives no usable answer: {text}")
            return 0.0
        wait = after(run.failures)
        await self.put_off(run, account.now + wait, f"SalesBinder: {text}", failed=True)
        return min(wait.total_seconds(), _IDLE)


def _next_list(run: Run) -> Listing | None:
    return next((each for each in DOCUMENTS if each not in run.lists), None)


def _rows_before(account: Account, listing: Listing) -> int | None:
    """Return how many rows the reader saw last: a list that is suddenly cut says nothing of documents that it
    does not show.
    """
    last = account.standing.finished.get(scan_key("all", listing))
    return last.whole if last is not None else None


def _after(run: Run, step: Step) -> Reading:
    """Return how the reading goes on after this step of a list."""
    scan = step.scan
    if step.state != "done":
        return Reading(scan, run.lists, {})
    state: ListState = "odd" if step.oddity is not None else "in_part" if scan.skipped else "read"
    unread = {scan.listing: "{} ({})".format(*unseen_in_words(scan))} if scan.skipped else {}
    return Reading(None, {**run.lists, scan.listing: state}, unread)

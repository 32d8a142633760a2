"""What follows from an answer of no use: who waits, for how long, and what people are told."""

from datetime import datetime, timedelta
from typing import Final

from runtime.crash_points import crash_point
from runtime.database import Connection
from sources.batch import Batch
from sources.details import again, put_off, subject_of
from sources.keeper import Keeper
from sources.odd import failing, note_skipped, refused_list, refused_record
from sources.problems import Unreadable
from sources.salesbinder.verdicts import Answer
from sources.schedule.choice import DetailRequest, ListRequest, Request
from sources.schedule.failing import after_failure
from sources.schedule.layers import LISTINGS
from sources.schedule.scans import Scan, scan_key
from sources.store import keeping, store
from sources.store.store import Account, Lease

_LISTS: Final = len({listing for listings in LISTINGS.values() for listing in listings})
"""Lists refused in a row of which none lacks a permission: there are no more."""
_REFUSED: Final = timedelta(minutes=10)
"""A key or permission that is refused is tried again so often; a new key is tried at once."""
_FAILED: Final = timedelta(minutes=1)
"""A list to which no answer came is left alone for so much longer than the others."""
OUTAGE: Final = 3
"""After so many failures in a row it is not one record or list, but SalesBinder as a whole."""
_SHORTEST: Final = timedelta(seconds=5)
_LONGEST: Final = timedelta(minutes=10)


class Misses:
    """Keeps what follows from answers of no use, each in one transaction of the reader's lease."""

    def __init__(self, connection: Connection, lease: Lease, keeper: Keeper) -> None:
        self._connection, self._lease, self._keeper = connection, lease, keeper
        self._account = lease.account

    async def refused(self, account: Account, request: Request, answer: Answer) -> None:
        """Leave a list alone that the key may not read, all layers of it; if all are refused, it is the key.

        Which status a missing permission has and which a revoked key is not known.
        """
        if isinstance(request, ListRequest) and account.refusals + 1 >= _LISTS:
            text = str(answer.status)
            await self.trouble(account, "salesbinder_key_refused", text, account.now + _REFUSED)
            return
        wrong = refused_list(answer)
        batch = Batch()
        async with store.fenced(self._connection, self._lease):
            if isinstance(request, DetailRequest):
                wish = account.wishes[request.record_id]
                batch.wanted.append(again(wish, account.now))
                if wish.tries:
                    # The first time it may be the key, of which people are told once.
                    batch.problems.append(refused_record(answer).of(*subject_of(wish)))
            else:
                listing = request.scan.listing
                batch.problems.append(wrong.of(listing, ""))
                layers = [layer for layer, listings in LISTINGS.items() if listing in listings]
                keys = {request.scan.key, *(scan_key(layer, listing) for layer in layers)}
                for key in sorted(keys):
                    await keeping.hold_scan(self._connection, self._account, key, account.now + _REFUSED)
            await self._keeper.keep(account, batch)
            await keeping.add_refusal(
                self._connection, self._account, of_list=isinstance(request, ListRequest)
            )
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def missing(self, account: Account, request: Request, wrong: Unreadable) -> None:
        """Leave alone for a while what is not there, or answered with something else; if all lists are, it is
        the account.

        A page for people may come in place of every answer: maintenance, an unpaid bill, a proxy. A list that
        asks for changes may be not there when there are none.
        """
        is_list, is_gone = isinstance(request, ListRequest), wrong.code == "list_refused"
        if is_list and account.missing + 1 >= _LISTS and not (is_gone and _is_filtered(request)):
            trouble = "salesbinder_account_gone" if is_gone else "salesbinder_unavailable"
            until = account.now + (_REFUSED if is_gone else wait_of(account))
            await self.trouble(account, trouble, wrong.problem, until)
            return
        await self.put_off(account, request, wrong, counts=is_list)

    async def put_off(
        self, account: Account, request: Request, wrong: Unreadable, *, counts: bool = False
    ) -> None:
        """Leave something alone for a while; all else goes on. ``counts``: as a list that is missing."""
        batch = Batch()
        async with store.fenced(self._connection, self._lease):
            if isinstance(request, DetailRequest):
                wish = account.wishes[request.record_id]
                batch.problems.append(wrong.of(*subject_of(wish)))
                batch.wanted.append(again(wish, account.now))
            else:
                batch.problems.append(wrong.of(request.scan.listing, request.scan.layer))
                if wrong.code != "list_refused":
                    await self._next_page(account, request.scan, batch)
                # Others of its pages were shown: a smaller one is worth a try soon.
                wait = _REFUSED if request.scan.asked is None else _FAILED
                await keeping.hold_scan(self._connection, self._account, request.scan.key, account.now + wait)
            await self._keeper.keep(account, batch)
            if counts:
                await keeping.add_missing(self._connection, self._account)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def failure(self, account: Account, request: Request, text: str) -> None:
        """Let the account wait, and what was asked for longer than all else: one record or list that
        SalesBinder cannot show must not hold up the others. If it fails again, and is not one of many, it is
        reported.
        """
        at = account.now + wait_of(account)
        batch, is_alone = Batch(), account.failures < OUTAGE
        async with store.fenced(self._connection, self._lease):
            if isinstance(request, DetailRequest):
                wish = account.wishes[request.record_id]
                batch.wanted.append(put_off(wish, at))
                is_alone, place = is_alone and wish.tries > 0, subject_of(wish)
            else:
                scan = request.scan
                if is_alone:
                    await self._next_page(account, scan, batch)
                is_alone, place = is_alone and scan.failed > 0, (scan.listing, scan.layer)
                await keeping.hold_scan(self._connection, self._account, scan.key, at + _FAILED)
            if is_alone:
                batch.problems.append(failing(text).of(*place))
            await self._keeper.keep(account, batch)
            await keeping.keep_trouble(self._connection, self._account, "salesbinder_unavailable", text, at)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def _next_page(self, account: Account, scan: Scan, batch: Batch) -> None:
        """Let the scan go on in smaller pages, or behind what cannot be shown, once its page failed again."""
        last = account.standing.finished.get(scan.key)
        step = after_failure(scan, last.whole if last is not None else None)
        if step.scan.skipped and step.scan.asked is not None:
            note_skipped(step.scan, batch)
        await keeping.keep_scan(self._connection, self._account, step, account.now, last)

    async def trouble(self, account: Account, trouble: str, text: str, until: datetime) -> None:
        async with store.fenced(self._connection, self._lease):
            await keeping.keep_trouble(self._connection, self._account, trouble, text, until)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")


def wait_of(account: Account) -> timedelta:
    """Return how long an account is left alone that gives no answers."""
    return min(_SHORTEST * (1 << min(account.failures, 10)), _LONGEST)


def _is_filtered(request: Request) -> bool:
    """Return True if no row may be what was asked for, which must not look like a list that is gone."""
    scan = request.scan if isinstance(request, ListRequest) else None
    return scan is None or scan.since is not None or scan.status is not None

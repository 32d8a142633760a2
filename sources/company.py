"""Whether a key is of the company that an account is known as: it must show one of its records.

With the key of another company, all of that company's customers and documents would be told as new ones of
this one. Where SalesBinder does not say, nothing is read with the key until it does.
"""

from collections.abc import Mapping
from datetime import timedelta
from itertools import zip_longest
from typing import Final

from contracts.commands import Entity
from runtime.crash_points import crash_point
from runtime.database import Connection
from sources.batch import ACCOUNTS, Kept, Key
from sources.misses import Misses, wait_of
from sources.problems import Unreadable
from sources.salesbinder.answers import read_detail
from sources.salesbinder.values import own_id
from sources.salesbinder.verdicts import Answer
from sources.schedule.budget import blocked_until, free_at
from sources.schedule.choice import DetailRequest, Pause
from sources.store import keeping, store
from sources.store.calls import BLOCKED
from sources.store.store import UNPROVEN, Account, Lease

LATELY: Final = 50
"""Records of each kind that changed last, among which witnesses are."""
_WITNESSES: Final = 5
"""Known records that are asked for, in one round, until one of them is shown."""
_AGAIN: Final = timedelta(minutes=10)


def witnesses(lately: Mapping[Key, Kept], rounds: int = 0) -> list[Key]:
    """Return records that a key of this company shows, others than in the ``rounds`` before: of all kinds in
    turn, as the key's user may see only some.
    """
    kinds: dict[Entity, list[Key]] = {}
    for key, kept in lately.items():
        if not kept.known.deleted:
            kinds.setdefault(key[0], []).append(key)
    found = [key for turn in zip_longest(*kinds.values()) for key in turn if key is not None]
    first = rounds * _WITNESSES % max(len(found), 1)
    return (found[first:] + found[:first])[:_WITNESSES]


def request_for(witness: Key) -> DetailRequest:
    """Return the request for a known record."""
    entity, record_id = witness
    return DetailRequest(record_id, "again", of_account=entity in ACCOUNTS.values())


def is_shown(answer: Answer, witness: Key) -> bool | None:
    """Return whether the record is shown; None for an answer that says nothing about it."""
    entity, record_id = witness
    if answer.verdict == "not_there":
        return False
    try:
        name = "customer" if entity in ACCOUNTS.values() else "document"
        record = read_detail(answer.body, name) if answer.verdict == "answered" else {}
    except Unreadable:
        return None
    return True if own_id(record.get("id")) == record_id else None


def in_words(unclear: str, witness: Key) -> str:
    """Return why the key is not known to be of this company; ``unclear`` is an answer that said nothing."""
    name = f"{witness[0].replace('_', ' ')} {witness[1]}"
    if unclear:
        return f"SalesBinder does not say whether the key shows {name} ({unclear})"
    return f"SalesBinder shows this key none of the records that are known, such as {name}"


class Company:
    """Asks for one record after the other with a key, until one is shown."""

    def __init__(self, connection: Connection, lease: Lease, misses: Misses) -> None:
        self._connection, self._lease, self._misses = connection, lease, misses
        self._account = lease.account
        self._left: list[Key] = []
        self._unclear = ""
        self._rounds = 0

    async def next_request(self, account: Account) -> DetailRequest | Pause:
        """Return the question for the next record, within the reader's transaction."""
        standing, now = account.standing, account.now
        free = max(free_at(standing.sent, now), standing.blocked_until or now)
        if free > now:
            return Pause(free)
        if not self._left:
            self._unclear = ""
            lately = await keeping.lately_kept(self._connection, self._account, LATELY)
            self._left = witnesses(lately, self._rounds)
            self._rounds += 1
        if not self._left:
            await keeping.prove(self._connection, self._account)
            return Pause(now)
        return request_for(self._left[0])

    async def take(self, account: Account, answer: Answer | None) -> None:
        """Keep what the answer says of the key; None: none came."""
        witness = self._left.pop(0)
        shown = None if answer is None else is_shown(answer, witness)
        if shown:
            async with store.fenced(self._connection, self._lease):
                await keeping.prove(self._connection, self._account)
                crash_point("seen.before_commit")
            crash_point("seen.after_commit")
            return
        if answer is not None and answer.verdict == "blocked":
            until = blocked_until(account.now, account.failures + 1, answer.retry_after)
            await self._misses.trouble(account, BLOCKED, "429", until)
        elif answer is None or answer.verdict in ("unavailable", "redirected"):
            # Another record comes first then: perhaps it is this one that SalesBinder cannot show.
            self._unclear = "no answer" if answer is None else str(answer.status)
            await self._hold(account, witness, self._unclear, wait_of(account))
        else:
            self._unclear = self._unclear if shown is False else str(answer.status)
            if not self._left:
                await self._hold(account, witness, self._unclear, _AGAIN)

    async def _hold(self, account: Account, witness: Key, unclear: str, wait: timedelta) -> None:
        text = in_words(unclear, witness)
        await self._misses.trouble(account, UNPROVEN, text, account.now + wait)

"""Learn what SalesBinder leaves open, from an account's answers and from what its reader has measured."""

import asyncio
from collections.abc import Mapping, Sequence

from runtime.environment import Environment
from sbx.actions import source
from sbx.actions.actors import Actor, Connection
from sbx.actions.asking import Tell, asking
from sbx.actions.refused import not_possible
from sources.client import NoAnswer
from sources.probing import measured
from sources.probing.measured import Measured
from sources.probing.questions import Finding
from sources.probing.shapes import shapes
from sources.probing.watcher import NotFound, Watcher
from sources.store import keeping, store
from sources.store.overview import Overview


async def probed(
    connection: Connection,
    environment: Environment,
    actor: Actor,
    account: str,
    tell: Tell | None = None,
) -> list[Finding]:
    """Return what the account's own answers tell of SalesBinder's API, within its limits.

    Raises:
        ActionRefused: the account is not connected or not theirs, or SalesBinder does not answer.
    """
    (found,) = await source.standing(connection, actor, account)
    known = await _measured(connection, environment, actor, found)
    encrypted = (await store.accounts(connection))[account]

    async def entities_of(ids: Sequence[str]) -> Mapping[str, str]:
        kept = await keeping.kept(connection, account, ids)
        return {record_id: entity for entity, record_id in kept}

    try:
        async with asking(connection, environment, account, encrypted, tell) as ask:
            return [*await shapes(ask, entities_of), *measured.findings(known)]
    except NoAnswer as error:
        raise not_possible(f"SalesBinder does not answer: {error}", "try again later") from error


async def watched(
    connection: Connection,
    environment: Environment,
    actor: Actor,
    account: str,
    number: str,
    tell: Tell,
    stop: asyncio.Event,
) -> list[Finding]:
    """Watch a document until ``stop`` is set; return what was found. ``number`` is its number or its id.

    Raises:
        ActionRefused: the account is not connected or not theirs; there is no such document.
    """
    await source.standing(connection, actor, account)
    encrypted = (await store.accounts(connection))[account]
    found: list[Finding] = []
    async with asking(connection, environment, account, encrypted, tell) as ask:
        watching = asyncio.ensure_future(Watcher(ask, found, tell).watch(number))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        except NotFound as error:
            raise not_possible(
                f"no invoice or order of '{account}' has the number or id {number}",
                "see its page in SalesBinder",
            ) from error
        except NoAnswer as error:
            # What was learnt before is not lost.
            tell(f"SalesBinder does not answer any more: {error}")
        finally:
            stopping.cancel()
            watching.cancel()
            await asyncio.gather(watching, stopping, return_exceptions=True)
    return found


async def _measured(
    connection: Connection, environment: Environment, actor: Actor, found: Overview
) -> Measured:
    account = await store.load(connection, found.account)
    hook = await source.hook(connection, environment, actor, found.account)
    return Measured(
        trust=found.trust,
        statuses=account.standing.open_statuses,
        problems={each.code: each.count for each in found.problems},
        trouble=None if found.trouble is None else (found.trouble, found.trouble_text),
        feed=_feed(found),
        hook_at=None if hook is None else hook.last_at,
    )


def _feed(found: Overview) -> str | None:
    if found.feed is None:
        return None
    if found.feed.trouble:
        return "followed, but it cannot be read"
    return (
        "followed, not read yet"
        if found.feed.last_at is None
        else f"read last at {found.feed.last_at:%F %R} UTC"
    )

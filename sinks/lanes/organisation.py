"""Ask Xero about the organisation: the few reads against which settings are checked and documents
resolved.
"""

from connections.facts import OrganisationFacts, with_books
from sinks.lanes.lane import Lane
from sinks.lanes.single_get import NoUsableAnswer, read, wait_for_turn
from sinks.ledger.entries import now_utc
from sinks.xero.client import Request
from sinks.xero.responses import decode

_PATHS = {
    "organisation": "/Organisation",
    "accounts": "/Accounts",
    "tax_rates": "/TaxRates",
    "currencies": "/Currencies",
    "items": "/Items",
}


async def ask(lane: Lane) -> OrganisationFacts:
    """Ask Xero for fresh facts, with five calls within the account's limits.

    Raises:
        NoUsableAnswer: a call failed; the lane's budget says until when to wait.
        NotNow: the limits are used up for more than a minute, or the lane is to end.
    """
    answers = {}
    for name, path in _PATHS.items():
        answers[name] = await _read(lane, path)
    try:
        return OrganisationFacts.from_xero(fetched_at=now_utc(), **answers)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        lane.state.back_off()
        raise NoUsableAnswer(f"Xero's description of the organisation cannot be read: {error!r}") from error


async def ask_books(lane: Lane, facts: OrganisationFacts) -> OrganisationFacts:
    """Return the facts with accounts and lock dates read again, with two calls: something may have been
    closed since.

    Raises:
        NoUsableAnswer: a call failed; the lane's budget says until when to wait.
        NotNow: the limits are used up for more than a minute, or the lane is to end.
    """
    organisation = await _read(lane, _PATHS["organisation"])
    accounts = await _read(lane, _PATHS["accounts"])
    try:
        return with_books(facts, organisation, accounts, now_utc())
    except (KeyError, IndexError, TypeError, ValueError) as error:
        lane.state.back_off()
        raise NoUsableAnswer(f"Xero's description of the organisation cannot be read: {error!r}") from error


async def _read(lane: Lane, path: str) -> dict[str, object]:
    await wait_for_turn(lane)
    answer = await read(lane, Request("GET", path, {}, None, None))
    document = decode(answer.body)
    if answer.status != 200 or not isinstance(document, dict):
        if answer.status == 404 and path == "/Currencies":
            return {"Currencies": []}
        raise NoUsableAnswer(f"Xero answered {answer.status} to GET {path}")
    return document

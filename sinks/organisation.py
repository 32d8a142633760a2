"""Asking Xero about the organisation: the few reads that settings are checked and documents resolved
against.
"""

import asyncio

from connections.facts import OrganisationFacts
from sinks.answers import decode
from sinks.entries import now_utc
from sinks.lane import SEND_WITHIN, Lane
from sinks.xero.client import NoAnswer, NotSent, Request, machine_seconds
from sinks.xero.oauth import TokenRefused, TokenUnavailable

_PATHS = {
    "organisation": "/Organisation",
    "accounts": "/Accounts",
    "tax_rates": "/TaxRates",
    "currencies": "/Currencies",
    "items": "/Items",
}


class NotTold(Exception):
    """Xero did not say; the message says why. Worth another try later."""


async def ask(lane: Lane) -> OrganisationFacts:
    """Facts fresh from Xero, five calls within the account's limits.

    Raises:
        NotTold: a call failed; the lane's budget says until when to wait.
    """
    answers = {}
    for name, path in _PATHS.items():
        answers[name] = await _read(lane, path)
    try:
        return OrganisationFacts.from_xero(fetched_at=now_utc(), **answers)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        lane.state.back_off()
        raise NotTold(f"Xero's description of the organisation cannot be read: {error!r}") from error


async def _read(lane: Lane, path: str) -> dict[str, object]:
    while (wait := lane.budget.wait(machine_seconds())) != 0.0:  # noqa: ASYNC110 - no event ends Xero's minute
        await asyncio.sleep(min(wait or 0.2, 1.0))
    lane.budget.sent()
    try:
        token = await lane.session.token()
        answer = await lane.session.call(
            Request("GET", path, {}, None, None), token, machine_seconds() + SEND_WITHIN
        )
    except TokenRefused as error:
        lane.budget.not_sent()
        lane.state.lost = str(error)
        raise NotTold(str(error)) from error
    except (TokenUnavailable, NotSent) as error:
        lane.budget.not_sent()
        lane.state.back_off()
        raise NotTold(str(error)) from error
    except NoAnswer as error:
        lane.budget.lost()
        lane.state.back_off()
        raise NotTold(str(error)) from error
    lane.state.answered(answer, token)
    document = decode(answer.body)
    if answer.status != 200 or not isinstance(document, dict):
        if answer.status == 404 and path == "/Currencies":
            return {"Currencies": []}
        raise NotTold(f"Xero answered {answer.status} to GET {path}")
    return document

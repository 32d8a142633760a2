"""What the page of a set-up shows: its steps, and all that the open one needs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from connections.facts import OrganisationFacts
from log_projection.queries import Filters
from sbx.actions import source
from sbx.actions.accounts import delivering
from sbx.actions.actors import Connection
from sbx.actions.connect import Wanted
from sbx.actions.facts import NOBODY
from sbx.actions.refused import ActionRefused
from sbx.actions.scoped_log import VisibleLog
from sbx.actions.setup import setups
from sbx.actions.setup.checklist import in_words
from sbx.actions.setup.holding import HELD
from sbx.actions.setup.looking_ahead import look_ahead
from sbx.actions.setup.setups import Setup
from sbx.web.auth.gate import user_of
from sbx.web.database import own_connection
from sbx.web.pages.connect_forms import forms_of
from sbx.web.services import services_of
from sbx.web.view.setup import fields_of
from sbx.web.view.source import refused_lists
from sinks.ledger import requests

_WATCHED = 20
Shown = dict[str, Any]


async def shown(
    request: Request, found: Setup, asked: str | None, errors: Mapping[str, str], given: Mapping[str, str]
) -> Shown:
    """Return the variables of ``setup.html``.

    Args:
        asked: the step to open: the next one, or one that is done; any other is as good as none.
        errors: of a form that was not accepted, by field; ``""`` concerns all.
        given: what that form had.
    """
    opened = {step.name for step in found.steps if step.state != "later"} if found.left else set()
    step = asked if asked in opened else found.next.name if found.next else ""
    more: Shown = {}
    async with services_of(request).database.connection() as connection:
        if step == "xero":
            more = await _xero(request, connection, found, given)
        elif step == "settings":
            more = _settings(found, errors, given) | await _reading(connection, found)
        elif step == "start":
            more = _start(found, given)
        elif step in ("watch", ""):
            more = await _arriving(request, connection, found)
    if step == "preview":
        more = await _preview(request, found)
    return {
        "found": found,
        "account": found.account,
        "says": in_words(found.left),
        "open": step,
        "errors": errors,
        "held": HELD,
        "documents": [],
        "refused": refused_lists(request.query_params.get("refused", "")),
        "is_running": step == "settings" and found.is_looking and found.sample is None,
        **more,
    }


async def _xero(request: Request, connection: Connection, found: Setup, given: Mapping[str, str]) -> Shown:
    """Return the forms to connect it, or how far the reading of the organisation is."""
    link = found.connection
    asked = await requests.newest(connection, found.account) if link is not None else None
    waits = link is not None and link.status != "lost" and link.facts is None
    problem = asked.error if waits and asked is not None and asked.answered_at is not None else None
    if waits and not problem and not await delivering(connection):
        problem = NOBODY
    tenant = link.tenant_id if link else given.get("tenant_id", "")
    wanted = Wanted(found.account, tenant, given.get("client_id", ""), "")
    state = {"waits": waits, "problem": problem, "is_running": waits and problem in (None, NOBODY)}
    return forms_of(request, wanted, link, given.get("form", "")) | {"is_fixed": True} | state


def _settings(found: Setup, errors: Mapping[str, str], given: Mapping[str, str]) -> Shown:
    if found.sample is None or found.connection is None or found.connection.facts is None:
        return {"fields": [], "facts": None}
    offered = setups.suggested(found)
    fields = fields_of(offered, found.connection.written, found.left_out, given, errors)
    facts: OrganisationFacts = found.connection.facts
    return {"fields": fields, "facts": facts}


async def _reading(connection: Connection, found: Setup) -> Shown:
    """Return whether Xero is being read again, and why it could not be."""
    asked = await requests.newest(connection, found.account)
    return {
        "reading": asked is not None and asked.answered_at is None,
        "reading_problem": asked.error if asked is not None else None,
    }


def _start(found: Setup, given: Mapping[str, str]) -> Shown:
    link, chosen = found.connection, found.start
    first = None if link is None else link.enabled_at if chosen is None else link.connected_at
    return {
        "since": first,
        "chosen": chosen,
        "lies_ahead": chosen is not None and chosen > datetime.now(UTC),
        "day": given.get("day", "" if chosen is None else f"{chosen.astimezone(UTC):%Y-%m-%d}"),
        "facts": None if link is None else link.facts,
    }


async def _preview(request: Request, found: Setup) -> Shown:
    """Return the sample's documents, as today's settings would make them."""
    if found.sample is None or found.connection is None:
        return {"seen": ""}
    services = services_of(request)
    # Its session is of no use for anything else afterwards.
    async with own_connection(services.environment) as connection:
        try:
            documents = await look_ahead(
                connection, user_of(request), services.environment, found.account, found.sample
            )
        except ActionRefused as refused:
            return {"seen": "", "problem": refused.message}
    return {
        "documents": documents,
        "failing": sum(bool(document.problems) for document in documents),
        "seen": setups.digest(found.connection),
        **_names(found.connection.facts),
    }


def _names(facts: OrganisationFacts | None) -> Shown:
    """Return the organisation's names of its accounts, by code and id, and of its tax rates."""
    if facts is None:
        return {"account_names": {}, "tax_names": {}}
    names = {
        account: f"{one.code} {one.name}".strip()
        for one in facts.accounts
        for account in (one.code, one.account_id)
    }
    return {"account_names": names, "tax_names": {kind: rate.name for kind, rate in facts.tax_rates.items()}}


async def _arriving(request: Request, connection: Connection, found: Setup) -> Shown:
    """Return what arrived, and what there is from before that could be sent."""
    user = user_of(request)
    rows = [row async for row in VisibleLog(connection, user).entries(
        Filters(account=found.account), limit=_WATCHED
    )]  # fmt: skip
    standing = await source.known(connection, user, found.account)
    return {
        "rows": rows,
        "standing": standing,
        "earlier": await _earlier(request, connection, found),
        "workers": await delivering(connection),
        "is_running": bool(found.left) or (standing is not None and standing.history > 0),
    }


async def _earlier(request: Request, connection: Connection, found: Setup) -> source.Backfill | str | None:
    """Return what was made since the start date and before SalesBinder was connected; in words, why nobody
    knows yet; None if there is nothing.
    """
    user = user_of(request)
    standing = await source.known(connection, user, found.account)
    link = found.connection
    if standing is None or link is None or link.enabled_at >= standing.connected_at or standing.history:
        return None
    try:
        planned = await source.plan_backfill(connection, user, found.account, link.enabled_at)
    except ActionRefused as refused:
        return refused.message
    return planned if planned.plan.documents else None

"""Settle a call: its response, its effects, and the next states of its commands, in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import structlog

from connections import store
from contracts.reasons import text_shape
from contracts.results import Attempt
from runtime.secrets import mask, mask_head
from sinks.lanes.lane import Lane
from sinks.ledger import store as ledger
from sinks.ledger.entries import now_utc
from sinks.ledger.exchange_rates import compare_rate
from sinks.ledger.jobs import Job, apply
from sinks.planner import Refusal
from sinks.xero.calls import Call, QueuedElement
from sinks.xero.client import Answer
from sinks.xero.elements import Link, StepKey, encode_jsonb
from sinks.xero.responses import ParsedResponse, Result
from sinks.xero.routes import ROUTES
from sinks.xero.statuses import is_away

log = structlog.stdlib.get_logger(__name__)

NO_ANSWER = "no answer"
"""The settlement of a call that was sent and got no response in time."""
_SERVER_ERROR = 500
_SHOWN = 20_000
"""Characters of a request or a response that an attempt keeps."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a call ended. ``look_up_in``: seconds after which a look-up of its unknown results can be
    trusted.
    """

    conclusion: str
    response: ParsedResponse
    started: datetime
    answer: Answer | None
    look_up_in: float


async def settle(lane: Lane, call: Call, settlement: Settlement) -> None:
    """Keep how ``call`` ended, plan its commands on, and let go of its targets.

    Raises:
        LeaseLost: the account belongs to another worker now; nothing was kept.
    """
    jobs: dict[str, Job] = {}
    async with lane.state_lock:
        async with lane.transaction("landing", locked=False) as connection:
            await _conclude(connection, call, settlement)
            links = await _links(connection, lane.account, call.targets)
            changed = []
            await _items_made(lane, connection, call, settlement)
            for part, result in zip(call.parts, settlement.response.results, strict=True):
                served = [lane.queue.jobs[i] for i in part.command_ids]
                jobs |= {job.entry.command_id: job for job in served}
                followers = lane.queue.waiting_for(part.element.target) if part.element.shared else ()
                taught = [*served, *followers]
                link = _applied(call, part, result, taught, links.get(part.element.target))
                _tell_namesakes(lane, part, result)
                if link is not None:
                    changed.append(await _with_rate(lane, connection, part, result, link))
                perhaps = _perhaps_applied(call, result, settlement)
                attempt = _attempt(call, part, result, settlement)
                for job in served if result.verdict == "ok" else taught:
                    if perhaps:
                        job.perhaps_changed_xero()
                    job.attempted(_seen_by(job, call, attempt))
            _note_trouble(lane, call, settlement.answer)
            # Contacts that a look-up found, and this call links.
            contacts = [link.target for link in changed if link.target.kind == "contact"]
            await ledger.resolve_unknown(connection, lane.account, contacts)
            await ledger.write_links(connection, lane.account, changed)
            await lane.state.save(connection)
            freed = [job for key in call.held for job in lane.queue.waiting_for(key)]
            jobs |= {job.entry.command_id: job for job in freed}
            outcome = await lane.planning_pass().advance(connection, list(jobs.values()))
        lane.queue.release(call.held)
        lane.take(list(jobs.values()), outcome)


def _perhaps_applied(call: Call, result: Result, settlement: Settlement) -> bool:
    """Return True if the element may have been applied without a response that says so: an object found later
    is ours.
    """
    if call.route.reads:
        return False
    if result.verdict == "not_applied":  # simply done again; a call that was not sent does not count
        status = settlement.answer.status if settlement.answer is not None else 0
        return settlement.conclusion == NO_ANSWER or status >= _SERVER_ERROR
    return result.verdict in ("unknown", "split")


def _tell_namesakes(lane: Lane, part: QueuedElement, result: Result) -> None:
    """Tell the result of a call that named a contact to those that wait for the name: they
    need not be refused themselves.
    """
    element = part.element
    if element.target.kind != "contact" or ROUTES[element.route].reads:
        return
    found = result.found[0] if result.found else {}
    if result.verdict == "ok" and not is_away(found):
        lane.names.learn(element, found)
    elif element.xero_id:
        lane.names.forget(element.xero_id)
    if element.claim is None or result.verdict != "refused" or result.code != "contact_name_taken":
        return
    for job in lane.queue.waiting_for(element.claim):
        if job.route == element.route == "contacts.create":
            job.refused(Refusal(element.step, result.code, result.details, create=True))


def _applied(
    call: Call, part: QueuedElement, result: Result, served: list[Job], link: Link | None
) -> Link | None:
    """Return the link, or None: a response that lacks something that Xero always sends must not stop the
    lane; its object is looked up, or the command fails with our own error.
    """
    try:
        return apply(part.element, result, served, link)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        log.exception("an answer could not be taken in", call=call.intent_id, step=part.element.step)
        told = {"message": f"Xero's answer could not be read: {error!r}"}
        return apply(part.element, Result("refused", code="our_error", details=told), served, link)


async def _with_rate(
    lane: Lane, connection: ledger.Connection, part: QueuedElement, result: Result, link: Link
) -> Link:
    """Compare the exchange rate of a document that Xero took with the last one, and keep it."""
    current = lane.session.connection
    known = current is not None and current.facts is not None
    if result.verdict != "ok" or "fingerprint" not in part.element.link_facts or not known:
        return link
    assert current is not None and current.facts is not None
    found = result.found[0] if result.found else {}
    return await compare_rate(
        connection, lane.account, current.facts.base_currency, part.element, found, link
    )


def _note_trouble(lane: Lane, call: Call, answer: Answer | None) -> None:
    """Count the call, and an internal error of Xero over a single element against that element."""
    if call.route.reads or answer is None:
        return
    command_ids = {command_id for part in call.parts for command_id in part.command_ids}
    if answer.status >= _SERVER_ERROR:
        lane.stumbles.broke(command_ids, answer.status, alone=len(call.parts) == 1)
    else:
        lane.stumbles.passed(command_ids)


async def _conclude(connection: ledger.Connection, call: Call, settlement: Settlement) -> None:
    verdicts = ["not_applied" if r.verdict == "split" else r.verdict for r in settlement.response.results]
    answer = settlement.answer
    await ledger.conclude(
        connection,
        call,
        settlement.conclusion,
        verdicts,
        settlement.look_up_in,
        answer.status if answer else None,
        None if answer is None or _is_told_by_attempts(answer) else _masked(answer.body),
    )


def _is_told_by_attempts(answer: Answer) -> bool:
    """Return True for a success: each entry's attempt keeps its part of it, and nobody asks for the whole."""
    return answer.status < 300


def _masked(body: bytes) -> bytes:
    return mask(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")


async def _items_made(lane: Lane, connection: ledger.Connection, call: Call, settlement: Settlement) -> None:
    """Add an item that we created to the organisation's facts. One that was there before is asked
    for, since Xero may count its stock.
    """
    made = {
        part.element.target.record_id
        for part, result in zip(call.parts, settlement.response.results, strict=True)
        if part.element.target.kind == "item" and result.verdict == "ok"
    }
    current = lane.session.connection
    if made and current is not None and current.facts is not None:
        facts = replace(current.facts, item_codes=(current.facts.item_codes or frozenset()) | made)
        if await store.save_facts(connection, lane.account, facts, current.tenant_id):
            lane.session.connection = replace(current, facts=facts)


async def _links(connection: ledger.Connection, account: str, targets: list[StepKey]) -> dict[StepKey, Link]:
    records = {t.record_id for t in targets if t.kind != "contact"}
    contacts = {t.record_id for t in targets if t.kind == "contact"}
    return await ledger.links(connection, account, records, contacts)


def _attempt(call: Call, part: QueuedElement, result: Result, settlement: Settlement) -> Attempt:
    """Return the call as the entries that an element serves see it: the element's part of request and answer,
    without headers, masked.
    """
    answer = settlement.answer
    body: Any = part.element.body
    refusal = result.details.get("message", "") if result.code else ""
    return Attempt(
        attempt_id="",
        number=0,
        step=part.element.step,
        method=call.request.method,
        path=call.request.path,
        started_at=settlement.started,
        finished_at=now_utc(),
        status=answer.status if answer else None,
        request=mask_head(encode_jsonb(call.request.query if body is None else body), _SHOWN),
        answer=mask_head(_shown(result, answer), _SHOWN),
        error="" if answer else mask_head(settlement.conclusion, _SHOWN),
        refused=result.code or "",
        refusal=refusal[:_SHOWN],
        refusal_shape=text_shape(refusal),
    )


def _seen_by(job: Job, call: Call, attempt: Attempt) -> Attempt:
    """Return the attempt as one of the entry's own."""
    entry = job.entry
    return msgspec.structs.replace(
        attempt, attempt_id=f"{call.intent_id}:{entry.command_id}", number=entry.attempts + 1
    )


def _shown(result: Result, answer: Answer | None) -> str:
    if answer is None:
        return ""
    if result.raw is not None:
        return _readable.encode(result.raw).decode()
    return answer.body.decode(errors="replace")


_readable = msgspec.json.Encoder(decimal_format="number")

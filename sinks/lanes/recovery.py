"""Take up again the calls that have no response when an account gets a new lane."""

from collections.abc import Iterable, Mapping
from typing import Any

from runtime.database import Connection, Row, fetch_all
from sinks.lanes.lane import Lane
from sinks.lanes.planning import write_and_publish
from sinks.lanes.sending import CallSender
from sinks.ledger import store as ledger
from sinks.ledger.entries import Entry, entry_of_row
from sinks.ledger.jobs import Job
from sinks.xero.calls import Call, QueuedElement
from sinks.xero.client import Request
from sinks.xero.elements import Element, StepKey
from sinks.xero.responses import decode
from sinks.xero.routes import ROUTES, Route


async def recover(lane: Lane) -> list[CallSender]:
    """Return senders of the account's unanswered calls; their commands are in the lane's hands then."""
    async with lane.transaction("recovery", locked=False) as connection:
        intents = await fetch_all(connection, ledger.SQL["unanswered"], [lane.account])
        elements, jobs = await _in_progress(connection, intents)
        ids = {command_id for row in elements for command_id in row["members"]}
        held = [str(command_id) for command_id in ids]
        running = await fetch_all(connection, ledger.SQL["running"], {"account": lane.account, "held": held})
        await write_and_publish(connection, _idle(jobs, map(entry_of_row, running)), lane.addresses)
    for job in jobs:
        lane.queue.jobs[job.entry.command_id] = job
    senders = []
    for intent in intents:
        own = [row for row in elements if row["intent_id"] == intent["intent_id"]]
        call = _call(intent, own)
        lane.queue.hold(call)
        senders.append(CallSender.recovered(lane, call, intent["age"], intent["since_send_by"]))
    return senders


async def _in_progress(connection: Connection, intents: list[Row]) -> tuple[list[Row], list[Job]]:
    """Return the elements of these calls, and a job for each command that they serve."""
    if not intents:  # as nearly always
        return [], []
    intent_ids = [row["intent_id"] for row in intents]
    elements = await fetch_all(connection, ledger.SQL["elements_of"], [intent_ids])
    ids = {command_id for row in elements for command_id in row["members"]}
    rows = await fetch_all(connection, ledger.SQL["commands_by_id"], [list(ids)])
    return elements, [Job(entry_of_row(row)) for row in rows]


def _idle(jobs: Iterable[Job], running: Iterable[Entry]) -> list[Entry]:
    """Return, back in the queue, the entries that an earlier lane had in hand, but not in a call, when it was
    killed: nobody is working on them. Running entries of a record with a call in progress were merged into
    that call's job, and stay so.
    """
    by_record = {job.entry.record: job for job in jobs}
    idle = []
    for entry in running:
        leader = by_record.get(entry.record)
        if leader is None:
            idle.append(entry.back_in_queue())
        else:
            leader.merged_with(entry)
    return idle


def _call(intent: Row, elements: list[Row]) -> Call:
    """Return the call exactly as it was written down: the same request line, headers, bytes and key."""
    route = ROUTES[intent["route"]]
    body = bytes(intent["body"]) if intent["body"] is not None else None
    request = Request(
        intent["method"],
        intent["path"],
        _in_order(route, intent["query"]),
        body,
        intent["idempotency_key"],
        target=intent["target"] or "",
        headers=intent["headers"],
    )
    bodies = _bodies(route, body)
    parts = [
        QueuedElement(
            Element(
                route.name,
                row["step"],
                StepKey(row["kind"], row["record_id"], row["transaction_id"]),
                bodies[row["position"]] if bodies else None,
                row["match"],
                link_facts=row["memory"],
            ),
            [str(command_id) for command_id in row["members"]],
        )
        for row in elements
    ]
    return Call(str(intent["intent_id"]), route, parts, request)


def _in_order(route: Route, query: Mapping[str, str]) -> dict[str, str]:
    """Return the query in the order of its route: the database keeps its own. For calls that were written
    down before their request line was kept.
    """
    known = [name for name in route.query if name in query]
    return {name: query[name] for name in (*known, *(other for other in query if other not in known))}


def _bodies(route: Route, body: bytes | None) -> list[Any]:
    """Return the elements out of the bytes that were sent, digit for digit; none of a read."""
    sent = None if body is None else decode(body)
    if not isinstance(sent, Mapping):
        return []
    elements = sent.get(route.envelope)
    return elements if isinstance(elements, list) else [sent]

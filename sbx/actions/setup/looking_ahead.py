"""The preview of a set-up: real documents of the shop as they would stand in Xero, line by line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connections import store
from contracts.commands import Command
from contracts.events.reader import read_event
from mappers.commands import to_command
from runtime.environment import Environment
from sbx.actions.actors import Actor, Connection
from sbx.actions.preview import preview
from sinks.preview import Previewed, PreviewedCommand
from sources.diff.documents import diff_document
from sources.diff.look import Look
from sources.events import HEADERS
from sources.problems import Unreadable
from sources.salesbinder.documents import read_detail
from sources.sample import Sample

_NOWHERE: Final = -1
"""Partition and offset of events that were not read from Kafka."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as Xero would be sent it. Numbers are texts, as they would travel."""

    description: str
    quantity: str
    unit_amount: str
    discount: str
    """In per cent; blank if there is none."""
    account: str
    tax_type: str
    tax: str


@dataclass(frozen=True, slots=True)
class Money:
    """A payment, or a refund paid out."""

    day: str
    amount: str
    account: str
    reference: str


@dataclass(slots=True)
class Document:
    """A document as it would stand in Xero."""

    kind: str
    number: str
    party: str
    total: str
    currency: str = ""
    day: str = ""
    lines: list[Line] = field(default_factory=list)
    payments: list[Money] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Why something of it would fail, and what to do."""


async def look_ahead(
    connection: Connection, actor: Actor, environment: Environment, account: str, sample: Sample
) -> list[Document]:
    """Return the sample's documents as today's settings would make them, the next one first: as if they were
    made now, or at the start if that lies ahead.

    Args:
        connection: of no use for anything else afterwards.

    Raises:
        ActionRefused: nothing is known of the organisation, or the account is not theirs.
    """
    link = await store.load_connection(connection, account)
    start = link.enabled_at if link is not None else None
    commands, unreadable = as_commands(sample, account, first_second(datetime.now(UTC), start))
    found = await preview(connection, actor, environment, account, commands) if commands else None
    return [*(as_documents(found, commands) if found is not None else []), *unreadable]


def first_second(now: datetime, start: datetime | None) -> datetime:
    """Return the first whole second from now on in which a new document is not from before the start. Pure.

    SalesBinder's stamps have no fractions, but a start may have them.
    """
    made = max(now, start or now)
    second = made.replace(microsecond=0)
    return second if second == made else second + timedelta(seconds=1)


def as_commands(sample: Sample, account: str, made: datetime) -> tuple[list[Command], list[Document]]:
    """Return the commands that the sample's documents would lead to if they were made in this second, and
    those that cannot be read. Pure.
    """
    commands: list[Command] = []
    unreadable: list[Document] = []
    for record in sample.documents:
        moment = made.isoformat()
        number = str(record.get("document_number") or "")
        try:
            detail = read_detail(
                {**record, "created": moment, "modified": moment}, str(record.get("id")), account
            )
        except Unreadable as wrong:
            problem = (f"{wrong.field} is {wrong.value}: {wrong.problem}", wrong.remedy)
            unreadable.append(Document("document", number, "", "", problems=[problem]))
            continue
        outcome = diff_document(None, detail, Look(account, made))
        for event in outcome.events:
            told = read_event(event.topic, event.key, event.value, HEADERS)
            commands.append(to_command(told, event.topic, _NOWHERE, _NOWHERE))
        unreadable += [
            Document(detail.entity, number, "", "", problems=[(str(each.problem), each.remedy)])
            for each in outcome.problems
        ]
    return commands, unreadable


def as_documents(found: Previewed, commands: Sequence[Command]) -> list[Document]:
    """Return what the preview shows, by document, in the order of the commands. Pure."""
    documents: dict[str, Document] = {}
    for command in commands:
        planned = found.commands[command.command_id]
        entry = planned.entry
        document = documents.get(entry.record_id)
        if document is None:
            total = "" if entry.amount is None else f"{entry.amount:,}"
            document = Document(
                entry.entity, entry.record_number, entry.party_name, total, entry.currency or ""
            )
            documents[entry.record_id] = document
        _add(document, planned)
    return [*documents.values()]


def _add(document: Document, planned: PreviewedCommand) -> None:
    for body in (call.body for call in planned.calls if not call.reads and call.body is not None):
        if "LineItems" in body and not document.lines:
            document.lines = [_line(each) for each in body["LineItems"]]
            document.day = str(body.get("Date") or "")
            document.currency = str(body.get("CurrencyCode") or document.currency)
        if "Amount" in body and "Account" in body:
            document.payments.append(_money(body))
    if planned.entry.state == "failed":
        action = planned.entry.action.replace("_", " ")
        problem = f"{action} would fail ({planned.entry.reason_code}): {planned.entry.reason}"
        document.problems.append((problem, planned.entry.remedy))


def _line(body: Any) -> Line:
    names = ("Description", "Quantity", "UnitAmount", "DiscountRate", "AccountCode", "TaxType", "TaxAmount")
    line = Line(*_texts(body.get(name) for name in names))
    return line if Decimal(line.discount or 0) else replace(line, discount="")


def _money(body: Any) -> Money:
    account = body["Account"]
    shown = account.get("Code") or account.get("AccountID")
    return Money(*_texts((body.get("Date"), body.get("Amount"), shown, body.get("Reference"))))


def _texts(values: Iterable[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in values]

"""A lane at work on a copy of the ledger, with an assumed Xero at the other end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography.fernet import Fernet

from connections import store
from contracts.commands import Command, DocumentSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused
from contracts.results import EntryResult
from runtime.database import fetch_all
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sinks.lanes.lane import Lane
from sinks.lanes.session import Session
from sinks.lanes.settling import Settlement, settle
from sinks.ledger import store as ledger
from sinks.ledger.entries import entry_of_row, now_utc, result_of
from sinks.ledger.intake import reused_id, take_in
from sinks.ledger.store import Lease
from sinks.preview.assumed import AssumedXero
from sinks.preview.scratch import Scratch, scratch
from sinks.resolve import resolve_invoice
from sinks.xero.calls import Call, QueuedElement
from sinks.xero.responses import ParsedResponse

_UNLIMITED = 2**60
_AT_ONCE = 500
"""Commands that are taken in at once, as a batch of the stage."""


class NothingKnown(Exception):
    """The account's organisation was never asked for its accounts and taxes."""

    def __init__(self, account: str) -> None:
        self.account = account
        super().__init__(f"nothing is known yet of the Xero organisation of '{account}'")


@dataclass(frozen=True, slots=True)
class PreviewedCall:
    """One element of a call, on behalf of one command."""

    number: int
    """The number of the call; elements of several commands may share one."""
    element: int
    """Its place in the call, from 1."""
    elements: int
    """Elements in the call."""
    step: str
    method: str
    path: str
    query: Mapping[str, str]
    body: JsonObject | None
    """The element: Xero is sent ``envelope`` with a list of all elements of the call."""
    envelope: str
    reads: bool
    wanted: str
    """For a look-up: the name or number that is looked for."""


@dataclass(slots=True)
class PreviewedCommand:
    """The result that one command would have."""

    entry: EntryResult
    """The entry as the log would have it in the end."""
    known: str
    """``""`` if it is new; if the ledger has it, ``open`` while it waits there, else ``ended``."""
    calls: list[PreviewedCall] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Previewed:
    """An account's commands by id, and remarks about the account."""

    commands: dict[str, PreviewedCommand]
    link: store.Connection
    waiting: int
    """Other commands of the records that wait in the ledger; they are assumed to be delivered before."""
    calls: int
    """Requests to Xero on behalf of the commands, reads included."""


async def preview(
    database: ledger.Connection, environment: Environment, account: str, commands: Sequence[Command]
) -> Previewed:
    """Plan the account's commands as if they arrived now, all at once.

    The ledger's own intake, lane and settlement run on a copy in temporary tables, in a transaction that is
    rolled back. Xero is assumed to accept everything it is sent.

    Args:
        database: in autocommit mode; its session is of no use for anything else afterwards.

    Raises:
        NotConnected: the account has no connection.
        NothingKnown: its organisation's accounts and taxes were not read yet.
    """
    async with scratch(database, account, commands) as copy:
        if copy.link.facts is None:
            raise NothingKnown(account)
        return await _Run(copy, environment, commands).run()


class _Run:
    def __init__(self, copy: Scratch, environment: Environment, commands: Sequence[Command]) -> None:
        self._copy = copy
        self._commands = {c.command_id: c for c in reversed(commands)}
        self._in_order = list(commands)
        account = copy.link.account
        # A key that opens no secret, so that this session can never have a token.
        session = Session(account, copy, environment, SecretBox(Fernet.generate_key().decode()))
        session.connection = copy.link
        self._lane = Lane(Lease(account, 0, 0), copy, session, 1.0)
        self._lane.budget.unlimited(_UNLIMITED)
        self._calls: dict[str, list[PreviewedCall]] = {}
        self._made = 0

    async def run(self) -> Previewed:
        before = {str(row["command_id"]): row for row in await self._copy.rows("states")}
        waiting = await self._copy.rows("waiting", {"command_ids": list(self._commands)})
        xero = await self._xero()
        for place in range(0, len(self._in_order), _AT_ONCE):
            await take_in(self._copy.database, self._in_order[place : place + _AT_ONCE])
        await self._deliver(xero)
        found = await self._entries(before)
        self._lane.session.close()
        return Previewed(found, self._copy.link, int(waiting[0]["waiting"]), self._made)

    async def _deliver(self, xero: AssumedXero) -> None:
        """Run until nothing can be done any more. Every call is answered before the next ones are made."""
        lane = self._lane
        while True:
            await lane.load()
            calls = await lane.dispatch()
            for call in calls:
                self._note(call)
                response = ParsedResponse(tuple(xero.answer(part.element) for part in call.parts))
                await settle(lane, call, Settlement("answered", response, now_utc(), None, 0.0))
                lane.budget.lost()
            if lane.facts_wanted or lane.books_wanted:
                self._read_again()
                await lane.facts_asked()
            elif not calls and not lane.more:
                return

    def _read_again(self) -> None:
        """Assume that facts which a lane would ask Xero for are the same as when they were last read."""
        link = self._lane.session.connection
        assert link is not None and link.facts is not None
        self._lane.session.connection = replace(link, facts=replace(link.facts, books_read_at=now_utc()))

    def _note(self, call: Call) -> None:
        served = [(part, [i for i in part.command_ids if i in self._commands]) for part in call.parts]
        if not any(command_ids for _, command_ids in served):
            return
        self._made += 1
        for place, (part, command_ids) in enumerate(served, 1):
            for command_id in command_ids:
                self._calls.setdefault(command_id, []).append(self._shown(call, part, place))

    def _shown(self, call: Call, part: QueuedElement, place: int) -> PreviewedCall:
        element, route = part.element, call.route
        alone = {**route.query, **element.query}
        return PreviewedCall(
            number=self._made,
            element=place,
            elements=len(call.parts),
            step=element.step,
            method=route.method,
            path=route.path.replace("{id}", element.xero_id).lstrip("/"),
            query=alone if route.reads and "{id}" not in route.path else dict(route.query),
            body=element.body,
            envelope=route.envelope if route.batch > 1 or "{id}" not in route.path else "",
            reads=route.reads,
            wanted=element.wanted,
        )

    async def _xero(self) -> AssumedXero:
        """Return Xero as the ledger knows it now, before the preview takes anything in."""
        links = [ledger.link_of_row(row) for row in await self._copy.rows("links")]
        invoices = {link.target.record_id for link in links if link.target.kind == "invoice"}
        kept = await ledger.snapshots(
            self._copy.database, self._copy.link.account, {("invoice", record) for record in invoices}
        )
        bodies = {}
        for record in invoices:
            named = (c.document for c in self._in_order if c.record_id == record and c.document)
            document = kept.get(("invoice", record)) or next(named, None)
            if isinstance(document, DocumentSnapshot):
                bodies[record] = self._body(document)
        return AssumedXero(links, bodies, now_utc().date())

    def _body(self, document: DocumentSnapshot) -> JsonObject:
        """Return the body by today's settings: those of the day when it was sent are not kept."""
        link = self._copy.link
        assert link.facts is not None
        try:
            return resolve_invoice(document, link.settings, link.facts, link.account).body
        except Refused:
            return {}

    async def _entries(self, before: Mapping[str, JsonObject]) -> dict[str, PreviewedCommand]:
        link = self._copy.link
        assert link.facts is not None
        ids = {}
        for command_id, command in self._commands.items():
            row = before.get(command_id)
            reused = row is not None and row["content_hash"] != command.event.content_hash
            ids[reused_id(command_id, command.event.content_hash) if reused else command_id] = command_id
        found = {}
        for row in await fetch_all(self._copy.database, ledger.SQL["commands_by_id"], [list(ids)]):
            entry = entry_of_row(row)
            command_id = ids[entry.command_id]
            earlier = before.get(entry.command_id)
            ended = earlier is not None and earlier["state"] in ("completed", "failed")
            known = "" if earlier is None else "ended" if ended else "open"
            result = result_of(entry, link.addresses)
            found[command_id] = PreviewedCommand(result, known, self._calls.get(command_id, []))
        return found

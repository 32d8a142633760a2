"""The pure parts: reading, mapping and resolving an invoice of ten lines, and planning one command."""

import json
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from bench.figures import Figure
from bench.sales import ENABLED_AT, Message, sale
from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import Settings
from contracts.commands import Command, decode_command, encode_command
from contracts.events.reader import ChangeEvent, read_event
from mappers import to_command
from sinks.planner import Send, Situation, plan
from sinks.planner.contacts import contact_target
from sinks.resolve import resolve_invoice
from sinks.xero.elements import Link

LINES = 10
_ROUNDS = 10
_SECONDS_A_ROUND = 0.1

_SETTINGS = Settings(enabled_at=ENABLED_AT, payment_account="090", sales_tax={"0": "NONE", "8": "OUTPUT"})
_FACTS = OrganisationFacts(
    name="Bench",
    base_currency="USD",
    fetched_at=datetime.now(UTC),
    accounts=(
        Account(account_id="200", code="200", name="Sales", type="REVENUE", status="ACTIVE"),
        Account(account_id="860", code="860", name="Rounding", type="EXPENSE", status="ACTIVE"),
        Account(account_id="090", code="090", name="Bank", type="BANK", status="ACTIVE", currency="USD"),
    ),
    tax_rates={
        kind: TaxRate(
            tax_type=kind,
            name=kind,
            status="ACTIVE",
            can_apply_to_revenue=True,
            can_apply_to_expenses=True,
            rate=Decimal(rate),
        )
        for kind, rate in (("NONE", "0"), ("OUTPUT", "8"))
    },
    currencies=frozenset({"USD"}),
    item_codes=frozenset({"SB-ITEM"}),
)


def run() -> list[Figure]:
    """Measure microseconds per invoice of ten lines."""
    message = sale("bench", 1, LINES)[1]
    document = json.loads(message.value)["data"]["document"]
    event = _read(message)
    command = to_command(event, message.topic, 0, 1)
    snapshot = command.document
    assert snapshot is not None
    situation = _situation(command)
    assert isinstance(plan(situation), Send), plan(situation)

    dumped = _microseconds(lambda: json.dumps(document))
    loaded = _microseconds(lambda: json.loads(message.value))
    mapped = _microseconds(lambda: to_command(event, message.topic, 0, 1))
    return [
        _figure("reading and checking", lambda: _read(message), "json.loads of the event", loaded),
        _figure("mapping", lambda: to_command(event, message.topic, 0, 1), _DUMPS, dumped),
        _figure("resolving", lambda: resolve_invoice(snapshot, _SETTINGS, _FACTS, "bench"), _DUMPS, dumped),
        _figure("encoding and decoding the command", lambda: _there_and_back(command), _DUMPS, dumped),
        _figure("planning its command", lambda: plan(situation), "mapping", mapped),
    ]


_DUMPS = "json.dumps of the document"


def _figure(what: str, work: Callable[[], object], base: str, base_value: float) -> Figure:
    return Figure(what=what, value=_microseconds(work), unit="µs", base=base, base_value=base_value)


def _read(message: Message) -> ChangeEvent:
    return read_event(message.topic, message.key, message.value, message.headers)


def _there_and_back(command: Command) -> Command:
    return decode_command(encode_command(command))


def _microseconds(work: Callable[[], object]) -> float:
    """Return the best of a few rounds: disturbances only ever make it longer."""
    timer = timeit.Timer(work, timer=time.process_time)
    number, once = timer.autorange()
    number = max(1, int(number * _SECONDS_A_ROUND / once))
    return min(timer.repeat(_ROUNDS, number)) / number * 1e6


def _situation(command: Command) -> Situation:
    """Return the situation in which the invoice's contact is in Xero, and the invoice is not."""
    assert command.document is not None
    contact = command.document.contact
    link = Link(contact_target(contact), "c-1", contact.name, 1)
    return Situation(
        command=command,
        seq=2,
        retried=False,
        settings=_SETTINGS,
        facts=_FACTS,
        now=datetime.now(UTC),
        document=command.document,
        contact=contact,
        contact_link=link,
    )

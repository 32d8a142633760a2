"""What goes into the database comes out as it went in: calls to the byte, amounts to the digit, times to the
microsecond, whatever text they hold.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from connections import store
from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import parse_setting
from contracts.commands import decode_command
from contracts.results import Warning
from runtime.database import fetch_all
from sinks.lanes.recovery import _call
from sinks.ledger import store as ledger
from sinks.ledger.entries import entry_of_row
from sinks.ledger.intake import take_in
from sinks.ledger.store import Lease
from sinks.xero.calls import QueuedElement, make_call, own_key
from sinks.xero.client import Answer, XeroClient
from sinks.xero.elements import Element, Link, StepKey, encode_body
from sinks.xero.responses import read_answer
from sinks.xero.routes import ROUTES
from tests.integration.sinks.shops import Maker, Shop, environment_of

Found = TypeVar("Found")
_TRIED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any that JSON can carry: NUL, quotes, what jsonb would write otherwise."""
AMOUNT = st.decimals(-(10**12), 10**12, allow_nan=False, places=4) | st.sampled_from(
    [Decimal("1.10"), Decimal("1E+2"), Decimal("0.00"), Decimal("-0.0"), Decimal("12345678901234.5678")]
)
WHEN = st.integers(-2_000_000_000_000_000, 250_000_000_000_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
JSON = st.recursive(
    TEXT | AMOUNT | st.booleans() | st.integers(-(2**53), 2**53),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(TEXT, JSON, max_size=5)
WRITING = [route for route in ROUTES.values() if not route.reads]


@pytest.fixture(scope="module")
def database(module_database_url: str) -> str:
    return module_database_url


def inside(database: str, work: Callable[[ledger.Connection], Awaitable[Found]]) -> Found:
    """Do ``work`` in a transaction that is taken back."""

    async def run() -> Found:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            try:
                return await work(connection)
            finally:
                await connection.rollback()

    return asyncio.run(run())


def client(tenant_id: str = "t-1") -> XeroClient:
    return XeroClient("http://127.0.0.1:1/api.xro/2.0", tenant_id, 1.0)


@given(st.sampled_from(WRITING), st.lists(FIELDS, min_size=1, max_size=3), TEXT.filter(bool))
@_TRIED
def test_a_call_goes_out_again_as_it_was_written(
    database: str, route: Any, bodies: list[dict[str, Any]], xero_id: str
) -> None:
    bodies = _shown(bodies)  # ours have no control characters: the mapper takes them out
    keyed = [{**body, name.partition(".")[0]: f"K{n}"} for n, body in enumerate(bodies) for name in
             (route.keys[:1] or ("Name",))]  # fmt: skip
    parts = [
        QueuedElement(
            Element(
                route.name, route.name, StepKey("contact", f"r{n}"), body, xero_id=xero_id, link_facts=body
            ),
            [str(uuid.uuid4())],
        )
        for n, body in enumerate(keyed[: route.batch if "{id}" not in route.path else 1])
    ]
    sent = make_call(parts)
    sent.request = client().written(sent.request)

    async def write_and_read(connection: ledger.Connection) -> Any:
        await ledger.write_calls(connection, Lease("acme", 1, 1), [sent], 10.0)
        return await _recovered(connection)

    again = inside(database, write_and_read)
    assert client("another").written(again.request) == again.request
    ours, theirs = sent.request, again.request
    assert (theirs.method, theirs.target, theirs.body) == (ours.method, ours.target, ours.body)
    assert theirs.idempotency_key == ours.idempotency_key
    assert list(theirs.headers.items()) == list((ours.headers or {}).items())
    assert "Authorization" not in theirs.headers
    for before, after in zip(sent.parts, again.parts, strict=True):
        assert (after.command_ids, after.element.target) == (before.command_ids, before.element.target)
        assert after.element.xero_id == _shown(before.element.xero_id)
        assert before.element.body is not None and after.element.body is not None
        assert encode_body(after.element.body) == encode_body(before.element.body)
        assert own_key(route, after.element.body) == own_key(route, before.element.body)
        assert after.element.link_facts == _kept(before.element.link_facts)


@pytest.mark.parametrize("route", WRITING, ids=lambda route: route.name)
def test_a_call_of_an_older_version_goes_out_again_as_it_was_sent(database: str, route: Any) -> None:
    """It kept path and query apart, and the database the query in an order of its own."""
    element = Element(route.name, "invoice", StepKey("invoice", "r"), {"Name": "A"}, xero_id="x")
    sent = make_call([QueuedElement(element, [str(uuid.uuid4())])])
    sent.request = client().written(sent.request)

    async def write_and_read(connection: ledger.Connection) -> Any:
        await ledger.write_calls(connection, Lease("acme", 1, 1), [sent], 10.0)
        await connection.execute("UPDATE ledger.intents SET target = NULL, headers = NULL")
        return await _recovered(connection)

    again = client().written(inside(database, write_and_read).request)
    assert (again.target, again.headers) == (sent.request.target, sent.request.headers)
    assert again.body == sent.request.body


async def _recovered(connection: ledger.Connection) -> Any:
    [intent] = await fetch_all(connection, ledger.SQL["unanswered"], ["acme"])
    return _call(intent, await fetch_all(connection, ledger.SQL["elements_of"], [[intent["intent_id"]]]))


@given(FIELDS, TEXT, TEXT, st.booleans(), st.integers(0, 2**62))
@_TRIED
def test_links(
    database: str, facts: dict[str, Any], xero_id: str, number: str, removed: bool, seq: int
) -> None:
    link = Link(StepKey("invoice", "r", "t"), xero_id, number, seq, removed, facts)

    async def write_and_read(connection: ledger.Connection) -> Any:
        await ledger.write_links(connection, "acme", [link])
        return await ledger.links(connection, "acme", ["r"], [])

    [found] = inside(database, write_and_read).values()
    assert (found.target, found.seq, found.removed) == (link.target, seq, removed)
    assert (found.xero_id, found.xero_number) == (_shown(xero_id), _shown(number))
    assert found.facts == _kept(facts)


@given(st.dictionaries(TEXT, TEXT, max_size=3), TEXT, st.none() | WHEN, WHEN, st.booleans(), st.booleans())
@_TRIED
def test_entries(
    database: str,
    args: dict[str, str],
    said: str,
    due: datetime | None,
    ended: datetime,
    acted: bool,
    perhaps: bool,
) -> None:
    maker = Maker()
    shop = Shop("acme", environment_of(database, _NoXero(), _NOWHERE), _NoXero(), tenant_id="t")  # type: ignore[arg-type]
    customer = maker.customer(f"A{said}", website=said)
    command = shop.command(maker.contact("created", customer))

    async def write_and_read(connection: ledger.Connection) -> Any:
        await take_in(connection, [command])
        [entry] = await _rows(connection, command.command_id)
        changed = replace(
            entry.failed(ended, "xero_refused", args),
            next_attempt_at=due,
            acted=acted,
            perhaps_acted=perhaps,
            warnings=(Warning(code="xero_warned", text=said),),
        )
        assert await ledger.write_entries(connection, [changed]) == {command.command_id}
        return changed, (await _rows(connection, command.command_id))[0]

    changed, found = inside(database, write_and_read)
    assert found.command == decode_command(msgspec.json.encode(command)) == command
    assert found.reason_args == _kept(args)
    assert (found.next_attempt_at, found.finished_at, found.started_at) == (due, ended, changed.started_at)
    assert (found.acted, found.perhaps_acted, found.state) == (acted, perhaps, "failed")
    assert found.warnings[0].text == _shown(said)


async def _rows(connection: ledger.Connection, command_id: str) -> list[Any]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM ledger.commands WHERE command_id = %s", [command_id])
        return [entry_of_row(row) for row in await cursor.fetchall()]


@given(TEXT, st.lists(AMOUNT, max_size=4), st.frozensets(TEXT, max_size=4), WHEN, st.none() | st.dates())
@_TRIED
def test_facts(
    database: str, name: str, rates: list[Decimal], codes: frozenset[str], at: datetime, lock: Any
) -> None:
    name, codes = _shown(name), frozenset(map(_shown, codes))  # as read from Xero, which the client cleans
    facts = OrganisationFacts(
        name=name,
        base_currency="USD",
        fetched_at=at,
        lock_date=lock,
        accounts=(Account(account_id="a", code=name, name=name, type="BANK", status="ACTIVE"),),
        tax_rates={f"T{n}": TaxRate(tax_type=f"T{n}", name=name, status="ACTIVE", can_apply_to_revenue=True,
                                    can_apply_to_expenses=False, rate=rate) for n, rate in enumerate(rates)},
        item_codes=codes,
    )  # fmt: skip

    async def write_and_read(connection: ledger.Connection) -> Any:
        await _connected(connection)
        await store.save_facts(connection, "acme", facts)
        return await store.load_connection(connection, "acme")

    found = inside(database, write_and_read).facts
    assert found == facts
    assert [str(r.rate) for r in found.tax_rates.values()] == [str(rate) for rate in rates]


WRITTEN = {"payment_account.Visa  9008": "090", "sales_tax.8": "OUTPUT", "due_days": "14", "currency": "USD"}


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=200), WHEN)
@_TRIED
def test_secrets_and_settings(database: str, secret: bytes, token: bytes, until: datetime) -> None:

    async def write_and_read(connection: ledger.Connection) -> Any:
        await _connected(connection, secret)
        await store.save_token(connection, "acme", token, until)
        await store.set_settings(connection, "acme", WRITTEN, "ann")
        return await store.load_credentials(connection, "acme"), await store.load_connection(
            connection, "acme"
        )

    credentials, connection = inside(database, write_and_read)
    assert (credentials.client_secret_encrypted, credentials.token_encrypted) == (secret, token)
    assert credentials.expires_at == until
    assert dict(connection.written) == dict(parse_setting(key, value) for key, value in WRITTEN.items())


async def _connected(connection: ledger.Connection, secret: bytes = b"s") -> None:
    await store.save_connection(
        connection,
        account="acme",
        tenant_id="t-1",
        tenant_name="Demo",
        client_id="c",
        client_secret_encrypted=secret,
        actor="ann",
    )


def test_what_xero_says_never_holds_what_the_database_cannot() -> None:
    call = make_call(
        [QueuedElement(Element("invoices.read", "read invoice", StepKey("invoice", "r"), xero_id="x"), ["1"])]
    )
    body = b'{"Invoices":[{"InvoiceID":"x","Reference":"a\\u0000b","Total":1.10}]}'
    [result] = read_answer(call, Answer(200, {}, body)).results
    assert (result.found[0]["Reference"], str(result.found[0]["Total"])) == ("a\ufffdb", "1.10")


def _shown(value: Any) -> Any:
    """As the database can hold it: jsonb and text know no NUL."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {_shown(key): _shown(item) for key, item in value.items()}
    return value


def _kept(value: Any) -> Any:
    """Amounts as texts, digit for digit; the rest as it is."""
    return _shown(msgspec.json.decode(msgspec.json.Encoder(decimal_format="string").encode(value)))


class _NoXero:
    api_url = identity_url = "http://127.0.0.1:1"


_NOWHERE: Any = "/nonexistent"

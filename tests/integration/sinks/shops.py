"""A shop for tests of the sink: events in, the fake's books and the ledger out."""

import asyncio
import copy
import json
import threading
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import urllib3
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from connections import store
from contracts.commands import command_id
from contracts.events.reader import event_to_kafka, read_event
from contracts.results import EntryResult, Result, decode_result
from mappers.commands import to_command
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sandbox.fake_xero.server import FakeXeroServer
from sinks.delivery import new_supervisor
from sinks.lanes.supervisor import LaneSupervisor
from sinks.ledger import store as ledger
from sinks.ledger.commands import retry, skip
from sinks.ledger.intake import take_in

SETTINGS = {
    "payment_account": "090",
    "payment_account.Credit Card 9008": "091",
    "sales_tax.8": "OUTPUT",
    "purchase_tax.8": "INPUT",
}
PATIENCE = 240.0
"""Seconds until something is taken to be stuck: beside other tests all takes ten times as long, and a minute
of Xero's may have to pass.
"""
ENABLED_AT = datetime(2026, 1, 1, tzinfo=UTC)
DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Shop:
    """One connected account."""

    account: str
    environment: Environment
    xero: FakeXeroServer
    published: list[Result] = field(default_factory=list)
    offset: int = 0
    tenant_id: str = ""

    def __post_init__(self) -> None:
        self.tenant_id = self.tenant_id or self.xero.tenant_id

    def command(self, event: dict[str, Any]) -> Any:
        topic, key, value, headers = event_to_kafka(event)
        self.offset += 1
        return to_command(read_event(topic, key, value, headers), topic, 0, self.offset)

    async def send(self, *events: dict[str, Any]) -> None:
        """Put the commands of these events into the ledger, in one batch."""
        async with await psycopg.AsyncConnection.connect(str(self.environment.database_url)) as connection:
            await take_in(connection, [self.command(event) for event in events])

    async def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(
            str(self.environment.database_url), row_factory=dict_row
        ) as connection:
            return await (await connection.execute(query.encode(), parameters)).fetchall()

    async def idle(self, seconds: float = PATIENCE, pause: float = 0.02) -> None:
        """Until nothing is open, asked every ``pause`` seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with await psycopg.AsyncConnection.connect(
            str(self.environment.database_url), row_factory=dict_row, autocommit=True
        ) as connection:
            while rows := await (await connection.execute(_OPEN, [self.account])).fetchall():
                assert loop.time() < until, f"still open: {rows}"
                await asyncio.sleep(pause)

    async def told(self) -> list[EntryResult]:
        """What the log was told of entries. It is told later than things happen: this waits for all."""
        own = f"{self.account}/"
        async with asyncio.timeout(PATIENCE):
            while await self.rows(_UNTOLD, own):  # noqa: ASYNC110 - the outbox is a table
                await asyncio.sleep(0.02)
        return [result for result in self.published if isinstance(result, EntryResult)]

    async def run(self, *events: dict[str, Any]) -> list[str]:
        """Send the events, wait for their end, and tell how each ended: outcome or reason code."""
        await self.send(*events)
        await self.idle()
        return [await self.end(event) for event in events]

    async def end(self, event: dict[str, Any]) -> str:
        """Outcome or reason code of the event's entry, or its state while it is open."""
        row = await self.entry(event)
        return str((row["outcome"] if row["state"] == "completed" else row["reason_code"]) or row["state"])

    async def entry(self, event: dict[str, Any]) -> dict[str, Any]:
        """The ledger's row of the event's command."""
        [row] = await self.rows("SELECT * FROM ledger.commands WHERE command_id = %s", self.command_id(event))
        return row

    async def warnings(self, event: dict[str, Any]) -> list[str]:
        """Codes of the entry's warnings."""
        return [warning["code"] for warning in (await self.entry(event))["warnings"]]

    def command_id(self, event: dict[str, Any]) -> str:
        return command_id(event["source"], event["id"])

    async def retry(self, *events: dict[str, Any]) -> list[str]:
        """Retry the events' entries, wait, and tell how each ended."""
        async with await psycopg.AsyncConnection.connect(str(self.environment.database_url)) as connection:
            await retry(connection, [self.command_id(event) for event in events], "ann")
        await self.idle()
        return [await self.end(event) for event in events]

    async def connect(self) -> ledger.Connection:
        """A connection to the ledger's database."""
        return await psycopg.AsyncConnection.connect(str(self.environment.database_url))

    async def change(self, assignments: str, event: dict[str, Any]) -> None:
        """Change the row of the event's command as only a test may."""
        async with await self.connect() as connection:
            statement = f"UPDATE ledger.commands SET {assignments} WHERE command_id = %s"  # noqa: S608
            await connection.execute(statement.encode(), [self.command_id(event)])

    async def skip(self, event: dict[str, Any], note: str = "") -> list[str]:
        async with await psycopg.AsyncConnection.connect(str(self.environment.database_url)) as connection:
            return await skip(connection, [self.command_id(event)], "ann", note)

    async def log(self) -> list[tuple[str, str, str | None]]:
        """Action, state, and outcome or reason code of each command, in order."""
        rows = await self.rows(
            "SELECT entity, action, state, outcome, reason_code FROM ledger.commands "
            "WHERE account = %s ORDER BY seq",
            self.account,
        )
        return [(r["entity"] + " " + r["action"], r["state"], r["outcome"] or r["reason_code"]) for r in rows]

    async def settings(self, **changes: str) -> None:
        async with await psycopg.AsyncConnection.connect(str(self.environment.database_url)) as connection:
            await store.set_settings(
                connection, self.account, {k.replace("__", "."): v for k, v in changes.items()}, "test"
            )

    @property
    def books(self) -> Any:
        return self.xero.admin.state(self.tenant_id)

    def invoice(self, number: str) -> Any:
        found = [i for i in self.books["invoices"] if i["number"] == number]
        assert len(found) == 1, found
        return found[0]

    def credit_note(self, number: str) -> Any:
        found = [n for n in self.books["credit_notes"] if n["number"] == number]
        assert len(found) == 1, self.books["credit_notes"]
        return found[0]

    def contact(self, name: str) -> Any:
        found = [c for c in self.books["contacts"] if c["name"] == name]
        assert len(found) == 1, found
        return found[0]

    def seed(self, **parts: Any) -> Any:
        """Change Xero's books from the outside: lock dates, accounts, merged contacts and so on."""
        return self.xero.admin.seed(self.tenant_id, **parts)

    def calls(self, since: int = 0) -> list[str]:
        """Method and path of each call that was made to this organisation by us, oldest first; those with a
        number above ``since`` of all calls that were made to Xero.

        A call that was cut off and reaches Xero late is one call, though Xero's log has two lines of it.
        """
        return [
            f"{call['method']} {call['path']}"
            for call in self.xero.admin.calls(since)
            if call["tenant_id"] == self.tenant_id
            and call["client_id"] == self.xero.client_id
            and "late_arrival" not in call["faults"]
        ]

    def by_hand(self, method: str, path: str, body: dict[str, Any], user: str = "Pat Bookkeeper") -> Any:
        """Write to Xero as a bookkeeper does in its own screens, as another client."""
        xero = self.xero
        pool = urllib3.PoolManager(retries=False)
        token = pool.request(
            "POST",
            f"{xero.identity_url}/connect/token",
            fields={"grant_type": "client_credentials"},
            encode_multipart=False,
            headers=urllib3.make_headers(basic_auth=f"{xero.by_hand_client_id}:{xero.by_hand_client_secret}"),
        ).json()["access_token"]
        answer = pool.request(
            method,
            f"{xero.api_url}/{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {token}",
                "xero-tenant-id": self.tenant_id,
                "Accept": "application/json",
                "X-Fake-User": user,
            },
        )
        pool.clear()
        assert answer.status == 200, answer.data
        return answer.json()[path.partition("/")[0]][0]


_UNTOLD = "SELECT 1 FROM ledger.outbox WHERE starts_with(key, %s) LIMIT 1"
_OPEN = b"""SELECT action, state, reason_code, reason_args, next_attempt_at FROM ledger.commands
WHERE account = %s AND state IN ('queued', 'running') LIMIT 9"""


@asynccontextmanager
async def delivering(shop: Shop, connections: int = 4) -> AsyncIterator[LaneSupervisor]:
    """Lanes and outbox at work, with so many connections in the pool."""
    stop = asyncio.Event()

    async def publish(results: Sequence[tuple[str, bytes]]) -> None:
        shop.published += [decode_result(value) for _, value in results]

    async with AsyncConnectionPool[psycopg.AsyncConnection[Any]](
        str(shop.environment.database_url), min_size=1, max_size=connections, open=False
    ) as pool:
        delivery = new_supervisor(pool=pool, publish=publish, environment=shop.environment)
        running = asyncio.create_task(delivery.run(stop))
        try:
            yield delivery
        finally:
            stop.set()
            await running


def environment_of(database_url: str, xero: FakeXeroServer, data_dir: Path) -> Environment:
    return Environment.read(
        {
            "SBX_DATABASE_URL": database_url,
            "SBX_XERO_API_URL": xero.api_url,
            "SBX_XERO_IDENTITY_URL": xero.identity_url,
            "SBX_DATA_DIR": str(data_dir),
        }
    )


async def connected_shop(
    database_url: str, xero: FakeXeroServer, data_dir: Path, account: str = "acme"
) -> Shop:
    shop = Shop(account, environment_of(database_url, xero, data_dir), xero)
    await connect(shop)
    return shop


async def connect(shop: Shop) -> None:
    """Connect the account to its organisation, with settings that serve most tests."""
    box = SecretBox.open(shop.environment.data_dir, None)
    async with await psycopg.AsyncConnection.connect(str(shop.environment.database_url)) as connection:
        await store.save_connection(
            connection,
            account=shop.account,
            tenant_id=shop.tenant_id,
            tenant_name="Demo",
            client_id=shop.xero.client_id,
            client_secret_encrypted=box.encrypt(shop.xero.client_secret),
            actor="test",
            enabled_at=ENABLED_AT,
        )
        await store.set_settings(connection, shop.account, SETTINGS, "test")


class Office:
    """One delivery for many accounts, at work in a thread of its own while the tests of a module run."""

    def __init__(self, environment: Environment, xero: FakeXeroServer) -> None:
        self.environment = environment
        self.xero = xero
        self.published: defaultdict[str, list[Result]] = defaultdict(list)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._deliver()])

    def __enter__(self) -> "Office":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the delivery does not end"
        self._loop.close()

    def new_shop(self, **organisation: Any) -> Shop:
        """An account and an organisation of its own, not connected yet."""
        account = f"shop-{uuid.uuid4().hex[:8]}"
        tenant_id = self.xero.admin.add_tenant(account, **organisation)
        return Shop(account, self.environment, self.xero, self.published[account], tenant_id=tenant_id)

    async def _deliver(self) -> None:
        async def publish(results: Sequence[tuple[str, bytes]]) -> None:
            for key, value in results:
                self.published[key.partition("/")[0]].append(decode_result(value))

        url = str(self.environment.database_url)
        async with AsyncConnectionPool[psycopg.AsyncConnection[Any]](url, open=False) as pool:
            await new_supervisor(pool=pool, publish=publish, environment=self.environment).run(self._stop)


# Events


def examples(shared: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (shared / "examples" / "events.jsonl").read_text().splitlines()]


@dataclass
class Maker:
    """Makes change events of one account, a minute apart."""

    account: str = "acme"
    minute: int = 0

    def event(self, kind: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
        self.minute += 1
        return {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": f"/salesbinder/{self.account}",
            "type": f"salesbinder.{kind}",
            "subject": subject,
            "time": self.now,
            "data": data,
        }

    @property
    def now(self) -> str:
        return (DAY + timedelta(minutes=self.minute)).isoformat()

    def customer(self, name: str = "Widgets & Co", **more: Any) -> dict[str, Any]:
        return {"id": str(uuid.uuid4()), "name": name, "created": self.now, "modified": self.now, **more}

    def document(
        self, customer: dict[str, Any], number: int, price: str = "100.00", **more: Any
    ) -> dict[str, Any]:
        line = {"id": str(uuid.uuid4()), "name": "Thing", "quantity": 1, "price": price, "tax": 8, "tax2": 0}
        return {
            "id": str(uuid.uuid4()),
            "document_number": number,
            "context_id": 5,
            "customer_id": customer["id"],
            "issue_date": "2026-03-02",
            "created": self.now,
            "modified": self.now,
            "document_items": [line],
            "customer": customer,
            **more,
        }

    def contact(self, kind: str, record: dict[str, Any], side: str = "customer") -> dict[str, Any]:
        """A customer or supplier ``created``, ``edited`` or ``deleted``."""
        data = {"id": record["id"]} if kind == "deleted" else dict(record)
        return self.event(f"{side}.{kind}", record["id"], {side: data})

    def changed(self, record: dict[str, Any], side: str = "customer", **changes: Any) -> dict[str, Any]:
        """The record edited now."""
        self.minute += 1
        record |= changes
        record["modified"] = self.now
        return self.contact("edited", record, side)

    def created(self, document: dict[str, Any]) -> dict[str, Any]:
        return self.event("invoice.created", document["id"], {"document": copy.deepcopy(document)})

    def edited(self, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
        self.minute += 1
        document |= changes
        document["modified"] = self.now
        return self.event("invoice.edited", document["id"], {"document": copy.deepcopy(document)})

    def paid(
        self, document: dict[str, Any], amount: str, reference: str = "Cash", **more: Any
    ) -> dict[str, Any]:
        transaction = {
            "id": str(uuid.uuid4()),
            "document_id": document["id"],
            "amount": amount,
            "reference": reference,
            "transaction_date": "2026-03-02",
            **more,
        }
        document.setdefault("transactions", []).append(transaction)
        data = {"document": {**document, "modified": self.now}, "transaction": transaction}
        return self.event("invoice.payment_applied", document["id"], data)

    def refunded(
        self, document: dict[str, Any], amount: str, reference: str = "Cash", **more: Any
    ) -> dict[str, Any]:
        event = self.paid(document, amount, reference, **more)
        return {**event, "type": "salesbinder.invoice.refund_applied"}

    def act(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        data = {"id": document["id"]} if kind == "deleted" else copy.deepcopy(document)
        return self.event(f"invoice.{kind}", document["id"], {"document": data})

"""A shop for tests of the sink: events in, the fake's books and the ledger out; the delivery runs in this process."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from connections import store
from connections.environment import Environment
from connections.secrets import SecretBox
from contracts.events import event_to_kafka, read_event
from contracts.results import Result, decode_result
from mappers.commands import to_command
from sandbox.fake_xero.server import FakeXeroServer
from sinks.delivery import Delivery
from sinks.intake import take_in

SETTINGS = {
    "payment_account": "090",
    "payment_account.Credit Card 9008": "091",
    "sales_tax.8": "OUTPUT",
    "purchase_tax.8": "INPUT",
}
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

    async def idle(self, seconds: float = 20.0) -> None:
        """Until nothing is open."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            rows = await self.rows(
                "SELECT action, state, reason_code, reason_args, next_attempt_at FROM ledger.commands "
                "WHERE account = %s AND state IN ('queued', 'running')",
                self.account,
            )
            if not rows:
                return
            assert loop.time() < until, f"still open: {rows}"
            await asyncio.sleep(0.02)

    async def log(self) -> list[tuple[str, str, str | None]]:
        """Action, state, and outcome or reason code of each command, in order."""
        rows = await self.rows(
            "SELECT entity, action, state, outcome, reason_code FROM ledger.commands WHERE account = %s ORDER BY seq",
            self.account,
        )
        return [(r["entity"] + " " + r["action"], r["state"], r["outcome"] or r["reason_code"]) for r in rows]

    async def settings(self, **changes: str) -> None:
        async with await psycopg.AsyncConnection.connect(str(self.environment.database_url)) as connection:
            await store.set_settings(connection, self.account, {k.replace("__", "."): v for k, v in changes.items()}, "test")

    @property
    def books(self) -> Any:
        return self.xero.admin.state(self.xero.tenant_id)

    def invoice(self, number: str) -> Any:
        found = [i for i in self.books["invoices"] if i["number"] == number]
        assert len(found) == 1, found
        return found[0]


@asynccontextmanager
async def delivering(shop: Shop) -> AsyncIterator[None]:
    """Lanes and outbox at work."""
    stop = asyncio.Event()

    async def publish(results: Sequence[tuple[str, bytes]]) -> None:
        shop.published += [decode_result(value) for _, value in results]

    async with AsyncConnectionPool[psycopg.AsyncConnection[Any]](str(shop.environment.database_url), open=False) as pool:
        delivery = Delivery(pool=pool, publish=publish, environment=shop.environment)
        running = asyncio.create_task(delivery.run(stop))
        try:
            yield
        finally:
            stop.set()
            await running


async def connected_shop(database_url: str, xero: FakeXeroServer, data_dir: Path, account: str = "acme") -> Shop:
    environment = Environment.read(
        {
            "SBX_DATABASE_URL": database_url,
            "SBX_XERO_API_URL": xero.api_url,
            "SBX_XERO_IDENTITY_URL": xero.identity_url,
            "SBX_DATA_DIR": str(data_dir),
        }
    )
    box = SecretBox.open(data_dir, None)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await store.save_connection(
            connection,
            account=account,
            tenant_id=xero.tenant_id,
            tenant_name="Demo",
            client_id=xero.client_id,
            client_secret_encrypted=box.encrypt(xero.client_secret),
            actor="test",
            enabled_at=ENABLED_AT,
        )
        await store.set_settings(connection, account, SETTINGS, "test")
    return Shop(account, environment, xero)


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

    def document(self, customer: dict[str, Any], number: int, price: str = "100.00", **more: Any) -> dict[str, Any]:
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

    def created(self, document: dict[str, Any]) -> dict[str, Any]:
        return self.event("invoice.created", document["id"], {"document": document})

    def edited(self, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
        self.minute += 1
        document |= changes
        document["modified"] = self.now
        return self.event("invoice.edited", document["id"], {"document": dict(document)})

    def paid(self, document: dict[str, Any], amount: str, reference: str = "Cash", **more: Any) -> dict[str, Any]:
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

    def act(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        data = {"id": document["id"]} if kind == "deleted" else document
        return self.event(f"invoice.{kind}", document["id"], {"document": data})

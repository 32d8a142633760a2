"""A small history with every kind of call in it, the books that it must come to, and workers that die on the
way.
"""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.purchases import happened, order
from tests.integration.sinks.shops import Maker, Shop, connect

ROOT = Path(__file__).parents[2]
_SCRIPT = Path(__file__).with_name("deliver_process.py")
PATIENCE = 180.0
"""Seconds until something is taken to be broken."""


def history(maker: Maker) -> list[dict[str, Any]]:
    """A contact; an invoice paid in two parts and partly refunded; one paid and reset; one paid and
    cancelled; an order received.
    """
    customer = maker.customer("Alice")
    sold, reset, cancelled = (maker.document(customer, number) for number in (1, 2, 3))
    bought = order(maker, 77)
    return [
        maker.contact("created", customer),
        *(maker.created(document) for document in (sold, reset, cancelled)),
        happened(maker, "created", bought),
        maker.paid(sold, "100.00"),
        maker.paid(sold, "8.00", transaction_date="2026-03-03"),
        maker.paid(reset, "108.00"),
        maker.paid(cancelled, "108.00"),
        maker.refunded(sold, "20.00"),
        maker.act("reset", reset),
        maker.act("cancelled", cancelled),
        happened(maker, "received", bought),
    ]


BOOKS = {
    "contacts": ["Alice", "Northern Parts"],
    "items": ["SB-ITEM"],
    "invoices": [
        ("1", "ACCREC", "PAID", "108.00", ["100.00 AUTHORISED", "8.00 AUTHORISED"]),
        ("2", "ACCREC", "AUTHORISED", "108.00", []),
        ("3", "ACCREC", "VOIDED", "108.00", []),
        ("77", "ACCPAY", "AUTHORISED", "108.00", []),
    ],
    "credit_notes": [("1", "PAID", "20.00", ["20.00 AUTHORISED"])],
    "purchase_orders": [("77", "BILLED", "108.00")],
    "payments": sorted(
        ["100.00 AUTHORISED", "8.00 AUTHORISED", "20.00 AUTHORISED", "108.00 DELETED", "108.00 DELETED"]
    ),
}
"""What Xero must hold after ``history``, each once, to the cent."""
OUTCOMES = {"posted", "already_there", "superseded"}
"""How its entries may end."""


def summary(books: Any) -> dict[str, Any]:
    """Books as the fake shows them, in the form of ``BOOKS``."""

    def money(payments: Any) -> list[str]:
        return sorted(f"{p['amount']} {p['status']}" for p in payments)

    return {
        "contacts": sorted(contact["name"] for contact in books["contacts"]),
        "items": sorted(item["code"] for item in books["items"]),
        "invoices": sorted(
            (i["number"], i["type"], i["status"], i["total"], money(i["payments"])) for i in books["invoices"]
        ),
        "credit_notes": sorted(
            (n["number"].partition("-")[0], n["status"], n["total"], money(n["payments"]))
            for n in books["credit_notes"]
        ),
        "purchase_orders": sorted((o["number"], o["status"], o["total"]) for o in books["purchase_orders"]),
        "payments": money(books["payments"]),
    }


async def new_shop(environment: Environment, xero: FakeXeroServer) -> Shop:
    """A connected account and an organisation of its own."""
    account = f"crash-{uuid.uuid4().hex[:8]}"
    shop = Shop(account, environment, xero, tenant_id=xero.admin.add_tenant(account))
    await connect(shop)
    return shop


async def warm_up(shop: Shop, like: Shop) -> None:
    """Give the account the token and the facts of another one of the same app and like books, so that its
    first call is about a command. The facts are always five minutes old: nobody doubts them, and what cannot
    be undone asks for newer ones.
    """
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE connections.tokens own "
            "SET token_encrypted = o.token_encrypted, expires_at = o.expires_at "
            "FROM connections.tokens o WHERE own.account = %s AND o.account = %s",
            [shop.account, like.account],
        )
        await connection.execute(
            "INSERT INTO connections.facts (account, body, fetched_at) "
            "SELECT %s, body || jsonb_build_object('fetched_at', read_at, 'books_read_at', read_at), read_at "
            "FROM connections.facts, (SELECT now() - interval '5 minutes' AS read_at) AS t "
            "WHERE account = %s",
            [shop.account, like.account],
        )


def variables(environment: Environment, crash_at: str = "") -> dict[str, str]:
    """A worker's environment, with the point at which it dies."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
    return own | {
        "PYTHONPATH": str(ROOT),
        "SBX_DATABASE_URL": str(environment.database_url),
        "SBX_XERO_API_URL": environment.xero_api_url,
        "SBX_XERO_IDENTITY_URL": environment.xero_identity_url,
        "SBX_DATA_DIR": str(environment.data_dir),
        "SBX_CRASH_AT": crash_at,
    }


class Worker:
    """The sink's work in a process of its own, which waits for ``go``: starting takes longer than working."""

    def __init__(self, environment: Environment, crash_at: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT), "wait"],
            env=variables(environment, crash_at),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def go(self) -> None:
        """Let it work."""
        assert self._process.stdin is not None and self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def dies(self) -> None:
        """Wait until it was killed by its own hand: anything else is a point that was never passed."""
        try:
            _, said = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the process never came to the point at which it was to die") from None
        assert self._process.returncode == -signal.SIGKILL, said.decode()

    @property
    def dead(self) -> bool:
        """True once it was killed by its own hand."""
        if self._process.poll() not in (None, -signal.SIGKILL):
            raise AssertionError(self._process.communicate()[1].decode())
        return self._process.poll() is not None

    def end(self) -> None:
        """Tell it to end, as an operator does."""
        self._process.terminate()

    def stop(self) -> None:
        """The same; it must end well."""
        self.end()
        _, said = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, said.decode()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        if self._process.stderr is not None and not self._process.stderr.closed:
            self._process.communicate()


async def survive(shop: Shop, crashes: Sequence[str]) -> None:
    """Deliver what is queued with workers that die at these points in turn, then one that lives."""
    worker = Worker(shop.environment)
    try:
        die(shop.environment, crashes)
        worker.go()
        await shop.idle(PATIENCE)
        await _answered(shop)
        worker.stop()
    finally:
        worker.kill()


def die(environment: Environment, crashes: Sequence[str]) -> None:
    """Workers that die at these points in turn."""
    workers = [Worker(environment, crash_at) for crash_at in crashes]
    try:
        for worker in workers:
            worker.go()
            worker.dies()
    finally:
        for worker in workers:
            worker.kill()


async def _answered(shop: Shop) -> None:
    """Until the lane has answered all that operators have asked."""
    asked = "SELECT 1 FROM ledger.requests WHERE account = %s AND answered_at IS NULL"
    async with asyncio.timeout(PATIENCE):
        while await shop.rows(asked, shop.account):  # noqa: ASYNC110 - the ledger is a table
            await asyncio.sleep(0.05)


def sbx(environment: Environment, *arguments: str, crash_at: str = "", **more: str) -> int:
    """The exit code of a command in a process of its own."""
    program = Path(sys.executable).with_name("sbx")
    environ = variables(environment, crash_at) | more
    return subprocess.run([program, *arguments], env=environ, check=False).returncode


async def survive_pair(shop: Shop, first: str, second: str) -> None:
    """The first worker dies for certain, the second one unless everything ends before its point is passed."""
    one, two = Worker(shop.environment, first), Worker(shop.environment, second)
    try:
        one.go()
        one.dies()
        two.go()
        async with asyncio.timeout(PATIENCE):
            while not two.dead and await shop.rows(_OPEN, shop.account):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        one.kill()
        two.kill()
    await survive(shop, ())


_OPEN = "SELECT 1 FROM ledger.commands WHERE account = %s AND state IN ('queued', 'running') LIMIT 1"


async def assert_survived(shop: Shop, entries: int) -> None:
    """Books as expected; each entry completed; the log tells what the ledger knows."""
    found = summary(shop.books)
    wrong = {part: (found[part], BOOKS[part]) for part in BOOKS if found[part] != BOOKS[part]}
    assert wrong == {}, wrong
    # What was planned first after the crash may have sent the data of what came before it, too.
    assert await assert_log_agrees(shop, OUTCOMES) == entries


async def assert_log_agrees(shop: Shop, hows: set[str]) -> int:
    """The log tells what the ledger knows, each entry ended so; how many there are."""
    ledger = await shop.rows(
        "SELECT command_id::text AS id, entity, state, coalesce(outcome, reason_code) AS how, attempts "
        "FROM ledger.commands WHERE account = %s ORDER BY 1",
        shop.account,
    )
    log = await shop.rows(
        "SELECT entry_id::text AS id, entity, state, coalesce(outcome, reason_code) AS how, attempts "
        "FROM integrations_log.entries WHERE account = %s ORDER BY 1",
        shop.account,
    )
    assert [row for row in ledger if row not in log] == [] and len(log) == len(ledger), (ledger, log)
    assert {row["how"] for row in ledger} <= hows, ledger
    return len(ledger)

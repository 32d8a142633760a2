"""Restores of a backup in the middle of random histories: ``python -m tests.reliability.drills --seeds 10``.

Each seed plays a history, takes a backup at a random moment of it, goes on to its end, restores the backup,
recovers, and compares the books with the model's. Ledger, lanes and fake Xero are real; what Kafka keeps of
the ledger's marks is kept here, and the events are read again from the history. The same with Kafka, workers
and commands as people run them is in ``test_recovery.py``.
"""

import asyncio
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import psycopg
import structlog
import typer
from psycopg_pool import AsyncConnectionPool

from contracts.results import decode_result
from sandbox import EmbeddedStack
from sandbox.fake_xero.server import FakeXeroServer
from sandbox.postgres import packaged_bin_dir
from sbx.migrations import migrate
from sinks.delivery import new_supervisor
from sinks.lanes.supervisor import LaneSupervisor
from sinks.ledger import generation
from sinks.ledger.generation import Mark, Told
from sinks.recover import taking_up
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connect, environment_of
from tests.reliability.comparison import compare
from tests.reliability.histories import ends_of
from tests.reliability.history import ENABLED_AT, History, make_history
from tests.reliability.model import COMPLETED, Model
from tests.reliability.sales import sales

CLOCK_RATE = 20.0


class KeptMarks:
    """What Kafka would keep of the ledger."""

    def __init__(self) -> None:
        self._told = Told()

    async def told(self) -> Told:
        return Told(self._told.number, self._told.generation, dict(self._told.marks))

    async def publish(self, number: int, name: str, mark: Mark) -> None:
        if number >= self._told.number:
            self._told.number, self._told.generation = number, mark.generation
        before = self._told.marks.get(name)
        if before is None or before.generation != mark.generation or before.mark < mark.mark:
            self._told.marks[name] = mark


@asynccontextmanager
async def delivering(shop: Shop, marks: KeptMarks) -> AsyncIterator[LaneSupervisor]:
    """Lanes and outbox at work, with marks."""
    stop = asyncio.Event()

    async def publish(results: Sequence[tuple[str, bytes]]) -> None:
        shop.published += [decode_result(value) for _, value in results]

    async with AsyncConnectionPool[psycopg.AsyncConnection[Any]](
        str(shop.environment.database_url), open=False
    ) as pool:
        delivery = new_supervisor(pool=pool, publish=publish, environment=shop.environment, marks=marks)
        running = asyncio.create_task(delivery.run(stop))
        try:
            yield delivery
        finally:
            stop.set()
            await running


class Backup:
    """A backup as ``pg_dump`` makes it, of a database at work."""

    def __init__(self, database_url: str, file: Path) -> None:
        self.url, self.file = database_url, file

    def take(self) -> None:
        run_postgres("pg_dump", "--format=custom", f"--file={self.file}", self.url)

    def restore(self) -> None:
        name = urlsplit(self.url).path.lstrip("/")
        with psycopg.connect(self.url.removesuffix(name) + "postgres", autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
            server.execute(f'CREATE DATABASE "{name}"'.encode())
        run_postgres("pg_restore", "--exit-on-error", f"--dbname={self.url}", str(self.file))


def run_postgres(program: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs."""
    done = subprocess.run(
        [str(packaged_bin_dir() / program), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


async def recover(shop: Shop, marks: KeptMarks, events: Sequence[dict[str, Any]]) -> list[str]:
    """As ``sbx recover --yes``: the accounts that were in doubt."""
    told = await marks.told()
    async with await psycopg.AsyncConnection.connect(
        str(shop.environment.database_url), autocommit=True
    ) as connection:
        ours = await generation.standing(connection)
        in_doubt = taking_up.doubts(ours, told, await taking_up.known_accounts(connection))
        accounts = [one.account for one in in_doubt]
        commands = [shop.command(event) for event in events]
        await taking_up.take_up(connection, commands, "ann", accounts)
        number, made = await taking_up.let_go(
            connection, in_doubt, [shop.account], told, "ann", shop.environment.clock_rate
        )
        await marks.publish(number, "generation", Mark(made, 0))
    return accounts


async def judge(database_url: str, xero: FakeXeroServer, directory: Path, seed: str) -> list[str]:
    """What differs after a seed's drill; nothing when it holds."""
    chance = random.Random(seed)
    account = f"drill-{seed}-{chance.randrange(10**6)}"
    environment = environment_of(database_url, xero, directory)
    environment = replace(environment, clock_rate=CLOCK_RATE)
    shop = Shop(account, environment, xero, tenant_id=xero.admin.add_tenant(account))
    await connect(shop)
    history = make_history(seed, account)
    await shop.settings(**history.settings)
    marks, backup = KeptMarks(), Backup(database_url, directory / "backup")
    at = chance.randrange(len(history.portions))
    async with delivering(shop, marks):
        for number, portion in enumerate(history.portions):
            await shop.send(*portion)
            if number == at:
                await asyncio.sleep(chance.random() * 0.3)
                await asyncio.to_thread(backup.take)
            await shop.idle()
    ended = await ends_of(shop, history)
    lost = len(await shop.rows("SELECT 1 FROM ledger.intents WHERE account = %s", account))
    wrong_before = compare(history, model_of(history, ended), ended, shop.books)
    stood = standing(shop.books)
    await asyncio.to_thread(backup.restore)
    kept = len(await shop.rows("SELECT 1 FROM ledger.intents WHERE account = %s", account))
    async with delivering(shop, marks):
        if lost > kept:
            await held(shop)
        calls = len(shop.calls())
        await recover(shop, marks, history.events)
        await shop.idle()
        after = await ends_of(shop, history)
    for remark in otherwise_ended(ended, after):
        print(f"  {remark}", file=sys.stderr, flush=True)
    made_good = numbers_made_good(history, ended, after)
    found = [
        w
        for w in compare(history, model_of(history, ended), ended, shop.books)
        if w not in wrong_before and not any(f" {number} " in w for number in made_good)
    ]
    was, now = (
        {line for line in lines if line.split()[1] not in made_good}
        for lines in (stood, standing(shop.books))
    )
    if was != now:
        found.append(f"the books differ: {sorted(was - now)} before, {sorted(now - was)} after")
    print(
        f"seed {seed}: portion {at} of {len(history.portions)}, {lost - kept} calls lost, "
        f"{len(shop.calls()) - calls} calls to recover: {'holds' if not found else 'DIFFERS'}",
        file=sys.stderr,
        flush=True,
    )
    return found


def model_of(history: History, ended: dict[str, str]) -> Model:
    model = Model(history.settings, ENABLED_AT)
    for portion in history.portions:
        model.feed(portion, ended)
    return model


def numbers_made_good(history: History, before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Numbers of documents with an action that had failed and completes now, since the whole history is known
    at once: their books are not what they were, and nearer to what SalesBinder says.
    """
    good = {i for i, end in before.items() if end not in COMPLETED and after.get(i) in COMPLETED}
    records = {event["subject"] for event in history.events if event["id"] in good}
    documents = [event["data"].get("document", {}) for event in history.events]
    return {str(d["document_number"]) for d in documents if d.get("id") in records and "document_number" in d}


def otherwise_ended(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What had completed and has not now, or the other way round: worth a look, no fault of the books.
    Whatever is known at once is merged, so an edit may be refused that came through while its invoice was a
    draft.
    """
    wrong = []
    for event_id, end in before.items():
        now = after.get(event_id, "lost")
        if (end in COMPLETED) != (now in COMPLETED) and now not in ("superseded", "already_there"):
            wrong.append(f"event {event_id} ended {end} before and {now} after")
    return wrong


def standing(books: Any) -> list[str]:
    """All money and documents that stand, and those that do not, in a form that can be compared."""
    found = [
        f"{i['type']} {i['number']} {i['status']} {i['total']} "
        + ",".join(sorted(f"{p['amount']} {p['reference']} {p['status']}" for p in i["payments"]))
        for i in books["invoices"]
    ]
    found += [f"CN {n['number']} {n['status']} {n['total']}" for n in books["credit_notes"]]
    found += [f"PO {o['number']} {o['status']} {o['total']}" for o in books["purchase_orders"]]
    return sorted(found)


async def held(shop: Shop) -> None:
    """Until the accounts are held."""
    async with asyncio.timeout(PATIENCE):
        while not await shop.rows("SELECT 1 FROM ledger.generation WHERE held_at IS NOT NULL"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def measure(database_url: str, xero: FakeXeroServer, directory: Path, count: int) -> str:
    """So many sales (customer, invoice, two payments) after the backup: how long and how many calls from the
    restore until the books are known to be right.
    """
    environment = environment_of(database_url, xero, directory)
    shop = Shop("measured", environment, xero, tenant_id=xero.admin.add_tenant("measured"))
    await connect(shop)
    marks, backup = KeptMarks(), Backup(database_url, directory / "backup")
    events = sales(Maker("measured"), count)
    async with delivering(shop, marks):
        await shop.run(*events[:4])
        await asyncio.to_thread(backup.take)
        await shop.send(*events[4:])
        await shop.idle(600)
    made, stood = len(shop.calls()), standing(shop.books)
    await asyncio.to_thread(backup.restore)
    async with delivering(shop, marks):
        began = time.monotonic()
        await held(shop)
        await recover(shop, marks, events)
        await shop.idle(600)
        seconds = time.monotonic() - began
    assert standing(shop.books) == stood
    calls = len(shop.calls()) - made
    return f"{count} sales: {made} calls to make them, {calls} to recover them, {seconds:.0f} s"


def main(
    seeds: Annotated[int, typer.Option(help="How many drills.")] = 10,
    first: Annotated[int, typer.Option(help="The first seed.")] = 1,
    documents: Annotated[int, typer.Option(help="Measure the recovery of so many instead.")] = 0,
) -> None:
    """Drill. Exit code 1 when any differs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    began, bad = time.monotonic(), []
    with ExitStack() as opened:
        directory = Path(opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        stack = opened.enter_context(EmbeddedStack(directory / "stack", kafka=False))
        migrate(stack.database_url)
        xero = opened.enter_context(FakeXeroServer(subprocess=True))
        xero.admin.set_clock(rate=CLOCK_RATE)
        xero.admin.limits(minute=1_000_000, day=1_000_000)
        data = directory / "data"
        data.mkdir()
        if documents:
            xero.admin.set_clock(rate=1.0)
            print(asyncio.run(measure(stack.database_url, xero, data, documents)))
            return
        for seed in range(first, first + seeds):
            try:
                wrong = asyncio.run(judge(stack.database_url, xero, data, str(seed)))
            except AssertionError as error:
                wrong = [f"stuck: {error}"]
            for text in wrong:
                print(f"  {text}", file=sys.stderr)
            bad += [seed] if wrong else []
    print(f"drills {seeds}, differ: {bad or 'none'}; {time.monotonic() - began:.0f} s")
    raise typer.Exit(1 if bad else 0)


if __name__ == "__main__":
    typer.run(main)

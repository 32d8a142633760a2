"""Random histories against the model: ``python -m tests.reliability.histories --seeds 100``.

Each seed is played by two accounts at once, with the same record ids and settings of their own, through
ledger and lanes to the fake Xero, and then a second time: the replay must make no call and change nothing.
With ``--workers 3`` it goes through Kafka and three processes of each stage, and the log is the one that
people see.
"""

import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from contracts.results import EntryResult
from runtime.environment import Environment
from sandbox import EmbeddedStack
from sandbox.fake_xero.server import FakeXeroServer
from sbx.migrations import migrate
from tests.integration.sinks.drifting import read, standing
from tests.integration.sinks.shops import PATIENCE, Office, Shop, connect, environment_of
from tests.reliability.comparison import compare
from tests.reliability.history import ENABLED_AT, History, make_history
from tests.reliability.model import Model
from tests.reliability.side_by_side import Workers

_CLOCK_RATE = 20.0
_AT_ONCE = 8
_PAUSE = 0.1
"""Seconds between two questions whether all has ended: with many histories at once the questions are work."""
_WRITES = "Contacts|Invoices|Payments|CreditNotes|PurchaseOrders|Items"
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop_after"},
    {"kind": "drop_before"},
    {"kind": "error_after"},
    {"kind": "error_before"},
    {"kind": "unavailable"},
    {"kind": "late_apply", "seconds": 2},
    {"kind": "rate_limit", "retry_after": 2},
    {"kind": "not_json"},
    {"kind": "shuffle"},
    {"kind": "summarise"},
    {"kind": "expired_token", "probability": 0.01},
)


@dataclass
class Verdict:
    """What was found wrong in a seed's histories; nothing when they hold."""

    seed: int
    events: int = 0
    wrong: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)


async def judge(office: Office | Workers, seed: int, patience: float = PATIENCE) -> Verdict:
    """Play a seed's histories, each in an account and an organisation of its own, and compare."""
    verdict = Verdict(seed)
    shops = [office.new_shop() for _ in range(2)]
    histories = [make_history(f"{seed}/{n}", shop.account) for n, shop in enumerate(shops)]
    for shop, history, found in zip(
        shops,
        histories,
        await asyncio.gather(*(_play(s, h, patience) for s, h in zip(shops, histories, strict=True))),
        strict=True,
    ):
        verdict.events += len(history.events)
        verdict.ends.update((await ends_of(shop, history)).values())
        if found:
            verdict.wrong += [f"history {history.seed}, {', '.join(history.settings.values())}:", *found]
    return verdict


async def _play(shop: Shop, history: History, patience: float) -> list[str]:
    await connect(shop)
    await shop.settings(**history.settings)
    for portion in history.portions:
        await shop.send(*portion)
        await shop.idle(patience, _PAUSE)
    return await differences(shop, history, patience) + await _drifted(shop)


async def _drifted(shop: Shop) -> list[str]:
    """What a comparison of Xero with the histories finds, without what an entry that failed explains."""
    await read(shop, full=True)
    found = [row for row in await standing(shop) if not row["information"]]
    return [
        f"drift: {' '.join(row[name] for name in ('kind', 'number', 'field'))} is {row['xeros']!r}, "
        f"not {row['ours']!r}: {row['why']}"
        for row in found
    ]


async def differences(shop: Shop, history: History, patience: float) -> list[str]:
    """What in books and log is not as the model has it, and what a replay changes."""
    ended = await ends_of(shop, history)
    model = Model(history.settings, ENABLED_AT)
    for portion in history.portions:
        model.feed(portion, ended)
    books = shop.books
    wrong = compare(history, model, ended, books) + await _log_of(shop, patience)
    return wrong + await _replayed(shop, history, books, patience)


async def ends_of(shop: Shop, history: History) -> dict[str, str]:
    """By event id: outcome or reason code, or the state of what has not ended."""
    events = {shop.command_id(event): event["id"] for event in history.events}
    rows = await shop.rows("SELECT * FROM ledger.commands WHERE account = %s", shop.account)
    return {events[str(row["command_id"])]: _end(row) for row in rows}


def _end(row: dict[str, Any]) -> str:
    return str((row["outcome"] if row["state"] == "completed" else row["reason_code"]) or row["state"])


async def _log_of(shop: Shop, patience: float) -> list[str]:
    """What was published must be what the ledger says."""
    newest: dict[str, EntryResult] = {}
    async with asyncio.timeout(patience):
        told = await shop.told()
    for result in told:
        known = newest.get(result.entry_id)
        newest[result.entry_id] = result if known is None or result.version > known.version else known
    rows = await shop.rows("SELECT * FROM ledger.commands WHERE account = %s", shop.account)
    wrong = []
    for row in rows:
        shown = newest.get(str(row["command_id"]))
        said = (shown.state, shown.outcome, shown.reason_code) if shown else None
        if said is None or said[0] != row["state"] or (said[1] or None) != row["outcome"]:
            wrong.append(f"the log says {said} of {row['action']} {row['state']} {row['outcome']}")
    return wrong


async def _replayed(shop: Shop, history: History, books: Any, patience: float) -> list[str]:
    rows = "SELECT * FROM ledger.commands WHERE account = %s ORDER BY seq"
    before, last_call = await shop.rows(rows, shop.account), shop.xero.admin.counters()["calls"]
    await shop.send(*history.events)
    await shop.idle(patience, _PAUSE)
    wrong = []
    if made := shop.calls(last_call):
        wrong.append(f"the replay made {len(made)} calls: {made}")
    if await shop.rows(rows, shop.account) != before:
        wrong.append("the replay changed the ledger")
    if shop.books != books:
        wrong.append("the replay changed the books")
    return wrong


def inject(xero: FakeXeroServer, seed: int, probability: float = 0.04) -> None:
    """Faults of every kind at random on all that writes, and some on all that reads."""
    for number, fault in enumerate(FAULTS):
        rule = {"probability": probability, "times": None, "seed": seed * 100 + number, **fault}
        xero.admin.fault(method="PUT|POST", path=_WRITES, **rule)


async def judge_all(office: Office | Workers, seeds: Sequence[int], at_once: int = _AT_ONCE) -> list[Verdict]:
    """The verdicts on these seeds, of which some are played at the same time."""
    gate = asyncio.Semaphore(at_once)

    async def one(seed: int) -> Verdict:
        async with gate:
            try:
                verdict = await judge(office, seed)
            except AssertionError as error:
                verdict = Verdict(seed, wrong=[f"{seed}: stuck: {error}"])
        print(f"seed {seed}: {'holds' if not verdict.wrong else 'DIFFERS'}", file=sys.stderr, flush=True)
        for text in verdict.wrong:
            print(f"  {text}", file=sys.stderr, flush=True)
        return verdict

    return await asyncio.gather(*(one(seed) for seed in seeds))


def office_of(database_url: str, xero: FakeXeroServer, data_dir: Path) -> Office:
    """A delivery in a world whose clock runs fast, beyond the reach of Xero's limits."""
    return Office(_world(database_url, xero, data_dir), xero)


def workers_of(kafka: str, database_url: str, xero: FakeXeroServer, data_dir: Path, each: int) -> Workers:
    """So many processes of each stage in the same world."""
    return Workers(kafka, _world(database_url, xero, data_dir), xero, data_dir, each)


def _world(database_url: str, xero: FakeXeroServer, data_dir: Path) -> Environment:
    xero.admin.set_clock(rate=_CLOCK_RATE)
    xero.admin.limits(minute=1_000_000, day=1_000_000)
    return replace(environment_of(database_url, xero, data_dir), clock_rate=_CLOCK_RATE)


def main(
    seeds: Annotated[int, typer.Option(help="How many histories.")] = 100,
    seed: Annotated[list[int] | None, typer.Option(help="These alone; repeatable.")] = None,
    first: Annotated[int, typer.Option(help="The first of them.")] = 1,
    faults: Annotated[bool, typer.Option("--faults", help="Xero misbehaves at random.")] = False,
    at_once: Annotated[int, typer.Option(help="Histories that are played at the same time.")] = _AT_ONCE,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes of each stage, with Kafka between them; 0: the sink alone.")
    ] = 0,
) -> None:
    """Play random histories and compare books and log with the model. Exit code 1 when any differs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    began = time.monotonic()
    with ExitStack() as opened:
        directory = Path(opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        stack = opened.enter_context(EmbeddedStack(directory / "stack", kafka=bool(workers)))
        migrate(stack.database_url)
        xero = opened.enter_context(FakeXeroServer(subprocess=True))
        place = directory / "data"
        place.mkdir()
        office: Office | Workers
        if workers:
            office = opened.enter_context(
                workers_of(stack.bootstrap_servers, stack.database_url, xero, place, workers)
            )
        else:
            office = opened.enter_context(office_of(stack.database_url, xero, place))
        if faults:
            inject(xero, seed[0] if seed else first)
        verdicts = asyncio.run(judge_all(office, seed or range(first, first + seeds), at_once))
        struck = Counter({f["kind"]: f["hits"] for f in xero.admin.faults()})
    differ = [v.seed for v in verdicts if v.wrong]
    ends = sum((v.ends for v in verdicts), Counter[str]())
    print(f"seeds {len(verdicts)}, histories {2 * len(verdicts)}, events {sum(v.events for v in verdicts)}")
    print(f"differ: {differ or 'none'}; {time.monotonic() - began:.0f} s")
    print("ends: " + ", ".join(f"{end} {count}" for end, count in ends.most_common()))
    if faults:
        print(f"faults injected {struck.total()}: " + ", ".join(f"{k} {n}" for k, n in struck.items()))
    raise typer.Exit(1 if differ else 0)


if __name__ == "__main__":
    typer.run(main)

"""Random shops on the fake SalesBinder, read, delivered, and compared: ``python -m tests.reliability.shops``.

Each row of the table in which all settings of SalesBinder's switches meet in pairs is a shop of its own; all
are read by the real worker, go through Kafka and all stages, and end in the fake Xero, each in an
organisation of its own. What is there then must be what the shop truly holds. SalesBinder's clock runs fast,
and the database's for the reader with it: the reader keeps all its periods.
"""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from sandbox.fake_salesbinder import all_pairs
from tests.reliability.histories import inject
from tests.reliability.shops.clock import FastClock
from tests.reliability.shops.installation import Installation
from tests.reliability.shops.play import Play
from tests.reliability.shops.shop import ReadShop
from tests.reliability.shops.street import Street
from tests.reliability.shops.verdict import Verdict, verdict_of
from tests.unit.sources.meeting import START

_PACE = 20.0
_AT_ONCE = 12


def main(
    seeds: Annotated[int, typer.Option(help="How many shops of each row.")] = 1,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 1,
    changes: Annotated[
        int, typer.Option(help="Changes in each shop that the contract has an event for.")
    ] = 200,
    rows: Annotated[str, typer.Option(help="Rows of the table: A-B, or one; all if not given.")] = "",
    faults: Annotated[bool, typer.Option("--faults", help="SalesBinder and Xero misbehave.")] = False,
    kills: Annotated[bool, typer.Option("--kills", help="Workers are killed, the reader above all.")] = False,
    outages: Annotated[
        bool, typer.Option("--outages", help="PostgreSQL, Kafka and SalesBinder are away in turn.")
    ] = False,
    at_once: Annotated[int, typer.Option(help="Shops that live at the same time.")] = _AT_ONCE,
    pace: Annotated[float, typer.Option(help="Seconds of SalesBinder's to one of this machine's.")] = _PACE,
    keep: Annotated[Path | None, typer.Option(help="A directory for logs, which stays.")] = None,
) -> None:
    """Play random shops and compare the books with them. Exit code 1 when any differs without a reason."""
    began, table = time.monotonic(), all_pairs()
    first, _, last = rows.partition("-")
    wanted = range(int(first), int(last or first) + 1) if rows else range(len(table))
    todo = [(number, row) for number in range(seed, seed + seeds) for row in wanted]
    verdicts: list[tuple[int, Verdict]] = []
    with ExitStack() as opened:
        directory = keep or Path(
            opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        )
        directory.mkdir(exist_ok=True)
        street = opened.enter_context(Street())
        installation = opened.enter_context(Installation(directory, street.port, pace))
        clock = FastClock(START, pace, installation.database_url)
        clock.tell()
        installation.work()
        if faults:
            inject(installation.xero, seed, probability=0.02)
        for at in range(0, len(todo), at_once):
            some = todo[at : at + at_once]
            shops = [ReadShop(row, table[row], n, f"shop-{n}-{row}", clock) for n, row in some]
            for shop in shops:
                street.open(shop.account, shop.world)
            chance = random.Random(f"{seed}/{at}")
            play = Play(installation, clock, pace, shops, chance, faults, kills, outages)
            play.open()
            play.live(changes)
            play.settle()
            messages = installation.messages()
            for (number, _), shop in zip(some, shops, strict=True):
                verdict = verdict_of(shop, installation, messages, may_repeat=kills or outages)
                _say(number, verdict)
                verdicts.append((number, verdict))
            play.close()
        struck = installation.struck
        of_xero = sum(rule["hits"] for rule in installation.xero.admin.faults())
    _sum_up(verdicts, struck, of_xero, time.monotonic() - began)
    raise typer.Exit(any(verdict.wrong for _, verdict in verdicts))


def _say(seed: int, verdict: Verdict) -> None:
    whole, records = verdict.exact
    said = "DIFFERS" if verdict.wrong else "holds"
    print(
        f"seed {seed} row {verdict.row}: {said}; {verdict.changes} changes, {verdict.events} events, "
        f"{whole} of {records} records told change by change; explained {dict(verdict.explained)}; "
        f"ends {dict(verdict.ends)}",
        flush=True,
    )
    for text in verdict.wrong:
        print(f"  {text}", flush=True)


def _sum_up(
    verdicts: Sequence[tuple[int, Verdict]], struck: Counter[str], of_xero: int, seconds: float
) -> None:
    own = [verdict for _, verdict in verdicts]
    faults = sum((verdict.faults for verdict in own), Counter[str]())
    explained = sum((verdict.explained for verdict in own), Counter[str]())
    differ = [f"--seed {number} --rows {verdict.row}" for number, verdict in verdicts if verdict.wrong]
    changes, events, repeated, documents = (
        sum(each) for each in zip(*((o.changes, o.events, o.repeated, o.documents) for o in own), strict=True)
    )
    print(
        f"shops {len(own)}, changes {changes}, events {events} ({repeated} published again), "
        f"documents {documents}; {seconds:.0f} s"
    )
    print(f"faults of SalesBinder {faults.total()}: {_listed(faults)}; of Xero {of_xero}")
    print(f"struck {struck.total()}: {_listed(struck)}")
    print(f"explained {explained.total()}: {_listed(explained)}")
    print(f"differ: {', '.join(differ) or 'none'}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


if __name__ == "__main__":
    typer.run(main)

"""``python -m bench [NAME…] [--json]``: the named benchmarks, or all of them."""

import importlib
import json
import time
from typing import Annotated

import typer
from rich.console import Console

from bench.deadline import within
from bench.figures import Figure, table

GROUPS = {"source": ("source_changes", "source_stock", "source_hour", "source_compared")}
"""Several benchmarks by one name."""
BENCHMARKS = (
    *("mapping", "commands", "startup", "stages", "latency", "live", "fairness"),
    *("flood", "backlog", "workers", "pipeline", "many", "replay", "growth", "flat", "log"),
    *GROUPS["source"],
)
"""Modules of this package with a ``run()``, in the order in which they run."""
_LONGEST = 7200.0
"""Seconds of one benchmark, with ten million rows on a slow machine."""
_WIDTH = 140
"""Columns of a table that goes into a file."""


def main(
    names: Annotated[
        list[str] | None,
        typer.Argument(help=f"Of {', '.join((*BENCHMARKS, *GROUPS))}; all when left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as one JSON object on stdout.")] = False,
    entries: Annotated[int, typer.Option(min=1000, help="Entries of the log; of 'log' only.")] = 1_000_000,
    actions: Annotated[
        list[int] | None,
        typer.Option(help="Actions in the ledger; repeatable; of 'flat' only, 1,000,000 when left out."),
    ] = None,
) -> None:
    """Measure. Data goes to stdout, progress to stderr; a missed goal is reported, and is not an error."""
    wanted = [each for name in names or BENCHMARKS for each in GROUPS.get(name, (name,))]
    unknown = sorted(set(wanted) - set(BENCHMARKS))
    if unknown:
        known = ", ".join((*BENCHMARKS, *GROUPS))
        raise typer.BadParameter(f"no benchmark '{unknown[0]}'; there are {known}")
    progress, output = Console(stderr=True), Console()
    if not output.is_terminal:
        output.width = _WIDTH
    sizes: dict[str, tuple[object, ...]] = {"log": (entries,), "flat": (actions,) if actions else ()}
    found: dict[str, list[Figure]] = {}
    for name in wanted:
        module = importlib.import_module(f"bench.{name}")
        began = time.monotonic()
        with progress.status(f"measuring {name}"), within(_LONGEST):
            found[name] = module.run(*sizes.get(name, ()))
        if not as_json:
            output.print(table(f"{name}: {module.__doc__}", found[name]))
        progress.print(f"{name} took {time.monotonic() - began:.0f} s", highlight=False)
    if as_json:
        print(json.dumps({name: [f.to_json() for f in figures] for name, figures in found.items()}))


if __name__ == "__main__":
    typer.run(main)

"""``sbx source probe``: what an account's answers tell of what SalesBinder's API leaves open."""

import asyncio
import signal
from pathlib import Path

from sbx.actions import probing
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.terminal import print_json, say
from sources.probing.questions import Finding, not_learnt
from sources.probing.report import report


def probe(account: str, report_file: Path | None, watch: str | None, as_json: bool) -> None:
    """Run ``sbx source probe``."""
    found = asyncio.run(_probe(account, watch))
    if report_file is not None:
        try:
            report_file.write_text(report(found), encoding="utf-8")
        except OSError as error:
            raise BadUsage(f"--report {report_file}: {error}", "name a file that can be written") from error
    if as_json:
        _print_objects(found)
        return
    print(report(found), end="")


def _print_objects(found: list[Finding]) -> None:
    for each in found:
        print_json(
            {
                "number": each.number,
                "question": each.question,
                "answer": each.answer,
                "part": each.part,
                "origin": each.origin,
            }
        )
    for question, part in not_learnt(found):
        print_json(
            {"number": question.number, "question": part.name, "answer": None, "part": part.name}
            | {"experiment": part.experiment}
        )


async def _probe(account: str, watch: str | None) -> list[Finding]:
    used = environment.required(database=True)
    async with connected("sbx source", used) as (_, connection):
        found = await probing.probed(connection, used, actor(), account, say)
        if watch is not None:
            say("Ctrl-C ends the watching; what was seen is then in the report")
            stop = _ending()
            found += await probing.watched(connection, used, actor(), account, watch, say, stop)
        return found


def _ending() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set: what was watched until then is to be reported."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop

"""``sbx status``, as people and programs read it."""

from typing import Any

import typer
from rich.console import Group as Rows
from rich.table import Table
from rich.text import Text

from sbx.actions.setup import checklist
from sbx.cli import environment, page_address
from sbx.cli.errors import FAILED
from sbx.cli.status import Status, ask_workers, gather, unknown_in_words
from sbx.cli.terminal import age, new_table, plural, print_json, say, stdout_console
from sinks.ledger.leases import SILENCE


def tables(status: Status) -> Rows:
    """Print the status for people."""
    several = len(status.deliver_workers) > 1
    return Rows(
        *([_stages_table(status)] if status.stages else []),
        *([_deliver_workers_table(status)] if several else []),
        *([_accounts_table(status, named=several)] if status.accounts else []),
        *([_sources_table(status)] if status.sources else []),
    )


def _stages_table(status: Status) -> Table:
    table = new_table("stage", "processes", "waiting", "", right=("processes", "waiting"))
    for name, stage in status.stages.items():
        works = Text("works", "green") if stage.working else Text("not running", "red")
        if stage.undecided:
            works.append(f", {plural(stage.undecided, 'message')} in or behind an open transaction", "yellow")
        table.add_row(name, str(stage.processes), f"{stage.lag:,}", works)
    return table


def _deliver_workers_table(status: Status) -> Table:
    table = new_table("deliver worker", "accounts", "", right=("accounts",))
    for worker in status.deliver_workers:
        hangs = worker["silent"] > SILENCE
        says = f"has said nothing for {age(worker['silent'])}: its accounts go to the others" if hangs else ""
        table.add_row(worker["name"], f"{worker['accounts']:,}", Text(says, "yellow"))
    return table


def _accounts_table(status: Status, *, named: bool) -> Table:
    """Print the accounts; which worker has each only where there are several."""
    figures = ("queued", "running", "failed", "oldest", "calls left")
    worker = ("worker",) if named else ()
    table = new_table("account", "organisation", *figures, *worker, "", right=figures)
    for account in status.accounts:
        table.add_row(
            account["name"],
            account["organisation"] or "",
            f"{account['queued']:,}",
            f"{account['running']:,}",
            Text(f"{account['failed']:,}", "red" if account["failed"] else ""),
            age(account["oldest_age"]),
            _calls_left(account["calls_left"]),
            *((account["worker"] or "",) if named else ()),
            _condition(account),
        )
    return table


_SOURCE_STATES = {
    "no_answers": Text("no answers", "red"),
    "unread": Text("not read: no worker", "red"),
    "taking_stock": Text("reads what is there", "yellow"),
    "read": Text("read", "green"),
}


def _sources_table(status: Status) -> Table:
    """Print how SalesBinder is read for each account."""
    figures = ("to publish", "problems")
    table = new_table("account", "SalesBinder", *figures, "", right=figures)
    for one in status.sources:
        says = [f"{each['code']} ({each['count']:,})" for each in one["problems"]]
        if one["comparison"]["error"] is not None:
            says.append(f"the last comparison with Xero did not succeed: {one['comparison']['error']}")
        table.add_row(
            one["account"],
            _SOURCE_STATES[one["state"]],
            f"{one['events_to_publish']:,}",
            Text(f"{one['problem_count']:,}", "red" if one["problem_count"] else ""),
            Text("; ".join(says), "yellow"),
        )
    return table


def _calls_left(left: dict[str, int | None]) -> str:
    parts = [f"{count:,}/{unit}" for unit, count in left.items() if count is not None]
    return " ".join(parts)


def _condition(account: dict[str, Any]) -> Text:
    if account["setup_steps_left"]:
        return Text(checklist.in_words(account["setup_steps_left"]), "yellow")
    if account["paused"]:
        return Text(f"paused: {account['paused_reason']}", "yellow")
    if not account["connected"]:
        return Text("not connected", "red")
    if account["held"]:
        return Text(account["held"], "yellow")
    if "payment_account" in account["settings_missing"]:
        return Text(f"not set: {', '.join(account['settings_missing'])}", "yellow")
    differences = account["drift"]["differences"]
    return Text(f"{plural(differences, 'difference')} to Xero" if differences else "", "yellow")


def status(as_json: bool) -> None:
    """Run ``sbx status``."""
    found = gather(environment.read())
    if found.stages:
        ask_workers(found)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found)
    if not found.ready:
        raise typer.Exit(FAILED)


def _print(found: Status) -> None:
    for problem in (*found.problems, *found.alarms):
        say(problem, "red")
    for worker in found.workers:
        if not worker["ready"]:
            say(f"{worker['name']}: {worker['says']}", "yellow")
    if found.unknown_refusals:
        say(unknown_in_words(found.unknown_refusals), "yellow")
    if found.stages or found.accounts or found.sources:
        stdout_console().print(tables(found))
    used = found.environment
    if found.dead_letters is not None:
        print(f"{plural(found.dead_letters, 'dead letter')} in the last 24 hours")
    print(f"{'ready' if found.ready else 'not ready'}  Kafka {used.kafka_bootstrap_servers or '-'}  "
          f"database {used.database_url_shown or '-'}  data {used.data_dir}")  # fmt: skip
    if found.page:
        print(f"page {found.page}{'' if page_address.answers(found.page) else ' (it does not answer)'}")

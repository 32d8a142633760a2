"""``sbx settings``: show, set and check the settings of an account's connection."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import typer
from rich.table import Table
from rich.text import Text

from connections import store
from connections.check import Finding, check_settings, number_clashes, unfit
from connections.settings import InvalidSetting, flat, normal_key, parse_setting
from contracts.reasons import CATALOGUE
from log_projection import queries
from runtime.environment import Environment
from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import ADDRESS, actor, connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.facts import ask_lane
from sbx.cli.terminal import plural, print_json, say, stdout_console

_FRESH = timedelta(minutes=10)


def show(account: str, as_json: bool) -> None:
    """Run ``sbx settings show``."""
    connection = asyncio.run(_load(environment.required(database=True), account))
    values = flat(connection.settings)
    if as_json:
        print_json({"account": account, "settings": values, "written": sorted(connection.written)})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("setting", "value", ""):
        table.add_column(name)
    for key, value in values.items():
        own = key in connection.written or key == "enabled_at"
        shown = "not set" if value is None else value
        table.add_row(
            Text(key, "bold" if own else ""), Text(shown, "bold" if own else "dim"), "" if own else "default"
        )
    stdout_console().print(table)


def set_(account: str, changes: list[str], as_json: bool) -> None:
    """Run ``sbx settings set``."""
    wanted = _parsed(changes)
    made = asyncio.run(_set(environment.required(database=True), account, wanted))
    if as_json:
        print_json(
            {"account": account, "changed": {one.key: {"old": one.old, "new": one.new} for one in made}}
        )
        return
    for one in made:
        print(f"{one.key}: {one.old or 'default'} -> {one.new or 'default'}")
    if not made:
        say("nothing to change: they have these values")


def check(account: str, as_json: bool) -> None:
    """Run ``sbx settings check``."""
    used = environment.required(database=True)
    asyncio.run(_load(used, account))
    trouble = asyncio.run(ask_lane(used, account))
    connection = asyncio.run(_load(used, account))
    facts = connection.facts
    if facts is None:
        raise OperationFailed(f"nothing is known of the organisation of {account}: {trouble}", "run 'sbx up'")
    if trouble is not None:
        say(f"checked against what Xero said at {facts.fetched_at:%Y-%m-%d %H:%M} UTC: {trouble}", "yellow")
    findings = [*check_settings(connection.settings, facts), *asyncio.run(clashes(used, connection))]
    failures = asyncio.run(_failures(used, account))
    if as_json:
        print_json(
            {
                "account": account,
                "organisation": facts.name,
                "fetched_at": facts.fetched_at,
                "findings": [finding_json(finding) for finding in findings],
                "failures": failures,
            }
        )
    else:
        for finding in findings:
            print(f"{finding.severity}: {in_words(finding)}")
        if not findings:
            print(f"all settings of {account} fit {facts.name}")
        for issue in failures:
            print(
                f"failed: {plural(issue['entries'], 'entry', 'entries')}: {issue['reason']} {issue['remedy']}"
            )
            print(f"  all of them, once it is set: sbx retry --issue {issue['issue_id']}")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def history(account: str, key: str | None, as_json: bool) -> None:
    """Run ``sbx settings history``."""
    wanted = key if key is None or key in store.OTHER_KEYS else normal_key(key)
    changes = asyncio.run(_history(environment.required(database=True), account, wanted))
    if as_json:
        print_json({"account": account, "history": [asdict(change) for change in changes]})
        return
    if not changes:
        say(f"{wanted or 'nothing'} was never changed")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when (UTC)", "who", "setting", "old", "new"):
        table.add_column(name, overflow="fold")
    for change in changes:
        when = "" if change.at is None else change.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        values = [_shown_value(change.key, value) for value in (change.old, change.new)]
        table.add_row(when, Text(change.actor), Text(change.key), *values)
    stdout_console().print(table)


def in_words(finding: Finding) -> str:
    """A finding as a sentence with its remedy."""
    shown = f"{finding.key}={finding.value}" if finding.value else finding.key
    return f"{shown} {finding.problem}; {finding.remedy}"


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding for scripts."""
    return asdict(finding)


def say_findings(account: str, findings: Sequence[Finding]) -> None:
    """Tell a person what is left to set."""
    for finding in findings:
        say(f"{finding.severity}: {in_words(finding)}", "red" if finding.severity == "error" else "yellow")
    if findings:
        say(f"set them with: sbx settings set {account} KEY=VALUE…")


def _shown_value(key: str, value: str | None) -> Text:
    if value is not None:
        return Text(value)
    return Text("" if key in store.OTHER_KEYS else "default", "dim")


def _parsed(changes: Sequence[str]) -> dict[str, str | None]:
    """Keys and values in their normal form, all checked before any is set."""
    wanted: dict[str, str | None] = {}
    wrong: list[str] = []
    for change in changes:
        # no account code or TaxType has an equals sign, a payment's reference may: payment_account.a=b=090
        table = change.lstrip().startswith("payment_account.")
        written, equals, value = change.rpartition("=") if table else change.partition("=")
        if not equals:
            raise BadUsage(
                f"'{change}' is not KEY=VALUE", f"write {change}=VALUE, or {change}= for its default"
            )
        try:
            key, parsed = parse_setting(written, value) if value.strip() else (normal_key(written), None)
        except InvalidSetting as error:
            wrong.append(str(error))
            continue
        if key in wanted:
            wrong.append(f"{key} is named twice; name it once")
        wanted[key] = parsed
    if wrong:
        remedy = "correct it; nothing was set" if len(wrong) == 1 else "correct them; nothing was set"
        raise BadUsage("\n  ".join(wrong), remedy)
    return wanted


async def _set(
    used: Environment, account: str, wanted: Mapping[str, str | None]
) -> list[store.SettingChange]:
    connection = await _load(used, account)
    findings = _unfit(connection, wanted)
    if findings or connection.facts is None:
        trouble = await ask_lane(used, account)
        if trouble is None:  # perhaps it was added in Xero only now
            connection = await _load(used, account)
            findings = _unfit(connection, wanted)
        elif connection.facts is None:
            say(f"warning: not checked against Xero, of which nothing is known yet: {trouble}", "yellow")
    facts = connection.facts
    if findings and facts is not None and datetime.now(UTC) - facts.fetched_at < _FRESH:
        raise OperationFailed(
            "\n  ".join(in_words(finding) for finding in findings),
            f"nothing was set; {plural(len(findings), 'value does', 'values do')} not exist in {facts.name}",
        )
    for finding in findings:
        say(f"warning: {in_words(finding)}", "yellow")
    async with connected("sbx settings") as (_, opened):
        target = {"account": account, "settings": dict(wanted)}
        async with audit.recorded(opened, actor(), ADDRESS, "settings", target) as result:
            made = await store.set_settings(opened, account, wanted, environment.actor())
            result["changed"] = [one.key for one in made]
    return made


def _unfit(connection: store.Connection, wanted: Mapping[str, str | None]) -> list[Finding]:
    """Changes that the organisation cannot work with; empty where nothing is known of it."""
    if connection.facts is None:
        return []
    return unfit(connection.written, wanted, connection.enabled_at, connection.facts)


async def clashes(used: Environment, connection: store.Connection) -> list[Finding]:
    """Number formats that the account shares with others of its organisation."""
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx settings")) as opened:
        others = await store.settings_of_others(opened, connection.account)
    return number_clashes(connection.settings, others)


async def _failures(used: Environment, account: str) -> list[queries.Row]:
    """The account's standing failures that a setting puts right, grouped by cause."""
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx settings")) as connection:
        found = await queries.issues(connection, account)
    return [row for row in found if (known := CATALOGUE.get(row["reason_code"])) and known.who == "settings"]


async def _history(used: Environment, account: str, key: str | None) -> list[store.SettingChange]:
    await _load(used, account)
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx settings")) as connection:
        return await store.settings_history(connection, account, key)


async def _load(used: Environment, account: str) -> store.Connection:
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx settings")) as connection:
        found = await store.load_connection(connection, account)
    if found is None:
        raise store.NotConnected(account)
    return found

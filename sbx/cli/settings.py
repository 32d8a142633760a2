"""``sbx settings``: show, set and check the settings of an account's connection."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import typer
from rich.text import Text

from connections import store
from connections.check import Finding
from connections.settings import flat, normal_key
from sbx.actions import accounts, facts
from sbx.actions import settings as actions
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.terminal import new_table, plural, print_json, say, stdout_console
from sinks.ledger import requests

_FRESH = timedelta(minutes=10)


def show(account: str, as_json: bool) -> None:
    """Run ``sbx settings show``."""
    connection = asyncio.run(_load(account))
    values = flat(connection.settings)
    if as_json:
        print_json({"account": account, "settings": values, "written": sorted(connection.written)})
        return
    table = new_table("setting", "value", "")
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
    made = asyncio.run(_set(account, wanted))
    if as_json:
        print_json(
            {"account": account, "changed": {one.key: {"old": one.old, "new": one.new} for one in made}}
        )
        return
    for one in made:
        print(f"{one.key}: {one.old or 'default'} -> {one.new or 'default'}")
    if not made:
        say("nothing to change: the settings already have these values")


def check(account: str, as_json: bool) -> None:
    """Run ``sbx settings check``."""
    state, trouble = asyncio.run(_check(account))
    known, findings = state.connection.facts, state.findings
    if known is None:
        raise OperationFailed(
            f"nothing is known about the organisation of {account}: {trouble}", "run 'sbx up'"
        )
    if trouble is not None:
        say(f"checked against Xero as of {known.fetched_at:%Y-%m-%d %H:%M} UTC: {trouble}", "yellow")
    if as_json:
        print_json(
            {
                "account": account,
                "organisation": known.name,
                "fetched_at": known.fetched_at,
                "findings": [asdict(finding) for finding in findings],
                "failures": state.failures,
            }
        )
    else:
        for finding in findings:
            print(f"{finding.severity}: {in_words(finding)}")
        if not findings:
            print(f"all settings of {account} fit {known.name}")
        for issue in state.failures:
            print(
                f"failed: {plural(issue['entries'], 'entry', 'entries')}: {issue['reason']} {issue['remedy']}"
            )
            print(f"  to retry them once it is set: sbx retry --issue {issue['issue_id']}")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def history(account: str, key: str | None, as_json: bool) -> None:
    """Run ``sbx settings history``."""
    wanted = key if key is None or key in store.OTHER_KEYS else normal_key(key)
    changes = asyncio.run(_history(account, wanted))
    if as_json:
        print_json({"account": account, "history": [asdict(change) for change in changes]})
        return
    if not changes:
        say(f"{wanted or 'nothing'} was never changed")
        return
    table = new_table("when (UTC)", "who", "setting", "old", "new")
    for change in changes:
        when = "" if change.at is None else change.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        values = [_shown_value(change.key, value) for value in (change.old, change.new)]
        table.add_row(when, Text(change.actor), Text(change.key), *values)
    stdout_console().print(table)


def in_words(finding: Finding) -> str:
    """Return a finding as a sentence with its remedy."""
    shown = f"{finding.key}={finding.value}" if finding.value else finding.key
    return f"{shown} {finding.problem}; {finding.remedy}"


def say_findings(account: str, findings: Sequence[Finding]) -> None:
    """Print the settings that are still to be set."""
    for finding in findings:
        say(f"{finding.severity}: {in_words(finding)}", "red" if finding.severity == "error" else "yellow")
    if findings:
        say(f"set them with: sbx settings set {account} KEY=VALUE…")


def _shown_value(key: str, value: str | None) -> Text:
    if value is not None:
        return Text(value)
    return Text("" if key in store.OTHER_KEYS else "default", "dim")


def _parsed(changes: Sequence[str]) -> dict[str, str | None]:
    """Return keys and values in their normal form, all checked before any is set."""
    pairs = []
    for change in changes:
        # no account code or TaxType has an equals sign, a payment's reference may: payment_account.a=b=090
        table = change.lstrip().startswith("payment_account.")
        written, equals, value = change.rpartition("=") if table else change.partition("=")
        if not equals:
            raise BadUsage(
                f"'{change}' is not KEY=VALUE", f"write {change}=VALUE, or {change}= for its default"
            )
        pairs.append((written, value))
    wanted, wrong = actions.parsed(pairs)
    if wrong:
        remedy = "correct it; nothing was set" if len(wrong) == 1 else "correct them; nothing was set"
        raise BadUsage("\n  ".join(str(error) for error in wrong), remedy)
    return wanted


async def _set(account: str, wanted: Mapping[str, str | None]) -> list[store.SettingChange]:
    async with connected("sbx settings") as (database, opened):
        connection = await accounts.connected(opened, actor(), account)
        findings = actions.impossible(connection, wanted)
        if findings or connection.facts is None:
            trouble = await facts.answered(opened, await requests.ask_facts(opened, account))
            if trouble is None:  # perhaps it was added in Xero only now
                connection = await accounts.connected(opened, actor(), account)
                findings = actions.impossible(connection, wanted)
            elif connection.facts is None:
                say(
                    f"warning: not checked against Xero, because nothing is known about it yet: {trouble}",
                    "yellow",
                )
        known = connection.facts
        if findings and known is not None and datetime.now(UTC) - known.fetched_at < _FRESH:
            values = plural(len(findings), "value does", "values do")
            raise OperationFailed(
                "\n  ".join(in_words(finding) for finding in findings),
                f"nothing was set; {values} not exist in {known.name}",
            )
        for finding in findings:
            say(f"warning: {in_words(finding)}", "yellow")
        return await actions.change(database, actor(), account, wanted, insist=True)


async def _check(account: str) -> tuple[actions.State, str | None]:
    async with connected("sbx settings") as (database, opened):
        trouble = await facts.answered(opened, await facts.ask(database, actor(), account))
        return await actions.load(opened, actor(), account), trouble


async def _history(account: str, key: str | None) -> list[store.SettingChange]:
    async with connected("sbx settings") as (_, opened):
        await accounts.connected(opened, actor(), account)
        return await store.settings_history(opened, account, key)


async def _load(account: str) -> store.Connection:
    async with connected("sbx settings") as (_, opened):
        return await accounts.connected(opened, actor(), account)

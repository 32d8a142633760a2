"""``sbx setup``: set an account up, step by step."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer
from rich.text import Text

from log_projection.queries import Filters
from runtime.environment import Environment
from sbx.actions import connect as connecting
from sbx.actions import source
from sbx.actions.facts import answered
from sbx.actions.scoped_log import VisibleLog
from sbx.actions.settings import SettingsRefused
from sbx.actions.setup import setups, shop
from sbx.actions.setup.checklist import StepName, in_words
from sbx.actions.setup.looking_ahead import Document, look_ahead
from sbx.actions.setup.setups import Setup
from sbx.actions.setup.suggest import Suggestion
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.source import read_key
from sbx.cli.terminal import ask_secret, new_table, plural, print_json, say, stdout_console
from sbx.cli.times import spoken

_MARKS: Final = {"done": ("✓", "green"), "next": ("→", "bold"), "later": ("·", "dim")}
_LISTED: Final = 5
_LOOK_SECONDS: Final = 1.0
_WATCHED_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Given:
    """What the command line gave."""

    key_file: Path | None
    client_id: str | None
    client_secret: str | None
    yes: bool


def setup(
    account: str,
    *,
    key_file: Path | None,
    client_id: str | None,
    client_secret: str | None,
    show: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Run ``sbx setup``."""
    used = environment.required(database=True)
    account = source.account_name(account)
    given = _Given(key_file, client_id, client_secret, yes)
    found = asyncio.run(_load(used, account))
    if not show:
        found = _go_through(used, account, given, found)
    if as_json:
        print_json(_as_object(found))
    elif show:
        _show(found)
    if found.left:
        if not as_json:
            say(f"{account}: {in_words(found.left)}; 'sbx setup {account}' goes on", "yellow")
        if not show:
            raise typer.Exit(1)
    elif not as_json:
        print(f"{account} is set up: SalesBinder is read, and its documents go to Xero")


def _go_through(used: Environment, account: str, given: _Given, found: Setup) -> Setup:
    """Do step after step until all are done, or one stops it."""
    while (step := found.next) is not None:
        _show(found)
        try:
            goes_on = asyncio.run(_STEPS[step.name](used, account, given))
        except (EOFError, typer.Abort):
            goes_on = False
        before, found = step.name, asyncio.run(_load(used, account))
        if not goes_on or (found.next is not None and found.next.name == before):
            break
    return found


async def _load(used: Environment, account: str) -> Setup:
    async with connected("sbx setup", used) as (_, connection):
        return await setups.begin(connection, actor(), account)


def _show(found: Setup) -> None:
    console = stdout_console()
    console.print(f"{found.account}: {in_words(found.left) or 'set up'}", markup=False)
    for number, step in enumerate(found.steps, 1):
        mark, style = _MARKS[step.state]
        console.print(Text(f"  {mark} {number}. {step.title}: {step.text}", style))


async def _salesbinder(used: Environment, account: str, given: _Given) -> bool:
    say(
        f"The API key is on the Profile page of a user of https://{account}.salesbinder.com. Make a user for "
        "it who may see accounts and documents: all that reads with one key shares its limit."
    )
    key = read_key(account, given.key_file)
    async with connected("sbx setup", used) as (database, _):
        found = await source.connect(database, used, actor(), account, key, say)
    say(", ".join(plural(count, listing.removesuffix("s")) for listing, count in found.rows.items()))
    for listing in found.refused:
        say(f"the key's user may not see {listing}: give them the permission in SalesBinder", "yellow")
    return True


async def _xero(used: Environment, account: str, given: _Given) -> bool:
    """Connect Xero, paused; or have an organisation read that is connected."""
    async with connected("sbx setup", used) as (database, connection):
        found = await connecting.known(connection, actor(), account)
        if found is None or found.status == "lost":
            wanted = _credentials(account, given)
            request = await connecting.by_secret(database, used, actor(), wanted)
        else:
            from sbx.actions import facts

            request = await facts.ask(database, actor(), account)
        trouble = await answered(connection, request)
        shared = (await setups.begin(connection, actor(), account)).shared
    if shared:
        say(shared, "yellow")
    if trouble is not None:
        say(f"the organisation's accounts and tax rates are not known yet: {trouble}", "yellow")
        return False
    return True


def _credentials(account: str, given: _Given) -> connecting.Wanted:
    say(
        "A custom connection of Xero's developer portal gives a client id and a secret. To allow access in "
        f"the browser instead, stop here and use 'sbx connect {account} --browser' or the page."
    )
    if given.client_id is None and given.yes:
        raise BadUsage("--client-id is missing", "give it, or leave --yes out")
    client_id = given.client_id or typer.prompt("Client id", err=True)
    secret = given.client_secret or ask_secret("Client secret")
    return connecting.Wanted(account, "", str(client_id).strip(), str(secret).strip())


async def _settings(used: Environment, account: str, given: _Given) -> bool:
    async with connected("sbx setup", used) as (database, connection):
        say("Looks at the shop's newest documents: which tax rates and ways of paying there are…")
        found = await shop.take_sample(connection, used, actor(), account)
        say(
            f"found {plural(len(found.sales), 'tax rate')} on invoices, {len(found.purchases)} on purchase "
            f"orders, and {plural(len(found.methods), 'way')} of paying"
        )
        offered = setups.suggested(await setups.load(connection, actor(), account))
        while True:
            chosen = {each.key: _chosen(each, given.yes) for each in offered}
            try:
                left_out = await setups.choose_settings(database, actor(), account, chosen)
            except SettingsRefused as refused:
                if given.yes:
                    raise
                for key, text in refused.errors.items():
                    say(f"{key} {text}", "red")
            else:
                break
    for key in left_out:
        say(f"{key} has no value: what needs it will fail, and say so", "yellow")
    return True


def _chosen(offered: Suggestion, takes_all: bool) -> str | None:
    """Return the value that is chosen; None to leave it out."""
    if takes_all:
        if offered.key == "payment_account" and not offered.value:
            raise OperationFailed(
                "there is no account to suggest for payments", "leave --yes out, and choose one"
            )
        return offered.value or None
    print(f"{offered.key}: {offered.found}")
    for choice in offered.choices[:_LISTED]:
        print(f"    {choice.value}  {choice.name.removeprefix(choice.value).strip()}")
    if len(offered.choices) > _LISTED:
        print(f"    and {len(offered.choices) - _LISTED} more, as 'sbx settings check' and Xero show them")
    none = "-" if offered.is_needed else "the account of all others"
    answer = typer.prompt(f"  {offered.key} (- for none)", default=offered.value or none, err=True)
    return None if str(answer).strip() in ("-", none) else str(answer).strip()


async def _start(used: Environment, account: str, given: _Given) -> bool:
    say(
        "Documents that were made before the start stay out of Xero, with all that happens to them later: "
        "they are in its books already. Choose the moment from which SalesBinder is the only source."
    )
    async with connected("sbx setup", used) as (database, connection):
        found = await setups.load(connection, actor(), account)
        assert found.connection is not None
        proposed = found.connection.enabled_at.astimezone(UTC)
        while True:
            text = f"{proposed:%Y-%m-%dT%H:%M:%SZ}"
            if not given.yes:
                text = str(typer.prompt("Start", default=text, err=True)).strip()
            try:
                moment = spoken(text, UTC) or datetime.fromisoformat(text)
            except (ValueError, OverflowError):
                say(f"{text} is not a time: write 2026-01-31, 2026-01-31T00:00:00Z, today or 2h", "red")
                continue
            break
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        await setups.choose_start(database, actor(), account, moment)
    if moment < proposed:
        say(
            "Documents from before today that SalesBinder already has are published on request: "
            f"'sbx source backfill {account} --since {moment:%F}' plans it, once this is done."
        )
    return True


async def _preview(used: Environment, account: str, given: _Given) -> bool:
    async with connected("sbx setup", used) as (_, connection):
        found = await setups.load(connection, actor(), account)
        assert found.connection is not None
        seen = setups.digest(found.connection)
        sample = found.sample or await shop.take_sample(connection, used, actor(), account)
    # Its session is of no use for anything else afterwards.
    async with connected("sbx setup", used) as (_, connection):
        documents = await look_ahead(connection, actor(), used, account, sample)
    if not documents:
        say("the shop has no documents to preview yet", "yellow")
    for number, document in enumerate(documents):
        _show_document(document, "as the next one would be" if number == 0 else "")
    problems = sum(bool(document.problems) for document in documents)
    if problems:
        say(f"{plural(problems, 'document')} of these would fail: see what to do above", "yellow")
    if not given.yes and not typer.confirm(
        "Is this how it should stand in Xero?", err=True, default=not problems
    ):
        say(f"change settings with 'sbx settings set {account} KEY=VALUE', then look again")
        return False
    async with connected("sbx setup", used) as (_, connection):
        await setups.accept_preview(connection, actor(), account, seen)
    return True


def _show_document(document: Document, remark: str) -> None:
    console = stdout_console()
    head = _words(document.kind.replace("_", " "), document.number, document.party)
    shown = _words(f"{head}:", document.total, document.currency, document.day, remark and f"({remark})")
    console.print(Text(shown, "bold"))
    if document.lines:
        right = ("quantity", "price", "discount", "tax")
        table = new_table("", "text", *right[:3], "account", "tax rate", right[3], right=right)
        for line in document.lines:
            discount = f"{line.discount} %" if line.discount else ""
            cells = (line.quantity, line.unit_amount, discount, line.account, line.tax_type, line.tax)
            table.add_row("", Text(line.description), *map(Text, cells))
        console.print(table)
    for money in document.payments:
        console.print(
            f"  paid {money.amount} on {money.day} to {money.account}  {money.reference}", markup=False
        )
    for problem, remedy in document.problems:
        console.print(Text(f"  {problem} {remedy}", "red"))


def _words(*parts: str) -> str:
    return " ".join(filter(None, parts))


async def _switch_on(used: Environment, account: str, given: _Given) -> bool:
    async with connected("sbx setup", used) as (_, connection):
        shared = (await setups.load(connection, actor(), account)).shared
    if shared:
        say(shared, "yellow")
    if not given.yes and not typer.confirm(
        "Switch it on? From then on documents go to Xero by themselves", err=True
    ):
        return False
    async with connected("sbx setup", used) as (database, _):
        again = await setups.switch_on(database, actor(), account)
    say("it is on" + (f"; {plural(again, 'action')} from before is tried again" if again else ""))
    return True


async def _watch(used: Environment, account: str, given: _Given) -> bool:
    """Show what arrives, until the first document stands in Xero."""
    say("Waits for the first document in Xero; Ctrl-C stops watching, and nothing else.")
    shown: set[str] = set()
    loop = asyncio.get_running_loop()
    until = loop.time() + (_WATCHED_SECONDS if not given.yes else 0.0)
    async with connected("sbx setup", used) as (_, connection):
        while True:
            log = VisibleLog(connection, actor())
            rows = [row async for row in log.entries(Filters(account=account), limit=20)]
            for row in reversed(rows):
                _say_once(row, shown)
            found = await setups.load(connection, actor(), account)
            if not found.left:
                return True
            if loop.time() >= until:
                return False
            await asyncio.sleep(_LOOK_SECONDS)


def _say_once(row: Mapping[str, Any], shown: set[str]) -> None:
    state = row["outcome"] or row["reason_code"] or row["state"]
    line = f"{row['entity']} {row['record_number'] or ''} {row['action']}: {state}".replace("_", " ")
    if (known := f"{row['entry_id']} {state}") not in shown:
        shown.add(known)
        say(line, "red" if row["state"] == "failed" else "")


_STEPS: Final[dict[StepName, Callable[[Environment, str, _Given], Coroutine[Any, Any, bool]]]] = {
    "salesbinder": _salesbinder,
    "xero": _xero,
    "settings": _settings,
    "start": _start,
    "preview": _preview,
    "switch_on": _switch_on,
    "watch": _watch,
}


def _as_object(found: Setup) -> dict[str, Any]:
    return {
        "account": found.account,
        "steps_left": found.left,
        "says": in_words(found.left),
        "steps": [asdict(step) for step in found.steps],
        "start": found.start,
        "switched_on_at": found.switched_on_at,
        "left_out": list(found.left_out),
    }

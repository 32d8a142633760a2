"""Operators' acts on single commands: retry it, skip it, decide about it.

Each is one transaction of the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec
from psycopg.rows import class_row

from connections import store
from connections.addresses import Addresses
from contracts.json import JsonObject
from contracts.reasons import warning
from contracts.results import Step
from runtime.crash_points import crash_point
from runtime.database import fetch_all
from runtime.sql import load_queries
from sinks.ledger import store as ledger
from sinks.ledger.entries import Entry, entry_of_row, result_of, step_of_row
from sinks.ledger.intake import LANE_CHANNEL
from sinks.xero.elements import Link, StepKey, encode_jsonb

_SQL = load_queries(__file__)

Act = Literal["retry", "skip"]
ACTS: tuple[Act, ...] = get_args(Act)


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a command, and who acted on it last (``""``: nobody)."""

    command_id: str
    account: str
    state: str
    outcome: str | None
    reason_code: str | None
    actor: str


async def retry(
    connection: ledger.Connection, command_ids: Sequence[str], actor: str, triggered_by: str = "retry"
) -> list[str]:
    """Queue failed commands again; they are planned again, with today's settings.

    A created or edited action is planned from the newest known snapshot. A command cannot be retried if its
    event id came with other content, if a later action has overtaken it, or if it has not failed.

    Returns:
        the ids that were queued, in the order of their positions.
    """
    parameters = {"command_ids": list(command_ids), "actor": actor, "triggered_by": triggered_by}
    return await _change(connection, "retry", parameters)


async def resend(connection: ledger.Connection, command_ids: Sequence[str], actor: str) -> list[str]:
    """Queue completed or failed commands again because Xero no longer shows their effect.

    They are planned like retries: from the newest known snapshot, by today's settings and rules.

    Returns:
        the ids that were queued, in the order of their positions.
    """
    return await _change(connection, "resend", {"command_ids": list(command_ids), "actor": actor})


async def skip(
    connection: ledger.Connection, command_ids: Sequence[str], actor: str, note: str = ""
) -> list[str]:
    """End commands without doing anything in Xero; their records' later actions go on.

    Running and completed commands cannot be skipped. ``note`` says why, for the log.

    Returns:
        the ids that were ended, in the order of their positions.
    """
    said = [warning("skipped", actor=actor, note=note)] if note.strip() else []
    parameters = {"command_ids": list(command_ids), "actor": actor, "warnings": encode_jsonb(said)}
    return await _change(connection, "skip", parameters)


CANDIDATE = ("kind", "number", "amount", "date", "status", "reference", "xero_id", "url")
"""The fields of a candidate of ``undecided`` that people are shown."""
NUMBERED = ("invoice", "credit_note", "purchase_order")
"""Kinds for which Xero takes a number only once: another object gets through only if the number is free."""


class Undecidable(Exception):
    """There is nothing to decide, or not in this way. ``str()`` says why, ``remedy`` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(problem)


async def undecided(connection: ledger.Connection, command_id: str) -> list[JsonObject]:
    """Return the objects in Xero that may be the one that this command sent, as they were when they were
    looked up: each with the fields that ``CANDIDATE`` names.

    Raises:
        Undecidable: the command is not in ``needs_review``.
    """
    return _options(command_id, await fetch_all(connection, _SQL["undecided"], {"command_id": command_id}))


async def decide(
    connection: ledger.Connection, command_id: str, actor: str, adopt: str | None = None
) -> list[str]:
    """End a command's ``needs_review``: it is queued again, and continues from the decision.

    Args:
        adopt: the id in Xero of the right candidate, which is linked, and nothing is sent. None: it is none
            of the candidates, and it is sent again.

    Returns:
        the ids that were queued: the command's, and those of the commands merged into it.

    Raises:
        Undecidable: the command is not in ``needs_review``, or the id is no candidate's or is linked already.
    """
    async with connection.transaction():
        # the lease first, as lanes do it: nobody links anything of the account until this transaction ends
        await connection.execute(_SQL["hold_account"], {"command_id": command_id})
        rows = await fetch_all(connection, _SQL["hold_undecided"], {"command_id": command_id})
        options = _options(command_id, rows)
        row = rows[0]
        account, target = row["account"], StepKey(*options[0]["target"])
        if adopt is not None:
            link = _link(command_id, options, adopt, actor)
            await _refuse_linked(connection, account, link)
            await ledger.write_links(connection, account, [link])
        await ledger.resolve_unknown(connection, account, [target])
        found = {name: row[name] for name in ("account", "entity", "record_id")}
        queued = await _change(
            connection,
            "decide",
            {**found, "target": row["reason_args"]["target"], "actor": actor},
            adopted=adopt is not None,
        )
        crash_point("decide.before_commit")
    crash_point("decide.after_commit")
    return queued


async def check_adoption(connection: ledger.Connection, command_id: str, adopt: str) -> None:
    """Raise ``Undecidable`` if ``decide`` would refuse to adopt this."""
    rows = await fetch_all(connection, _SQL["undecided"], {"command_id": command_id})
    link = _link(command_id, _options(command_id, rows), adopt, "")
    await _refuse_linked(connection, rows[0]["account"], link)


def _options(command_id: str, rows: Sequence[JsonObject]) -> list[JsonObject]:
    if not rows:
        raise Undecidable(f"the ledger knows no entry {command_id}", "take the id from 'sbx log'")
    row = rows[0]
    if row["state"] != "failed" or row["reason_code"] != "needs_review":
        stands = " ".join(filter(None, (row["state"], row["outcome"] or row["reason_code"])))
        raise Undecidable(
            f"entry {command_id} is not in needs_review: it is {stands}",
            "list those that are with 'sbx log --reason needs_review'",
        )
    if "options" not in row["reason_args"]:
        raise Undecidable(
            f"entry {command_id} does not say what Xero has: it failed under an earlier version",
            f"look it up again with 'sbx retry --id {command_id} --yes'",
        )
    options: list[JsonObject] = msgspec.json.decode(row["reason_args"]["options"])
    return options


def _link(command_id: str, options: Sequence[JsonObject], adopt: str, actor: str) -> Link:
    chosen = [option for option in options if option["xero_id"].casefold() == adopt.strip().casefold()]
    if not chosen:
        listed = ", ".join(option["xero_id"] for option in options)
        raise Undecidable(
            f"{adopt} is no candidate of entry {command_id}",
            f"name one of them: {listed}; or look again with 'sbx retry --id {command_id} --yes'",
        )
    option = chosen[0]
    told = {name: option[name] for name in ("xero_id", "amount", "date")}
    facts = option["facts"]
    warnings = [*facts.get("warnings", ()), warning("adopted", actor=actor, **told)]
    return Link(
        StepKey(*option["target"]),
        option["xero_id"],
        option["number"],
        option["seq"],
        option["removed"],
        {**facts, "warnings": warnings, "adopted": actor},
    )


async def _refuse_linked(connection: ledger.Connection, account: str, link: Link) -> None:
    rows = await fetch_all(connection, ledger.SQL["linked"], {"account": account, "xero_ids": [link.xero_id]})
    for row in rows:
        other = StepKey(row["kind"], row["record_id"], row["transaction_id"])
        if other != link.target or row["account"] != account:
            what = f"{other.kind.replace('_', ' ')} {other.transaction_id or other.record_id}"
            what += "" if row["account"] == account else f" of the account {row['account']}"
            raise Undecidable(
                f"{link.xero_id} is linked already: it is the {what} of SalesBinder",
                "adopt another candidate, or send it again with --send",
            )


async def standing(connection: ledger.Connection, command_ids: Sequence[str]) -> dict[str, Standing]:
    """Return the present states of these commands, by their ids; those that the ledger does not know are left
    out.
    """
    async with connection.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(_SQL["standing"], {"command_ids": list(command_ids)})
        return {found.command_id: found for found in await cursor.fetchall()}


def obstacle(act: Act, state: str, reason_code: str | None, triggered_by: str) -> str:
    """Return the obstacle to an act on an entry of the log: ``""`` for none, ``publish_anew``,
    ``read_again``, ``overtaken``, or ``state`` if there is nothing to do for it in its state.
    """
    if state != "failed" and not (act == "skip" and state == "queued"):
        return "state"
    if triggered_by == "source":
        return "read_again"
    if triggered_by == "dead_letter" or (act == "retry" and reason_code == "event_id_reused"):
        return "publish_anew"
    return "overtaken" if act == "retry" and reason_code == "overtaken" else ""


async def refusals(
    connection: ledger.Connection,
    act: Act,
    command_ids: Sequence[str],
    read_for: Mapping[str, str] | None = None,
) -> list[dict[str, str]]:
    """Return why these were left unchanged: ``entry_id``, ``code`` and ``message`` of each, in their
    order.

    Args:
        read_for: the account of each entry about reading SalesBinder, by its id: no event is behind it.
    """
    standing_now = await standing(connection, command_ids) if command_ids else {}
    accounts = read_for or {}
    return [
        {
            "entry_id": one,
            **(_read_again(accounts[one]) if one in accounts else _why_not(act, standing_now.get(one))),
        }
        for one in command_ids
    ]


def _read_again(account: str) -> dict[str, str]:
    return {
        "code": "read_again",
        "message": "is read again from SalesBinder by itself, and completes once it can be read: its remedy "
        f"says what to do in SalesBinder, 'sbx source status {account}' how the account is read",
    }


def _why_not(act: Act, found: Standing | None) -> dict[str, str]:
    verb = "tried again" if act == "retry" else "skipped"
    if found is None or found.reason_code == "event_id_reused":
        return {
            "code": "publish_anew",
            "message": f"cannot be {verb}: its event must be corrected and published again",
        }
    by = f" by {found.actor}" if found.actor else ""
    match found.state:
        case "running":
            return {"code": "running", "message": f"is running just now (set off{by or ' by its event'})"}
        case "queued":
            return {"code": "queued", "message": f"is queued already{by}"}
        case "completed":
            how = "skipped" if found.outcome == "skipped_by_operator" else "completed"
            return {"code": how, "message": f"is {how} already{by}"}
        case _ if found.reason_code == "overtaken":
            return {
                "code": "overtaken",
                "message": f"cannot be {verb}: it would undo what was done for later actions; skip it",
            }
        case _:
            return {"code": "changed", "message": f"could not be {verb} as it stands"}


async def _change(
    connection: ledger.Connection, name: str, parameters: JsonObject, *, adopted: bool = False
) -> list[str]:
    async with connection.transaction():
        rows = await fetch_all(connection, _SQL[name], parameters)
        entries = sorted((entry_of_row(row) for row in rows), key=lambda e: e.seq)
        if adopted:
            ids = [entry.command_id for entry in entries]
            await connection.execute(_SQL["adopted"], {"command_ids": ids})
        await publish(connection, entries)
        for account in sorted({entry.command.account for entry in entries}):
            await connection.execute("SELECT pg_notify(%s, %s)", [LANE_CHANNEL, account])
        crash_point("retry.before_commit")
    crash_point("retry.after_commit")
    return [entry.command_id for entry in entries]


async def publish(
    connection: ledger.Connection, entries: Sequence[Entry], *, whole_history: bool = False
) -> None:
    """Tell the log the present state of these entries, with links to SalesBinder and Xero, and the steps that
    made it.

    Args:
        whole_history: also all earlier steps that the ledger keeps, for a log that may have lost them.
    """
    connections = await store.load_many(connection, {entry.command.account for entry in entries})
    addresses = {account: found.addresses for account, found in connections.items()}
    steps = await _steps(connection, entries)
    results = []
    for entry in entries:
        # An act raises the version by one, from the end that it undoes.
        told = [one for one in steps[entry.command_id] if whole_history or one.version >= entry.version - 1]
        results.append(result_of(entry, addresses.get(entry.command.account, Addresses()), told))
    await ledger.publish_later(connection, results, [entry.command.key for entry in entries])


async def _steps(connection: ledger.Connection, entries: Sequence[Entry]) -> dict[str, list[Step]]:
    """Return what the ledger keeps of each entry's history, by its id."""
    by_id = {entry.command_id: entry for entry in entries}
    found: dict[str, list[Step]] = {command_id: [] for command_id in by_id}
    rows = await fetch_all(connection, _SQL["steps"], {"command_ids": list(by_id)}) if by_id else []
    for row in rows:
        found[row["command_id"]].append(step_of_row(by_id[row["command_id"]], row))
    return found

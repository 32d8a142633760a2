"""An account's settings: show, check, and change them in the actor's name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connections import store
from connections.check import Finding, alike, check_settings, number_clashes, unfit
from connections.settings import InvalidSetting, normal_key, parse_setting
from connections.store import SettingChange
from contracts.reasons import CATALOGUE
from log_projection.queries import Row
from sbx.actions import audit
from sbx.actions.accounts import connected
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.scoped_log import VisibleLog
from sinks.ledger import requests


class SettingsRefused(Exception):
    """Changes that were not made, not one of them; ``errors`` says why, by key."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(f"{key} {text}" for key, text in errors.items()))


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the page shows of an account."""

    connection: store.Connection
    findings: Sequence[Finding]
    """The findings of ``sbx settings check``, by the known facts."""
    failures: Sequence[Row]
    """Issues that a setting can fix."""
    history: Sequence[SettingChange]
    """Newest first."""
    asked: requests.Request | None

    @property
    def unpaired(self) -> list[Row]:
        """Return failures for a tax rate that is still not mapped; ``cause`` is the key to set."""
        return [
            row
            for row in self.failures
            if row["reason_code"] == "tax_rate_unmapped" and row["cause"] not in self.connection.written
        ]

    def suggested(self, key: str) -> str:
        """Return the TaxType to offer first for a rate such as ``sales_tax.15``; blank if none stands out."""
        table, _, rate = key.partition(".")
        facts = self.connection.facts
        return "" if facts is None else alike("sales" if table == "sales_tax" else "purchases", facts, rate)


async def load(connection: Connection, actor: Actor, account: str) -> State:
    """Return the account's current state.

    Raises:
        ActionRefused: there is no such account.
    """
    found = await connected(connection, actor, account)
    history = await store.settings_history(connection, account)
    return State(
        found,
        [
            *([] if found.facts is None else check_settings(found.settings, found.facts)),
            *number_clashes(found.settings, await store.settings_of_others(connection, account)),
        ],
        await failures(connection, actor, account),
        history[::-1],
        await requests.newest(connection, account),
    )


async def failures(connection: Connection, actor: Actor, account: str) -> list[Row]:
    """Return the account's issues that a setting can fix."""
    found = await VisibleLog(connection, actor).issues(account)
    return [row for row in found if (known := CATALOGUE.get(row["reason_code"])) and known.who == "settings"]


def parsed(wanted: Iterable[tuple[str, str | None]]) -> tuple[dict[str, str | None], list[InvalidSetting]]:
    """Return keys and values in their normal form, and the faults of the others. Blank is the default."""
    found: dict[str, str | None] = {}
    wrong: list[InvalidSetting] = []
    for written, given in wanted:
        value = given or ""
        try:
            key, normal = parse_setting(written, value) if value.strip() else (normal_key(written), None)
            if key in found:
                raise InvalidSetting(written, value, "is given twice", "give it once")
            found[key] = normal
        except InvalidSetting as error:
            wrong.append(error)
    return found, wrong


def impossible(connection: store.Connection, wanted: Mapping[str, str | None]) -> list[Finding]:
    """Return the changes that the organisation cannot work with; empty if nothing is known about it."""
    if connection.facts is None:
        return []
    return unfit(connection.written, wanted, connection.enabled_at, connection.facts)


async def change(
    database: Database,
    actor: Actor,
    account: str,
    wanted: Mapping[str, str | None],
    *,
    insist: bool = False,
) -> list[SettingChange]:
    """Change settings, all of them or none; a blank value resets a setting to its default.

    Args:
        insist: set accounts and tax rates even if the organisation is not known to have them.

    Raises:
        SettingsRefused: a key or value is invalid, or the organisation has no such account or tax rate.
        ActionRefused: there is no such account.
    """
    changes, wrong = parsed(wanted.items())
    errors = {error.key: f"{error.problem}; {error.remedy}." for error in wrong}
    async with database.connection() as connection:
        found = await connected(connection, actor, account)
        if not errors and not insist and found.facts is not None:
            since = f"{found.facts.fetched_at:%Y-%m-%d %H:%M} UTC"
            errors = {
                one.key: f"{one.problem} (as of {since}). Was it added since? Refresh from Xero below."
                for one in impossible(found, changes)
            }
        if errors:
            raise SettingsRefused(errors)
        target = {"account": account, "settings": changes}
        async with audit.recorded(connection, actor, "settings", target) as record:
            made = await store.set_settings(connection, account, changes, actor.name)
            record.result["changed"] = [one.key for one in made]
    return made

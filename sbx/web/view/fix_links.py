"""Where on the page the cause of a failure can be fixed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from contracts.reasons import CATALOGUE

_SETTING_OF = {
    "authorised_not_editable": "edit_authorised",
    "item_code_invalid": "item_code",
    "item_tracked": "item_code",
    "payment_account_missing": "payment_account",
    "period_locked": "locked_period",
}
"""The setting behind a reason whose cause does not start with one."""
BY_CONNECTING = ("connection_lost", "not_connected")
"""Reasons that connecting the account fixes."""
_COMMAND = re.compile(r"'(sbx [^']+)'")


@dataclass(frozen=True, slots=True)
class Mending:
    """A link to where it can be fixed."""

    label: str
    address: str
    acts: bool = False
    """True if only operators may go there."""


def mending(row: Mapping[str, Any]) -> Mending | None:
    """Return where the cause of a failed entry or an issue can be fixed; None if no page can."""
    code, account = row["reason_code"], row["account"]
    if not account or code not in CATALOGUE:
        return None
    if code in BY_CONNECTING:
        return Mending(f"Connect {account}…", f"/connect?account={quote(account)}", acts=True)
    if CATALOGUE[code].kind == "source":
        return Mending("How SalesBinder is read", f"/accounts/{quote(account)}/source")
    settings = f"/accounts/{quote(account)}/settings"
    key = _SETTING_OF.get(code, "")
    if not key and "setting" in CATALOGUE[code].cause_args:
        key = row["cause"].partition(",")[0]
    if not key:
        return None
    if code == "tax_rate_unmapped":
        return Mending(f"Map {rate_of(key)} to a Xero tax rate", f"{settings}#pair-{quote(key)}")
    return Mending(f"Settings of {account}", f"{settings}#s-{quote(key)}")


def rate_of(key: str) -> str:
    """Return ``15 %`` for ``sales_tax.15``."""
    return f"{key.partition('.')[2]} %"


def cause_in_words(row: Mapping[str, Any]) -> str:
    """Return the common cause of an issue's failures: ``15 % on sales``; blank if the reason says it all."""
    cause = str(row["cause"])
    if row["reason_code"] == "tax_rate_unmapped":
        return f"{rate_of(cause)} on {'sales' if cause.startswith('sales_tax.') else 'purchases'}"
    return "" if row["reason_code"] == "number_taken" else cause


def with_commands(text: str) -> Markup:
    """Return the text with each ``'sbx …'`` formatted as a command."""
    parts = _COMMAND.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )

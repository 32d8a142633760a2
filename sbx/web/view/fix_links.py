"""Where on the page the cause of a failure is put right."""

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
"""The setting behind a reason whose cause does not begin with one."""
BY_CONNECTING = ("connection_lost", "not_connected")
"""Reasons that connecting the account puts right."""
_COMMAND = re.compile(r"'(sbx [^']+)'")


@dataclass(frozen=True, slots=True)
class Mending:
    """A link to the place."""

    label: str
    address: str
    acts: bool = False
    """Only operators may go there."""


def mending(row: Mapping[str, Any]) -> Mending | None:
    """Where the cause of a failed entry, or of an issue, is put right; none where no page does it."""
    code, account = row["reason_code"], row["account"]
    if not account or code not in CATALOGUE:
        return None
    if code in BY_CONNECTING:
        return Mending(f"Connect {account}…", f"/connect?account={quote(account)}", acts=True)
    if code == "not_connected":
        return Mending(f"Connect {account} to Xero", f"/connect?account={quote(account)}")
    settings = f"/accounts/{quote(account)}/settings"
    key = _SETTING_OF.get(code, "")
    if not key and "setting" in CATALOGUE[code].cause_args:
        key = row["cause"].partition(",")[0]
    if not key:
        return None
    if code == "tax_rate_unmapped":
        return Mending(f"Pair {rate_of(key)} with a tax of Xero", f"{settings}#pair-{quote(key)}")
    return Mending(f"Settings of {account}", f"{settings}#s-{quote(key)}")


def rate_of(key: str) -> str:
    """``sales_tax.15`` as ``15 %``."""
    return f"{key.partition('.')[2]} %"


def cause_in_words(row: Mapping[str, Any]) -> str:
    """What the failures of an issue have in common: ``15 % on sales``; blank where the reason says it all."""
    cause = str(row["cause"])
    if row["reason_code"] == "tax_rate_unmapped":
        return f"{rate_of(cause)} on {'sales' if cause.startswith('sales_tax.') else 'purchases'}"
    return "" if row["reason_code"] == "number_taken" else cause


def with_commands(text: str) -> Markup:
    """A text in which each ``'sbx …'`` is set as what is typed."""
    parts = _COMMAND.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )

"""The settings of a set-up as form fields. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sbx.actions.setup.suggest import Suggestion

LEFT_OUT: Final = "-"
"""The value of a setting that is left out on purpose."""
_CHOOSE: Final = "Choose one, or leave it out on purpose."


@dataclass(frozen=True, slots=True)
class SetupField:
    """A setting that the shop's documents ask for."""

    key: str
    title: str
    found: str
    """What was found in the shop."""
    value: str
    blank: str
    """The name of the blank value."""
    left_out: str
    """The name of leaving it out; blank: the blank value does."""
    choices: Sequence[tuple[str, str]]
    is_suggested: bool
    """Whether the value is a suggestion that nobody chose yet."""
    error: str = ""


def fields_of(
    offered: Sequence[Suggestion],
    written: Collection[str],
    left_out: Collection[str],
    given: Mapping[str, str],
    errors: Mapping[str, str],
) -> list[SetupField]:
    """Return a field per setting.

    Args:
        written: keys that have a value already.
        left_out: keys that were left out on purpose.
        given: values of the form, if it was not accepted.
        errors: by key.
    """
    return [_field(each, written, left_out, given, errors.get(each.key, "")) for each in offered]


def _field(
    offered: Suggestion,
    written: Collection[str],
    left_out: Collection[str],
    given: Mapping[str, str],
    error: str,
) -> SetupField:
    key = offered.key
    known = LEFT_OUT if key in left_out and key not in written else offered.value
    value = given.get(key, known)
    choices = [(choice.value, choice.name) for choice in offered.choices]
    if value not in ("", LEFT_OUT, *(choice.value for choice in offered.choices)):
        choices.insert(0, (value, f"{value} (not in Xero)"))
    return SetupField(
        key,
        title_of(key),
        offered.found,
        value,
        "Choose…" if offered.is_needed else "The account of all others",
        "" if not offered.is_needed else "Leave it out: what needs it will fail, and say so",
        choices,
        bool(value) and value == offered.value and key not in written and key not in given,
        error,
    )


def title_of(key: str) -> str:
    """Return a setting's name for a bookkeeper: ``Tax of 8 % on invoices`` for ``sales_tax.8``."""
    table, _, entry = key.partition(".")
    if table == "payment_account":
        return f"Payments by “{entry}”" if entry else "Account that payments go to"
    rate = " and ".join(f"{part} %" for part in entry.split("+"))
    return f"Tax of {rate} on {'invoices' if table == 'sales_tax' else 'purchase orders'}"


def chosen_of(
    given: Mapping[str, str], offered: Sequence[Suggestion]
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Return the values chosen in the form, None for what is left out, and the errors of others, by key."""
    needed = {each.key: each.is_needed for each in offered}
    errors = {key: _CHOOSE for key in needed if needed[key] and not given.get(key)}
    return {key: None if value in ("", LEFT_OUT) else value for key, value in given.items()}, errors

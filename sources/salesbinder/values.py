"""Single values of SalesBinder's records, brought into the form that the contract's reader takes. Pure.

Nothing is guessed: PHP's ways to write "nothing" become none and numbers become texts where a text is meant;
anything else stays as it is, and the contract's reader refuses it by name.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from contracts.events.fields import MAX_ID_LENGTH, Instant, JsonNumber, NotADate, NotANumber, Number
from contracts.events.invalid import CONTROL
from mappers.moments import plain_moment
from sources.problems import Unreadable

Clean = Callable[[Any], Any]

_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_FRACTION = re.compile(r"([+-]?\d{1,15}\.\d{1,40})([eE][+-]?\d{1,2})?", re.ASCII)
_DIGITS: Final = 15
"""Decimal digits that every binary float of 64 bits holds (IEEE 754)."""
_PLACES: Final = 6
_SIZED: Final = (str, list, dict)
_ZERO_DAYS: Final = ("0000-00-00", "-0001-11-30")
"""How MySQL writes that there is no date, and what PHP makes of it."""


def is_blank(value: Any) -> bool:
    """Return True for everything that PHP writes for nothing: null, false, a blank text, an empty array."""
    return value is None or value is False or (isinstance(value, _SIZED) and len(value) == 0)


def is_true(value: Any) -> bool:
    """Return True for a flag that is set: true, 1 or a text of it."""
    return value is True or value == 1 or (isinstance(value, str) and value.strip().lower() in ("1", "true"))


def text(value: Any) -> Any:
    """Return a text; none if it is blank."""
    if type(value) is str:  # as nearly all are
        return value or None
    if is_blank(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, str) else value


def code(value: Any) -> Any:
    """Return a number of a record as a text; none if it is blank. ``5001.0`` is ``5001``."""
    if isinstance(value, JsonNumber) and value.is_sensible:
        number = Decimal(str(value))
        return str(int(number)) if number == int(number) else str(value)
    return text(value)


def identifier(value: Any) -> Any:
    """Return a record's id as a text; none if it is blank.

    A UUID is in lower case, however an answer writes it: of a UUID case says nothing (RFC 4122), and a list,
    a detail and the log must name the same record. What the contract takes for no id is none.
    """
    if type(value) is str and _PLAIN_UUID.fullmatch(value):  # as nearly all are
        return value
    found = code(value)
    if isinstance(found, str) and (len(found) > MAX_ID_LENGTH or CONTROL.search(found)):
        return None
    return found.lower() if isinstance(found, str) and _UUID.fullmatch(found) else found


def own_id(value: Any) -> str | None:
    """Return a record's id; none if it is missing, or no text by which a record can be kept and asked for."""
    found = identifier(value)
    return found if isinstance(found, str) and found.strip() else None


def told_text(value: Any) -> Any:
    """Return a text in which blank is blank."""
    return "" if is_blank(value) else text(value)


def lenient_text(value: Any) -> Any:
    """Return a text; none for anything that is not one, because nothing depends on it."""
    cleaned = text(value)
    return cleaned if isinstance(cleaned, str) and not _SURROGATE.search(cleaned) else None


def number(value: Any) -> Any:
    """Return a number or its text, without the noise of floats; none if it is blank. Zero stays zero."""
    if is_blank(value):
        return None
    if isinstance(value, JsonNumber):
        return JsonNumber(_without_noise(value))
    return _without_noise(value.strip()) or None if isinstance(value, str) else value


def _without_noise(value: str) -> str:
    """Return what SalesBinder means by ``980.5100000000001``: a binary float holds 15 digits, what is more
    was never an amount.
    """
    found = _FRACTION.fullmatch(value)
    if found is None or len(found[1].lstrip("+-0.").replace(".", "")) <= _DIGITS:
        return value
    rounded = round(Decimal(value), _PLACES)
    return format(rounded.normalize(), "f") if rounded else "0"


def moment(value: Any) -> Any:
    """Return a date or date-time; none if it is blank or MySQL's zero."""
    if is_blank(value) or (isinstance(value, str) and value.startswith(_ZERO_DAYS)):
        return None
    return value


def picked(record: Mapping[str, Any], fields: Mapping[str, Clean]) -> dict[str, Any]:
    """Return the named fields that ``record`` has, each in its form.

    Raises:
        Unreadable: a text contains half a character, which no JSON can carry on.
    """
    found = {name: clean(record[name]) for name, clean in fields.items() if name in record}
    for name, value in found.items():
        if isinstance(value, str) and _SURROGATE.search(value):
            raise Unreadable(
                name,
                CONTROL.sub("?", value),
                "it contains half of a character",
                "Write the text again in SalesBinder.",
            )
    return found


def amount_of(value: Any, field: str) -> Decimal:
    """Return an amount exactly.

    Raises:
        Unreadable: it is missing or is not a number.
    """
    try:
        return Decimal(Number.read(number(value)))
    except NotANumber as error:
        raise Unreadable(
            field,
            value,
            "it is not a plain decimal number",
            "Correct it in SalesBinder if it is shown so there; else report the answer to SalesBinder.",
        ) from error


def moment_or_none(value: Any) -> datetime | None:
    """Return a moment in UTC; none if it is missing or is not one."""
    try:
        return plain_moment(Instant.read(moment(value)))
    except NotADate:
        return None

"""Field types of SalesBinder's records: numbers, days and instants as its API writes them, read exactly.

msgspec reads most types by itself; these three need rules of their own (numbers may be strings, dates may be
date-times), so ``decode_field`` and ``encode_field`` are the hooks given to its decoders and encoders.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec

MAX_DIGITS_BEFORE_POINT: Final = 15
"""More is refused: no amount is that large, and arithmetic on ``1e999999`` would never end."""
MAX_DECIMALS: Final = 60
YEARS: Final = range(1900, 3000)
"""Years that a date may have; others are typing errors (``0000-00-00``, ``20226-01-01``)."""

_LARGEST: Final = 10**MAX_DIGITS_BEFORE_POINT
_NUMBER = re.compile(r"[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][+-]?\d{1,3})?", re.ASCII)
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)

MAX_ID_LENGTH: Final = 255
"""No identifier is longer, and the database's indexes would not hold much longer ones."""

Id = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=MAX_ID_LENGTH,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
    ),
]
"""An identifier: text that is not blank and contains no control characters."""


class NotANumber(ValueError):
    """A value that should be a number is not one, or is absurdly large or small."""


class NotADate(ValueError):
    """A value that should be a date or a date-time is not one."""


class JsonNumber(str):
    """A JSON number that no Python number holds exactly, in its original form: ``12.5``, ``1e400``, ``NaN``.

    A text for readers of texts, yet distinguishable from the text ``"1e400"``.
    """

    __slots__ = ()

    @property
    def is_sensible(self) -> bool:
        """Whether it is finite and below 1e15: no amount is larger, and no number of a document."""
        found = _NUMBER.fullmatch(self)
        return found is not None and -_LARGEST < Decimal(str(self)) < _LARGEST


def is_sensible(number: int) -> bool:
    """Return whether a whole number is below 1e15."""
    return -_LARGEST < number < _LARGEST


class Number(Decimal):
    """A finite decimal in plain form: ``98``, ``98.0`` and ``"98.00"`` are all ``Number("98")``."""

    @classmethod
    def read(cls, value: object) -> "Number":
        """Read a JSON number or a string that holds one, without a float on the way.

        Raises:
            NotANumber: it is something else, or has more digits than any amount.
        """
        if type(value) is int and abs(value) < _LARGEST:
            return cls(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise NotANumber(f"expected a number, got {type(value).__name__}")
        text = str(value)
        if not _NUMBER.fullmatch(text):
            raise NotANumber("expected a plain decimal number such as 98 or 110.50")
        number = Decimal(text)
        if number and not -MAX_DECIMALS <= number.adjusted() < MAX_DIGITS_BEFORE_POINT:
            raise NotANumber(f"expected at most {MAX_DIGITS_BEFORE_POINT} digits before the decimal point")
        if "." in text or "e" in text or "E" in text:
            text = format(number, "f")
            text = text.rstrip("0").rstrip(".") if "." in text else text
        return cls(text) if number else cls(0)


class Day(date):
    """A calendar day, written ``YYYY-MM-DD`` or as an ISO date-time, of which only the date counts."""

    @classmethod
    def read(cls, value: object) -> "Day":
        """Read the day.

        Raises:
            NotADate: it is no date.
        """
        if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
            raise NotADate("expected a date such as 2026-03-02")
        try:
            day = cls.fromisoformat(value[:10])
        except ValueError as error:
            raise NotADate(f"expected a date such as 2026-03-02 ({error})") from error
        if day.year not in YEARS:
            raise NotADate(f"expected a year from {YEARS.start} to {YEARS.stop - 1}")
        return day


class Instant(datetime):
    """A moment in UTC, written as an ISO date-time; without an offset it is read as UTC."""

    @classmethod
    def read(cls, value: object) -> "Instant":
        """Read the moment.

        Raises:
            NotADate: it is no date-time.
        """
        if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
            raise NotADate("expected a date-time such as 2026-03-02T09:00:00+00:00")
        try:
            moment = cls.fromisoformat(value.upper())
        except ValueError as error:
            raise NotADate(f"expected a date-time such as 2026-03-02T09:00:00+00:00 ({error})") from error
        if moment.year not in YEARS:
            raise NotADate(f"expected a year from {YEARS.start} to {YEARS.stop - 1}")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_FIELDS: Final[dict[type, Any]] = {Number: Number.read, Day: Day.read, Instant: Instant.read}


def decode_field(kind: type, value: object) -> Any:
    """Decode the types above, as msgspec's ``dec_hook``.

    Raises:
        NotANumber, NotADate: the value is not of that type.
    """
    return _FIELDS[kind](value)


def encode_field(value: object) -> str:
    """Encode the types above, as msgspec's ``enc_hook``: plain number, ISO day, ISO moment in UTC."""
    if isinstance(value, Number | JsonNumber):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise NotImplementedError(f"no JSON form for {type(value).__name__}")


def field_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of the types above, as msgspec's ``schema_hook``."""
    if kind is Number:
        return {
            "type": ["number", "string"],
            "pattern": "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{1,3})?$",
        }
    if kind is Day:
        return {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}",
            "description": "Date, or date-time.",
        }
    if kind is Instant:
        return {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}",
            "description": "Date-time, UTC by default.",
        }
    raise NotImplementedError(f"no JSON Schema for {kind.__name__}")

"""Read a text as people type it into the search box: words, numbers, amounts, ids.

A text finds an entry in one of several ways. In each of them all of its terms are met: as the beginning of a
word of the entry, or, where it looks like one, as an amount. A text of one term may also begin an id.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import sql

_WORDS = sql.SQL(
    """integrations_log.entry_words(
        entity, action, xero_type, record_number, xero_number, party_name, reference, {reason_code}, {reason}
    ) @@ integrations_log.words_found({begins}, {whole})"""
)
"""As the index ``entry_by_words`` has it."""
_REASON = {"reason_code": sql.SQL("reason_code"), "reason": sql.SQL("reason")}
_REASON_IN_VIEW = {"reason_code": sql.SQL("own_reason_code"), "reason": sql.SQL("own_reason")}
"""In ``shown_entry`` the reason of a held account stands before an entry's own."""

_KINDS: dict[str, LiteralString] = {
    "invoice": "entity = 'invoice'",
    "customer": "entity = 'customer'",
    "supplier": "entity = 'supplier'",
    "payment": "action = 'payment_applied'",
    "refund": "action = 'refund_applied'",
}
"""Words that nearly every entry has, or whole kinds: beside another term, they need not be looked up by their
beginning.
"""
_SHORT = ("inv", "po")
_NUMBERED = re.compile(r"(inv|po|invoice)[-#/.:]+(\d.*)", re.IGNORECASE)
_SPACED_RANGE = re.compile(r"(?<=\d)\s*\.\.\s*(?=\d)|(?<=[<>=])\s+(?=[$€£]?\d)")
_COMPARED = re.compile(r"(>=|<=|>|<)(.+)")
_AMOUNT = re.compile(
    r"[$€£]?(?:(?P<plain>\d{1,15}(?:\.\d{1,6})?)|(?P<comma>\d{1,15},\d{1,2}|\d{1,15},\d{4,6})"
    r"|(?P<thousands>\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,6})?)|(?P<points>\d{1,3}(?:\.\d{3}){1,4},\d{1,6}))[$€£]?"
)
_ID_PIECE = re.compile(r"(?=[^0-9]*[0-9])(?=.*[A-Za-z_-]).{2,}|.{8,}")
"""Digits alone, or letters alone, are mostly meant as a number or a name."""
_IDS: tuple[LiteralString, ...] = (
    "record_id LIKE %(id_begins)s",
    "entry_id LIKE %(id_begins)s",
    "event_id LIKE %(event_begins)s",
    "left(xero_id, 8) LIKE %(xero_begins)s AND xero_id LIKE %(id_begins)s AND xero_id <> ''",
)
_MOST_AMOUNTS = 3
"""Numbers of a text that may be meant as its amount."""
_OPERATORS: dict[str, LiteralString] = {
    ">=": "amount >= {}",
    "<=": "amount <= {}",
    ">": "amount > {}",
    "<": "amount < {}",
    "=": "amount = {}",
}


@dataclass(frozen=True)
class Search:
    """What a text finds."""

    ways: tuple[sql.Composable, ...]
    """Conditions, one of which an entry meets; none if the text can find nothing."""
    parameters: dict[str, Any]


@dataclass(frozen=True)
class _Terms:
    begins: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    amounts: tuple[tuple[str, Decimal], ...] = ()


def read(text: str, *, in_view: bool = False) -> Search:
    """Return what the text finds. Whatever it is, it is never an error.

    Args:
        in_view: in ``shown_entry``, not in the table.
    """
    terms = _terms(text)
    if terms and all(_kind(term) in _KINDS for term in terms):
        kinds = [sql.SQL(_KINDS[_kind(term)]) for term in terms]
        return Search((sql.SQL(" AND ").join(kinds),), {})
    parameters: dict[str, Any] = {}
    reason = _REASON_IN_VIEW if in_view else _REASON
    ways = [_condition(found, parameters, reason) for found in _readings(terms)]
    if len(terms) == 1 and _ID_PIECE.fullmatch(terms[0]):
        ways += _ids(terms[0], parameters)
    return Search(tuple(ways), parameters)


def _terms(text: str) -> list[str]:
    storable = text.replace("\0", " ").encode(errors="replace").decode()
    return _SPACED_RANGE.sub(lambda found: ".." if ".." in found[0] else "", storable).split()


def amount(text: str) -> Decimal | None:
    """Return the amount that is written so: ``19.95``, ``19,95``, ``$1,234.50``, ``1.234,50``; or None."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    digits = found.group("plain") or found.group("thousands")
    if digits:
        return Decimal(digits.replace(",", ""))
    return Decimal((found.group("comma") or found.group("points")).replace(".", "").replace(",", "."))


def _kind(term: str) -> str:
    word = term.lower()
    return word.removesuffix("s") if word.removesuffix("s") in _KINDS else word


def _readings(terms: Sequence[str]) -> Iterator[_Terms]:
    """Yield how terms can be meant: numbers as the beginnings of words, then each of them as an amount."""
    limits = tuple(limit for term in terms for limit in _limits(term))
    others = [term for term in terms if not _limits(term)]
    several = len(terms) > 1
    words = _words(others, several)
    if words.begins or words.whole or limits:
        yield _Terms(words.begins, words.whole, limits)
    numbers = [(place, found) for place, term in enumerate(others) if (found := amount(term)) is not None]
    for place, value in numbers[:_MOST_AMOUNTS]:
        rest = _words([*others[:place], *others[place + 1 :]], several)
        yield _Terms(rest.begins, rest.whole, (*limits, ("=", value)))


def _words(terms: Sequence[str], several: bool) -> _Terms:
    begins: list[str] = []
    whole: list[str] = []
    for term in terms:
        if numbered := _NUMBERED.fullmatch(term):
            whole.append(numbered[1])
            begins.append(numbered[2])
        elif several and (_kind(term) in _KINDS or term.lower() in _SHORT):
            whole.append(_kind(term))
        elif any(character.isalnum() for character in term):
            begins.append(term)
    return _Terms(tuple(begins), tuple(whole))


def _limits(term: str) -> tuple[tuple[str, Decimal], ...]:
    """Return the limits of a range: ``10..20``, ``10..``, ``..20``, ``>100``, ``<=5``."""
    if compared := _COMPARED.fullmatch(term):
        value = amount(compared[2])
        return () if value is None else ((compared[1], value),)
    low, dots, high = term.partition("..")
    bounds = [amount(end) for end in (low, high) if end]
    if not dots or not bounds or None in bounds:
        return ()
    values = sorted(value for value in bounds if value is not None)
    if len(values) == 2:
        return (">=", values[0]), ("<=", values[1])
    return ((">=" if low else "<=", values[0]),)


def _condition(found: _Terms, parameters: dict[str, Any], reason: dict[str, sql.SQL]) -> sql.Composed:
    def given(value: object) -> sql.Placeholder:
        name = f"text_{len(parameters)}"
        parameters[name] = value
        return sql.Placeholder(name)

    conditions = [sql.SQL(_OPERATORS[operator]).format(given(value)) for operator, value in found.amounts]
    if found.begins or found.whole:
        begins, whole = given(" ".join(found.begins)), given(" ".join(found.whole))
        conditions.append(_WORDS.format(**reason, begins=begins, whole=whole))
    return sql.SQL(" AND ").join(conditions)


def _ids(term: str, parameters: dict[str, Any]) -> list[sql.Composed]:
    parameters["id_begins"] = like_prefix(term.lower())
    parameters["event_begins"] = like_prefix(term)
    parameters["xero_begins"] = like_prefix(term.lower()[:8])
    return [sql.Composed([sql.SQL(way)]) for way in _IDS]


def like_prefix(text: str) -> str:
    """Return ``text`` as a LIKE pattern for "begins with", its own wildcards taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"

"""Xero's `where` expressions and `order`, turned into functions over records.

Grammar: comparisons `Path op literal` (== = != > >= < <=), `Path.Contains("x")` and its like, `Path` alone as
a flag, joined by && || AND OR with brackets. Literals: "text", 12.3, true, false, null, guid("…"),
DateTime(2026, 3, 1), DateTime.Parse("2026-03-01")."""

import operator
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .books.errors import BadQuery
from .books.ledger import fold
from .books.reading import parse_day

Getter = Callable[[Any], Any]
Test = Callable[[Any], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>==|!=|>=|<=|=|>|<)|(?P<and>&&|\bAND\b)|(?P<or>\|\||\bOR\b)|(?P<open>\()|(?P<close>\))
    |(?P<comma>,)|"(?P<text>[^"]*)"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*))""",
    re.VERBOSE | re.IGNORECASE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "=": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge,
    "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "startswith": lambda value, part: value.startswith(part),
    "endswith": lambda value, part: value.endswith(part),
}
_CONSTANTS = {"true": True, "false": False, "null": None}


def comparable(value: Any) -> Any:
    """Return it in a form for comparing: texts without case and accents, date-times as dates if the other
    side is a date.
    """
    return fold(value) if isinstance(value, str) else value


def comparable_with_accents(value: Any) -> Any:
    """Return the same as `comparable`, but with accents, which make another text, as do other forms of
    Unicode.
    """
    return value.strip().casefold() if isinstance(value, str) else value


class Where:
    """A compiled `where`: `test` says whether a record passes; `equal` holds the `Path == literal` parts that
    must hold, for finding candidates by index."""

    def __init__(
        self,
        expression: str,
        fields: dict[str, Getter],
        title: str,
        compared: Callable[[Any], Any] = comparable,
    ) -> None:
        self._compared = compared
        self._tokens = self._split(expression)
        self._at = 0
        self._fields = fields
        self._title = title
        self.equal: dict[str, Any] = {}
        self.test = self._either(True)
        if self._at != len(self._tokens):
            raise BadQuery(f"Syntax error at {self._tokens[self._at][1]!r}")

    @staticmethod
    def _split(expression: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        expression = expression.rstrip()
        while at < len(expression):
            match = _TOKEN.match(expression, at)
            if match is None or match.lastgroup is None:
                raise BadQuery(f"Syntax error at position {at} of {expression!r}")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else "end"

    def _take(self, *kinds: str) -> str:
        if self._peek() not in kinds:
            raise BadQuery(f"Syntax error: expected {' or '.join(kinds)}, found {self._peek()}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _either(self, must: bool) -> Test:
        before = dict(self.equal)
        tests = [self._all(must)]
        while self._peek() == "or":
            self._at += 1
            self.equal, must = before, False
            tests.append(self._all(False))
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _all(self, must: bool) -> Test:
        tests = [self._one(must)]
        while self._peek() == "and":
            self._at += 1
            tests.append(self._one(must))
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _one(self, must: bool) -> Test:
        if self._peek() == "open":
            self._at += 1
            inner = self._either(must)
            self._take("close")
            return inner
        name = self._take("name")
        if "." in name and name.rpartition(".")[2].lower() in _TEXT_TESTS and self._peek() == "open":
            return self._text_test(name)
        get = self._getter(name)
        if self._peek() != "op":
            return lambda record: bool(get(record))
        op = self._take("op")
        literal = self._literal()
        if must and op in {"==", "="}:
            self.equal[name] = literal
        return self._comparison(get, op, literal)

    def _comparison(self, get: Getter, op: str, literal: Any) -> Test:
        compared = self._compared
        compare, right = _COMPARE[op], compared(literal)

        def test(record: Any) -> bool:
            left = compared(get(record))
            if isinstance(left, datetime) and isinstance(right, date):
                left = left.date()
            if left is None or right is None:
                return op in {"==", "=", "!="} and compare(left or None, right or None)
            try:
                return compare(left, right)
            except TypeError:
                raise BadQuery(f"Operator '{op}' incompatible with operand types") from None

        return test

    def _text_test(self, name: str) -> Test:
        path, _, method = name.rpartition(".")
        if path.lower().endswith((".tolower()", ".toupper()")):
            path = path.rpartition(".")[0]
        get, check = self._getter(path), _TEXT_TESTS[method.lower()]
        self._take("open")
        part = fold(self._take("text"))
        self._take("close")
        return lambda record: check(fold(get(record) or ""), part)

    def _getter(self, name: str) -> Getter:
        getter = self._fields.get(name)
        if getter is None:
            raise BadQuery(f"No property or field '{name}' exists in type '{self._title}'")
        return getter

    def _literal(self) -> Any:
        kind = self._peek()
        value = self._take("text", "number", "name")
        if kind == "text":
            return value
        if kind == "number":
            return Decimal(value)
        if value.lower() in _CONSTANTS:
            return _CONSTANTS[value.lower()]
        if self._peek() != "open":
            raise BadQuery(f"No property or field '{value}' exists in type '{self._title}'")
        return self._call(value.lower())

    def _call(self, function: str) -> Any:
        self._take("open")
        arguments = []
        while self._peek() != "close":
            arguments.append(self._take("text", "number"))
            if self._peek() == "comma":
                self._at += 1
        self._take("close")
        if function == "guid" and len(arguments) == 1:
            return arguments[0].lower()
        try:
            if function == "datetime":
                return date(int(arguments[0]), int(arguments[1]), int(arguments[2]))
            if function == "datetime.parse" and (day := parse_day(arguments[0])):
                return day
        except (ValueError, IndexError):
            raise BadQuery(f"Syntax error in {function}({', '.join(arguments)})") from None
        raise BadQuery(f"No such function: {function}")


def sort(found: list[Any], order: str, fields: dict[str, Getter], title: str) -> list[Any]:
    """Sort by `Name ASC, Date DESC`; records without the field come first."""
    for part in reversed(order.split(",")):
        name, _, direction = part.strip().partition(" ")
        getter = fields.get(name)
        if getter is None:
            raise BadQuery(f"No property or field '{name}' exists in type '{title}'")

        def key(record: Any, getter: Getter = getter) -> tuple[bool, Any]:
            value = comparable(getter(record))
            return (value is not None, value)

        found = sorted(found, key=key, reverse=direction.strip().upper().startswith("DESC"))
    return found

"""The envelopes of SalesBinder's answers: JSON, lists, details. Pure.

Source: samples of API 2.0 (``{"count": "90", "page": "5", "pages": "5", "documents": [[row, row]]}``) and
what programs that ran against real accounts cope with: rows as ``[[…]]``, ``[…]`` and ``[[row], [row]]``, a
singular key, numbers as texts, and PHP's way to write a list with gaps, ``{"0": row, "2": row}``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from contracts.events.fields import JsonNumber
from sources.problems import Unreadable
from sources.salesbinder.values import own_id

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_REMEDY = "Nothing is needed if it passes; else open the address in a browser and report it to SalesBinder."
_decoder = msgspec.json.Decoder(float_hook=JsonNumber)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. A number that is missing or cannot be read is none."""

    count: int | None
    """Rows of the whole list."""
    page: int | None
    pages: int | None
    rows: tuple[Any, ...]
    """Of any JSON type: a row that is not an object is a problem of that row alone. Or each a ``SentRow``."""


class SentRow(msgspec.Struct, frozen=True, gc=False):
    """A row as it was sent: nearly all are as before, and then no more of them is read than this."""

    id: str
    created: Any
    body: msgspec.Raw


class _Head(msgspec.Struct, frozen=True, gc=False):
    id: str
    created: Any = None


def _decoders(rows: Any) -> Mapping[str, msgspec.json.Decoder[Any]]:
    """Return a decoder of a page with such rows, by the name under which they stand."""
    numbers = [(name, Any, None) for name in ("count", "page", "pages")]
    return {
        name: msgspec.json.Decoder(msgspec.defstruct("Sent", [(name, rows), *numbers]))
        for name in ("customers", "documents")
    }


_nested = _decoders(list[list[msgspec.Raw]])
_flat = _decoders(list[msgspec.Raw])
_head = msgspec.json.Decoder(_Head)


def read_json(body: bytes) -> Any:
    """Return the answer's JSON, its fractions as they were written (``JsonNumber``).

    Raises:
        Unreadable: it is not JSON (HTML, truncated, empty).
    """
    text = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _read_slowly(text)


def _read_slowly(text: bytes) -> Any:
    """Read what the fast parser refuses though it says something: one odd text must not hide a page."""
    try:
        return json.loads(text.decode("utf-8"), parse_float=JsonNumber, parse_constant=JsonNumber)
    except (ValueError, RecursionError) as error:
        start = text[:80]
        what = "it is HTML, not JSON" if start.lstrip().startswith(b"<") else "it is not JSON in UTF-8"
        raise Unreadable("answer", start, what, _REMEDY, "answer_unreadable") from error


def read_list(body: bytes, names: Sequence[str]) -> Page:
    """Return the page of a list whose rows stand under one of ``names``.

    Raises:
        Unreadable: it is not JSON, or has no rows under any of the names though it does not count 0.
    """
    answer = read_json(body)
    if not isinstance(answer, dict):
        raise Unreadable("answer", body[:80], "it is not an object", _REMEDY, "answer_unreadable")
    name = next((each for each in names if each in answer), None)
    if name is None and _whole(answer.get("count")) == 0:
        return Page(0, _whole(answer.get("page")), _whole(answer.get("pages")), ())
    if name is None:
        raise Unreadable(
            "answer", ", ".join(map(str, answer)), f"it has no {names[0]}", _REMEDY, "answer_unreadable"
        )
    rows = tuple(_rows(answer[name]))
    return Page(_whole(answer.get("count")), _whole(answer.get("page")), _whole(answer.get("pages")), rows)


def read_sent(body: bytes, names: Sequence[str]) -> Page | None:
    """Return the page of a list with its rows as they were sent, if it has a usual form and each row an id of
    its own; none of any other, which ``read_list`` reads.
    """
    name = names[0]
    for forms in (_nested, _flat) if name in _nested else ():
        try:
            answer = forms[name].decode(body)
            found = getattr(answer, name)
            rows = tuple(map(_sent_row, chain.from_iterable(found) if forms is _nested else found))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
        if len({row.id for row in rows if row.id}) == len(rows):
            return Page(_whole(answer.count), _whole(answer.page), _whole(answer.pages), rows)
    return None


def _sent_row(body: msgspec.Raw) -> SentRow:
    head = _head.decode(body)
    return SentRow(own_id(head.id) or "", head.created, body)


def read_detail(body: bytes, name: str) -> dict[str, Any]:
    """Return the record of a detail answer, which stands under ``name``.

    Raises:
        Unreadable: it is not JSON, or no record stands under that name.
    """
    answer = read_json(body)
    record = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(record, dict) or not record:
        raise Unreadable("answer", body[:80], f"it has no {name}", _REMEDY, "answer_unreadable")
    return record


def listed(value: Any) -> list[Any] | None:
    """Return a list however PHP wrote it; none if it is not a list."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(str(key).isdecimal() for key in value):
        return list(value.values())
    return None


def _rows(value: Any) -> Iterator[Any]:
    if value is None or value == "":
        return
    rows = listed(value)
    if rows is None:
        yield value
        return
    for row in rows:
        inner = listed(row)
        if inner is None:
            yield row
        else:
            yield from inner


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

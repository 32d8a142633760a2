"""What faults do to an answer: to its rows and fields before it is encoded, to its bytes afterwards."""

from collections.abc import Iterable
from typing import Any

import msgspec

from .faults import Fault

_NOTICE = b"<br />\n<b>Notice</b>: Undefined index: modified in <b>/app/Controller/AppController.php</b>\n"
_RECORD_ROOTS = ("customer", "document")
_LIST_ROOTS = ("customers", "documents", "deletedlog", "deleted_log", *_RECORD_ROOTS)


def structure(body: dict[str, Any], faults: Iterable[Fault], other_row: Any) -> Any:
    """Return the body after the faults of lists and records; `other_row` is a row of another context."""
    shown: Any = body
    for fault in faults:
        if fault.kind in ("remove", "replace", "new_field"):
            for record in records(body):
                _field(record, fault)
        elif fault.kind == "missing_root":
            shown = {name: value for name, value in body.items() if name not in _LIST_ROOTS} or []
        elif "count" in body:
            _list(body, fault, other_row)
    return shown


def octets(body: bytes, faults: Iterable[Fault]) -> bytes:
    """Return the body with what the faults do to its bytes."""
    for fault in faults:
        if fault.kind == "truncated":
            body = body[: int(len(body) * fault.fraction)]
        elif fault.kind == "notice":
            body = _NOTICE + body
        elif fault.kind == "invalid_utf8":
            body = body.replace(b'":"', b'":"\xff', 1)
    return body


def records(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records that a body holds: the one of a detail, or a list's rows, in whichever shape."""
    found: list[dict[str, Any]] = []
    waiting: list[Any] = [body[name] for name in _LIST_ROOTS if name in body]
    while waiting:
        held = waiting.pop(0)
        if isinstance(held, dict):
            found.append(held)
        elif isinstance(held, list):
            waiting = [*held, *waiting]
    return found


def _field(record: dict[str, Any], fault: Fault) -> None:
    *parents, name = fault.name.split(".")
    holders: list[Any] = [record]
    for parent in parents:
        held = [holder.get(parent) for holder in holders if isinstance(holder, dict)]
        holders = [part for value in held for part in (value if isinstance(value, list) else [value])]
    for holder in holders:
        if not isinstance(holder, dict):
            continue
        if fault.kind == "remove":
            holder.pop(name, None)
        elif fault.kind == "new_field" or name in holder:
            holder[name] = msgspec.json.decode(fault.value)


def _list(body: dict[str, Any], fault: Fault, other_row: Any) -> None:
    root = next(name for name in _LIST_ROOTS if name in body)
    rows = _rows(body[root])
    if fault.kind == "counts":
        _count(body, int(body["count"]) + fault.amount, rows)
    elif fault.kind == "empty_list":
        body[root] = body[root][:0]
        _count(body, 0, [])
    elif fault.kind == "halved_list":
        _replace(body, root, rows[::2])
        _count(body, int(body["count"]) // 2, rows[::2])
    elif fault.kind == "duplicate_rows":
        _replace(body, root, rows[:1] + rows)
    elif fault.kind == "skip_rows":
        _replace(body, root, rows[:-1])
    elif fault.kind == "other_context" and other_row is not None:
        _replace(body, root, [other_row, *rows])


def _rows(held: list[Any]) -> list[Any]:
    return [row for part in held for row in part] if held and isinstance(held[0], list) else held


def _replace(body: dict[str, Any], root: str, rows: list[Any]) -> None:
    nested = bool(body[root]) and isinstance(body[root][0], list)
    single = nested and len(body[root]) > 1
    body[root] = [[row] for row in rows] if single else [rows] if nested else rows


def _count(body: dict[str, Any], count: int, rows: list[Any]) -> None:
    text = isinstance(body["count"], str)
    size = max(1, len(rows))
    pages = max(int(body["page"]) if rows else 0, -(-count // size))
    body["count"], body["pages"] = (str(count), str(pages)) if text else (count, pages)

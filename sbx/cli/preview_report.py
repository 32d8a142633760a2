"""A preview as text and as JSON. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sbx.cli.terminal import plural
from sinks.preview import PreviewedCall, PreviewedCommand
from sinks.xero.elements import encode_body

_OUTCOMES = {
    "posted": "would be posted",
    "already_there": "nothing to change in Xero",
    "not_needed": "nothing to do in Xero",
    "before_cutoff": "nothing: the document is from before the connection was enabled",
    "superseded": "nothing on its own: another event of the record covers it",
}
_ASSUMED_FREE = "assumed: nothing else in Xero has that name or number"
_ASSUMED_AS_SENT = "assumed: it is in Xero as it was last sent"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file."""

    number: int
    planned: PreviewedCommand
    same_as: int | None = None
    """The earlier line that holds the same event."""


def failing(line: Line) -> bool:
    """Return True if the event would fail now. Publishing it again does not retry an event that failed
    before.
    """
    return line.same_as is None and line.planned.known != "ended" and line.planned.entry.state == "failed"


def summary(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the last object of ``--json``."""
    new = [line for line in lines if line.same_as is None]
    reasons = Counter(line.planned.entry.reason_code for line in new if failing(line))
    waiting = [line for line in new if line.planned.entry.state not in ("completed", "failed")]
    calls = {
        (line.planned.entry.account, call.number, call.reads) for line in new for call in line.planned.calls
    }
    return {
        "kind": "summary",
        "events": len(lines),
        "calls": len(calls),
        "reads": sum(reads for _, _, reads in calls),
        "would_fail": sum(reasons.values()),
        "reasons": dict(reasons.most_common()),
        "would_wait": len(waiting),
        "nothing_new": sum(line.same_as is not None or line.planned.known == "ended" for line in lines),
    }


def summary_text(total: dict[str, Any]) -> str:
    """Return the last line for people."""
    parts = [
        plural(total["events"], "event"),
        f"{plural(total['calls'], 'call')} to Xero ({plural(total['reads'], 'read')})",
    ]
    if total["would_fail"]:
        reasons = ", ".join(f"{count} {code}" for code, count in total["reasons"].items())
        parts.append(f"{total['would_fail']} would fail ({reasons})")
    else:
        parts.append("none would fail")
    if total["would_wait"]:
        parts.append(f"{total['would_wait']} would wait")
    if total["nothing_new"]:
        parts.append(f"{total['nothing_new']} already known: nothing would be sent for them")
    return "; ".join(parts)


def as_json_line(one: Line | dict[str, Any]) -> str:
    """Return one object of ``--json``, with the numbers in bodies exactly as Xero would receive them."""
    return encode_body(_object(one) if isinstance(one, Line) else one).decode()


def _object(line: Line) -> dict[str, Any]:
    entry = line.planned.entry
    return {
        "kind": "event",
        "line": line.number,
        "account": entry.account,
        "event_id": entry.event_id,
        "type": entry.event_type,
        "entry_id": entry.entry_id,
        "record_id": entry.record_id,
        "record_number": entry.record_number,
        "party_name": entry.party_name,
        "amount": None if entry.amount is None else str(entry.amount),
        "known": "repeated" if line.same_as else line.planned.known,
        "same_as_line": line.same_as,
        "state": entry.state,
        "outcome": entry.outcome,
        "reason_code": entry.reason_code,
        "reason": entry.reason,
        "remedy": entry.remedy,
        "warnings": [{"code": w.code, "text": w.text} for w in entry.warnings],
        "calls": [_call(call) for call in _calls(line)],
    }


def _call(call: PreviewedCall) -> dict[str, Any]:
    return {
        "call": call.number,
        "element": call.element,
        "elements": call.elements,
        "step": call.step,
        "method": call.method,
        "path": call.path,
        "query": dict(call.query),
        "body": _body(call),
        "assumed": _assumed(call),
    }


def as_text(lines: Sequence[Line]) -> Iterator[tuple[str, str]]:
    """Yield lines for people, each with its style. A call for several events is shown at the first."""
    shown: dict[tuple[str, int, int], int] = {}
    for line in lines:
        yield _head(line), "bold"
        for call in _calls(line):
            key = (line.planned.entry.account, call.number, call.element)
            yield from _call_text(call, shown.get(key))
            shown.setdefault(key, line.number)
        if line.same_as is None:
            for warned in line.planned.entry.warnings:
                yield f"  warning: {warned.text}", "yellow"
        yield from _end(line)
        yield "", ""


def _head(line: Line) -> str:
    entry = line.planned.entry
    what = f"{entry.entity.replace('_', ' ')} {entry.action.replace('_', ' ')}"
    amount = "" if entry.amount is None else f"{entry.amount} {entry.currency}".strip()
    parts = (f"line {line.number}", what, entry.record_number, entry.party_name, amount)
    return " · ".join(part for part in parts if part)


def _call_text(call: PreviewedCall, shown_at: int | None) -> Iterator[tuple[str, str]]:
    shared = f", with {plural(call.elements - 1, 'other')} in one call" if call.elements > 1 else ""
    query = "&".join(f"{name}={value}" for name, value in call.query.items()) if call.reads else ""
    address = f"{call.path}?{query}" if query else call.path
    yield f"  {call.method} {address}   {call.step} (call {call.number}{shared})", "cyan"
    if shown_at is not None:
        yield f"    the same as for line {shown_at}", "dim"
        return
    body = _body(call)
    if body is not None:
        pretty = msgspec.json.format(encode_body(body), indent=2).decode()
        yield "\n".join(f"    {row}" for row in pretty.splitlines()), ""
    if assumed := _assumed(call):
        yield f"    {assumed}", "dim"


def _end(line: Line) -> Iterator[tuple[str, str]]:
    entry = line.planned.entry
    if line.same_as is not None:
        yield f"  the same event as line {line.same_as}: nothing to add", "dim"
    elif line.planned.known == "ended":
        yield f"  already done ({entry.outcome or entry.reason_code}): nothing would be sent", "dim"
        if entry.state == "failed":
            yield f"  to retry it: sbx retry --id {entry.entry_id}", "dim"
    elif entry.state == "failed":
        yield f"  would fail: {entry.reason_code}: {entry.reason}", "red"
        yield f"  remedy: {entry.remedy}", ""
    elif entry.state == "completed":
        yield f"  {_OUTCOMES[str(entry.outcome)]}", "green"
    else:
        yield (
            f"  would wait: {entry.reason or 'an earlier action of the record waits or needs review'}",
            "yellow",
        )


def _calls(line: Line) -> Sequence[PreviewedCall]:
    return () if line.same_as is not None else line.planned.calls


def _body(call: PreviewedCall) -> Any:
    """Return the part of the body about the element: an item of its list, if the call has one."""
    if call.body is None:
        return None
    return {call.envelope: [call.body]} if call.envelope else call.body


def _assumed(call: PreviewedCall) -> str:
    if not call.reads:
        return ""
    return _ASSUMED_FREE if call.wanted else _ASSUMED_AS_SENT

"""Read Xero's response: its meaning for each element of the call. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import msgspec

from contracts.json import JsonObject
from contracts.nul import ESCAPED, without_nul
from contracts.reasons import ReasonCode
from sinks.xero.calls import Call, QueuedElement, own_key
from sinks.xero.client import Answer
from sinks.xero.errors import classify, is_key_reuse, messages_of, warnings_of
from sinks.xero.names import same_name

Verdict = Literal["ok", "refused", "not_applied", "unknown", "split"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one element.

    ``ok``: Xero did it; ``refused``: Xero did not and says why; ``not_applied``: surely not done, worth a
    new call; ``unknown``: perhaps done; ``split``: the batch was refused without naming an element.
    """

    verdict: Verdict
    found: tuple[JsonObject, ...] = ()
    """The objects that Xero returned for it."""
    code: ReasonCode | None = None
    """Why Xero refused it."""
    details: Mapping[str, str] = field(default_factory=dict)
    warned: tuple[str, ...] = ()
    raw: Any = None
    """The element's own part of the response; None if the response does not say."""
    halve: bool = False
    """Something in its batch went wrong, and the response does not say which element: send a smaller batch
    next time.
    """


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """A whole answer read."""

    results: tuple[Result, ...]
    settled: bool = True
    """False if the response may be a gateway's, behind which Xero is still working on the call."""


Trouble = Literal["", "limit", "unauthorised", "forbidden", "server"]


def trouble_of(status: int) -> Trouble:
    """Return the trouble of the whole account, rather than of the call, that an HTTP status stands for."""
    if status >= 500:
        return "server"
    return _TROUBLES.get(status, "")


_ERROR_OF_ITS_OWN = 500
"""Xero's answer when it stumbled, perhaps over one element each time: the others must get away from it."""

_TROUBLES: dict[int, Trouble] = {401: "unauthorised", 403: "forbidden", 429: "limit"}


def read_answer(call: Call, answer: Answer) -> ParsedResponse:
    """Return one result an element, in the order of the call's elements."""
    status = answer.status
    if 200 <= status < 300:
        results = tuple(_success(call, answer))
        lost = any(result.verdict == "unknown" for result in results)
        return ParsedResponse(results, settled=not lost or isinstance(decode(answer.body), Mapping))
    trouble = trouble_of(status)
    if trouble:
        verdict: Verdict = "unknown" if trouble == "server" and call.route.creates else "not_applied"
        halve = status == _ERROR_OF_ITS_OWN and len(call.parts) > 1
        return ParsedResponse(tuple(Result(verdict, halve=halve) for _ in call.parts), settled=False)
    return ParsedResponse(tuple(_refused(call, answer)))


def decode(raw: bytes) -> Any:
    """Parse JSON with exact numbers, without the nulls that lists hold; None if it is not JSON.

    Xero's API description shows lists of addresses and phones with a null in them.
    """
    try:
        document = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if ESCAPED in raw:
        document = without_nul(document)
    return _without_holes(document) if _HOLE.search(raw) else document


_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_HOLE = re.compile(rb"[\[,]\s*null\b")


def _without_holes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_holes(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_without_holes(held) for held in value if held is not None]
    return value


def _success(call: Call, answer: Answer) -> list[Result]:
    document = decode(answer.body)
    objects = document.get(call.route.envelope) if isinstance(document, Mapping) else None
    looks_up = bool(call.parts[0].element.wanted)
    if objects is None and isinstance(document, Mapping) and looks_up:
        objects = []  # nothing found, and so no list
    if not isinstance(objects, list):
        lost = Result("not_applied" if call.route.reads else "unknown")
        return [lost for _ in call.parts]
    objects = [o for o in objects if isinstance(o, Mapping)]
    if looks_up:
        return [_found(call, part, objects) for part in call.parts]
    if call.route.reads and len(call.parts) == 1:
        return [Result("ok", tuple(objects))]
    matched = _match(call, objects)
    missing = Result("split" if call.route.reads else "unknown")
    if call.route.reads:
        matched = [found if found is not None and _is_whole(found) else None for found in matched]
    return [missing if found is None else _element(call, found) for found in matched]


def _is_whole(found: JsonObject) -> bool:
    """Return False for a summary: a list may show invoices without their lines, or without the money on them,
    although they have some. An object that decides about money is then read by itself.
    """
    if "InvoiceID" not in found or found.get("Status") in ("VOIDED", "DELETED"):
        return True
    paid = str(found.get("AmountPaid") or "").strip("0.")
    return bool(found.get("LineItems")) and (not paid or bool(found.get("Payments")))


def _found(call: Call, part: QueuedElement, objects: Sequence[JsonObject]) -> Result:
    """Return the objects that a look-up found. If it was for several, those not found are asked for again one
    by one: Xero decides which names are the same, so an answer for one contact alone is believed under any
    name. The numbers of contacts are our own, letter for letter: one that is not among those found is not
    there.
    """
    if not call.route.keys:
        full = len(objects) >= int(call.route.query["pageSize"])
        return Result("split") if full and len(call.parts) > 1 else Result("ok", tuple(objects))
    key = call.route.keys[0]
    found = tuple(o for o in objects if same_name(str(o.get(key) or ""), part.element.wanted))
    if found:
        return Result("ok", found)
    if len(call.parts) > 1:
        return Result("ok") if key == "ContactNumber" else Result("split")
    believed = call.route.envelope == "Contacts" and len(objects) == 1
    return Result("ok", tuple(objects) if believed else ())


def _element(call: Call, found: JsonObject) -> Result:
    errors = messages_of(found)
    if errors or found.get("HasErrors") is True or found.get("StatusAttributeString") == "ERROR":
        code, details = classify(errors)
        return Result("refused", code=code, details=details, raw=found)
    if call.route.creates and not str(found.get(call.route.id_field) or "").strip("0-"):
        return Result(
            "unknown", raw=found
        )  # neither an error nor an id: whether it was made must be looked up
    return Result("ok", (found,), warned=tuple(warnings_of(found)), raw=found)


def _match(call: Call, objects: Sequence[JsonObject]) -> list[JsonObject | None]:
    """Return results by our own key; those left over by their place, if every element has an answer there."""
    if len(call.parts) == 1 and len(objects) == 1:
        return [objects[0]]
    by_key: dict[str, JsonObject] = {}
    for found in objects:
        if key := own_key(call.route, found):
            by_key.setdefault(key, found)
    matched: list[JsonObject | None] = []
    for place, part in enumerate(call.parts):
        wanted = _key_of(call, part.element.body, part.element.xero_id)
        found_by_key = by_key.get(wanted)
        if found_by_key is None and len(objects) == len(call.parts):
            other = own_key(call.route, objects[place])
            found_by_key = objects[place] if not other else None
        matched.append(found_by_key)
    return matched


def _key_of(call: Call, body: JsonObject | None, xero_id: str) -> str:
    return own_key(call.route, body) if body is not None else xero_id.casefold()


def _refused(call: Call, answer: Answer) -> list[Result]:
    """Return a 4xx: a summarised list of failures, or one message for the whole call."""
    document = decode(answer.body)
    top = document if isinstance(document, Mapping) else {}
    if answer.status == 404 and call.route.reads and len(call.parts) == 1:
        return [Result("ok") for _ in call.parts]
    if is_key_reuse(messages_of(top)):
        return [Result("unknown") for _ in call.parts]
    elements = [e for e in top.get("Elements") or () if isinstance(e, Mapping)]
    if elements and len(call.parts) == 1:
        return [_named(elements[0], top)]
    if elements:
        return _summarised(call, elements, top)
    message = str(top.get("Message") or top.get("Detail") or top.get("Title") or f"HTTP {answer.status}")
    if len(call.parts) > 1:
        return _nobody_named(call, perhaps_done=call.route.repeatable)
    code, details = classify([message])
    return [Result("refused", code=code, details=details)]


def _summarised(call: Call, elements: Sequence[JsonObject], top: JsonObject) -> list[Result]:
    """Read a response that lists only failures; the others were done, and their ids lost: they are looked
    up.
    """
    by_key = {own_key(call.route, e): e for e in elements if own_key(call.route, e)}
    if len(by_key) < len(elements) and len(elements) < len(call.parts):
        return _nobody_named(call, perhaps_done=call.route.creates)
    by_place = len(elements) == len(call.parts) and len(by_key) < len(elements)
    results = []
    for place, part in enumerate(call.parts):
        named = (
            elements[place]
            if by_place
            else by_key.get(_key_of(call, part.element.body, part.element.xero_id))
        )
        results.append(Result("unknown") if named is None else _named(named, top))
    return results


def _nobody_named(call: Call, *, perhaps_done: bool) -> list[Result]:
    """Handle a response that refuses something without saying which element. Xero does the rest of the batch
    nevertheless, so elements that it would silently make twice are looked up before any of them is sent
    again.
    """
    return [Result("unknown", halve=True) if perhaps_done else Result("split") for _ in call.parts]


def _named(element: JsonObject, top: JsonObject) -> Result:
    messages = messages_of(element) or [str(top.get("Message") or "no message")]
    code, details = classify(messages)
    return Result("refused", code=code, details=details, raw=element)

"""Read commands and results from their topics, where anybody may have written anything.

``read_command`` and ``read_result`` are the only ways in from Kafka: an accepted message can be stored and
shown; a refused one raises ``Unreadable``. Messages that we stored ourselves are read with
``decode_command``.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec

from contracts.commands import Command, command_id, decode_command
from contracts.events.envelope import ACCOUNT, MAX_VALUE_BYTES, account_of
from contracts.events.fields import MAX_ID_LENGTH, YEARS
from contracts.events.invalid import InvalidEvent, clean
from contracts.events.lenient import parse_leniently
from contracts.events.types import EVENT_TYPES
from contracts.results import AccountResult, EntryResult, Result, decode_result
from contracts.urls import split_address

__all__ = ["Named", "Unreadable", "named_in", "read_command", "read_result"]

MAX_DIGITS: Final = 64
"""Digits before the point of a total: quantity times price may have twice those of a number in an event."""
MAX_DECIMALS: Final = 256
_NAME = re.compile(r"[a-z0-9_]{0,64}")
_NAMES_OF_A_STEP = ("step", "outcome", "reason_code", "triggered_by")
_ID = re.compile(r"[^\x00-\x1f\x7f]*")
_FIRST_YEAR, _LAST_YEAR = YEARS.start - 1, YEARS.stop
"""Years in UTC: an offset may carry a moment over New Year."""


class Unreadable(ValueError):
    """A message that is not a command or result, or contains something that nothing can store or show.
    ``str()`` says why.
    """


def read_command(raw: bytes) -> Command:
    """Read a message of ``xero.commands``.

    Raises:
        Unreadable: it is not a command, or one that no event makes.
    """
    command: Command = _decoded(raw, decode_command)
    _refuse_unheld(command)
    _refuse_first(_misfits(command))
    return command


def read_result(raw: bytes) -> Result:
    """Read a message of ``integration.results``.

    Raises:
        Unreadable: it is not a result, or contains something that the log cannot store or no page can show.
    """
    result: Result = _decoded(raw, decode_result)
    _refuse_unheld(result)
    _refuse_first(_account_flaws(result) if isinstance(result, AccountResult) else _entry_flaws(result))
    return result


class Named(msgspec.Struct, frozen=True):
    """The identity of the record in an unreadable message; blank if the message has no usable one."""

    account: str = ""
    entity: str = ""
    record_id: str = ""
    record_number: str = ""
    action: str = ""


def named_in(raw: bytes | None) -> Named:
    """Return the readable identity of a refused command or result. Never raises."""
    if not raw or len(raw) > MAX_VALUE_BYTES:
        return Named()
    try:
        value = parse_leniently(raw)
    except (InvalidEvent, RecursionError):
        return Named()
    if not isinstance(value, dict):
        return Named()
    said = {name: clean(text) for name in Named.__struct_fields__ if isinstance(text := value.get(name), str)}
    if not ACCOUNT.fullmatch(said.get("account", "")) or not said.get("record_id", "").strip():
        return Named()
    for name in ("entity", "action"):
        if not _NAME.fullmatch(said.get(name, "")):
            said[name] = ""
    return Named(**said)


def _decoded(raw: bytes, decode: Any) -> Any:
    try:
        return decode(raw)
    except RecursionError as error:
        raise Unreadable("lists and objects in it are nested too deeply") from error
    except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
        raise Unreadable(_short(str(error))) from error


def _refuse_unheld(message: msgspec.Struct) -> None:
    flaw = _flaw(message)
    if flaw is not None:
        raise Unreadable(f"{flaw[0].removeprefix('.')} is {flaw[1]}")


def _refuse_first(flaws: Iterator[str]) -> None:
    for flaw in flaws:
        raise Unreadable(flaw)


def _flaw(value: msgspec.Struct) -> tuple[str, str] | None:
    """Return the first number or time that a database or a page cannot hold, in any field: where it stands,
    and what is wrong. None if there is none, as nearly always: so the place is put together last.
    """
    for name in _not_texts(type(value)):
        flaw = _flaw_of(getattr(value, name))
        if flaw is not None:
            return f".{name}{flaw[0]}", flaw[1]
    return None


@cache
def _not_texts(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the fields that may hold more than texts and truth values, which have no such flaws. The decoder
    lets nothing into a field but what its type says.
    """
    return tuple(field.name for field in msgspec.structs.fields(kind) if not _is_text(field.type))


def _is_text(kind: Any) -> bool:
    """Return True if values of this type hold nothing but texts and truth values, however deep."""
    if kind in (str, bool, NoneType):
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return not _not_texts(kind)
    if get_origin(kind) is Literal:
        return all(isinstance(value, str) for value in get_args(kind))
    if get_origin(kind) in (Union, UnionType, tuple):
        return all(part is ... or _is_text(part) for part in get_args(kind))
    return False


def _flaw_of(value: Any) -> tuple[str, str] | None:
    if value is None or isinstance(value, str | bool):
        return None
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else ("", "an integer of more than 64 bits")
    if isinstance(value, Decimal):
        return _flaw_of_number(value)
    if isinstance(value, datetime):
        return _flaw_of_moment(value)
    if isinstance(value, date):
        if value.year in YEARS:
            return None
        return "", f"{value}, outside the years {YEARS.start} to {YEARS.stop - 1}"
    if isinstance(value, tuple):
        for index, each in enumerate(value):
            flaw = _flaw_of(each)
            if flaw is not None:
                return f"[{index}]{flaw[0]}", flaw[1]
        return None
    return _flaw(value)


def _flaw_of_number(number: Decimal) -> tuple[str, str] | None:
    written = str(number)
    if len(written) <= MAX_DIGITS and "E" not in written and number.is_finite():
        return None  # most are, and need not be taken apart
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        return "", f"{number}, which is not a number"
    if number.adjusted() >= MAX_DIGITS or exponent >= MAX_DIGITS or exponent < -MAX_DECIMALS:
        return "", "a number of absurd size"
    return None


def _flaw_of_moment(moment: datetime) -> tuple[str, str] | None:
    if moment.tzinfo is None:
        return "", f"{moment.isoformat()}, a time without an offset"
    if moment.year in YEARS:  # an offset carries it no further than a year
        return None
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    if _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    return "", f"{moment.isoformat()}, outside the years {YEARS.start} to {YEARS.stop - 1}"


def _misfits(command: Command) -> Iterator[str]:
    """Yield contradictions in a command; the transform stage makes none of these."""
    event = command.event
    kind = EVENT_TYPES.get(event.type)
    if not ACCOUNT.fullmatch(command.account):
        yield f"account is {_short(command.account)}, which is no account"
    if account_of(event.source) != command.account:
        yield f"event.source is {_short(event.source)}, which is not of the account {command.account}"
    yield from _id_flaws(command.record_id, "record_id", required=True)
    yield from _id_flaws(event.id, "event.id", required=True)
    if kind is None or (kind.entity, kind.action) != (command.entity, command.action):
        yield f"event.type is {_short(event.type)}, and the action {command.entity} {command.action}"
    if command.command_id != command_id(event.source, event.id):
        yield f"command_id is {_short(command.command_id)}, which is not that of its event"
    texts = {
        "event.content_hash": event.content_hash,
        "event.topic": event.topic,
        "record_number": command.record_number,
        "party_name": command.party_name,
        "currency": command.currency,
    }
    for path, text in texts.items():
        yield from _id_flaws(text, path)
    if not -1 <= event.partition < 2**31 or event.offset < -1:
        yield f"the event's place is {event.place}, which is none"
    yield from _part_misfits(command)


def _part_misfits(command: Command) -> Iterator[str]:
    of_account = command.entity in ("customer", "supplier")
    has = {"contact": command.contact is not None, "document": command.document is not None}
    wanted = {"contact": of_account, "document": not of_account}
    if command.action == "deleted":
        wanted = {"contact": False, "document": False}
    for part, is_there in has.items():
        if is_there is not wanted[part]:
            yield f"{part} is {'there' if is_there else 'absent'} in a {command.entity} {command.action}"
    paid = command.action in ("payment_applied", "refund_applied")
    if (command.transaction is not None) is not paid:
        yield f"transaction is {'absent' if paid else 'there'} in {command.entity} {command.action}"
    elif command.transaction is not None:
        yield from _id_flaws(command.transaction.transaction_id, "transaction.transaction_id", required=True)
    if command.contact is not None and (
        command.contact.record_id != command.record_id or command.contact.side != command.entity
    ):
        yield "contact is another record than the command's"
    document = command.document
    if document is None:
        return
    if document.record_id != command.record_id or document.kind != command.entity:
        yield "document is another record than the command's"
    yield from _id_flaws(document.contact.record_id, "document.contact.record_id", required=True)
    yield from _id_flaws(document.number, "document.number")


def _entry_flaws(entry: EntryResult) -> Iterator[str]:
    yield from _id_flaws(entry.entry_id, "entry_id", required=True)
    if entry.account and not ACCOUNT.fullmatch(entry.account):
        yield f"account is {_short(entry.account)}, which is no account"
    names = ("entity", "action", "reason_code", "triggered_by", "xero_type")
    for name in names:
        value = getattr(entry, name)
        if value and not _NAME.fullmatch(value):
            yield f"{name} is {_short(value)}, which is no name of ours"
    for name in ("record_id", "event_id", "event_type", "topic"):
        yield from _id_flaws(getattr(entry, name), name)
    for name in ("record_number", "party_name", "xero_id", "xero_number", "currency", "actor"):
        yield from _length_flaws(getattr(entry, name), name)
    yield from _url_flaws(entry)
    counts = {"version": entry.version, "attempts": entry.attempts, "partition": entry.partition or 0}
    counts |= {f"made[{index}].number": one.number for index, one in enumerate(entry.made)}
    counts |= {f"made[{index}].status": one.status or 0 for index, one in enumerate(entry.made)}
    yield from _count_flaws(counts)
    for index, attempt in enumerate(entry.made):
        yield from _id_flaws(attempt.attempt_id, f"made[{index}].attempt_id", required=True)
    yield from _step_flaws(entry)


def _step_flaws(entry: EntryResult) -> Iterator[str]:
    if not (entry.history or entry.first_triggered_by or entry.first_actor):  # as nearly always
        return
    names = {"first_triggered_by": entry.first_triggered_by}
    texts = {"first_actor": entry.first_actor}
    for index, one in enumerate(entry.history):
        names |= {f"history[{index}].{name}": getattr(one, name) for name in _NAMES_OF_A_STEP}
        texts[f"history[{index}].actor"] = one.actor
    yield from _count_flaws({f"history[{i}].version": one.version for i, one in enumerate(entry.history)})
    for name, value in names.items():
        if value and not _NAME.fullmatch(value):
            yield f"{name} is {_short(value)}, which is no name of ours"
    for name, text in texts.items():
        yield from _length_flaws(text or "", name)


def _account_flaws(result: AccountResult) -> Iterator[str]:
    if not ACCOUNT.fullmatch(result.account):
        yield f"account is {_short(result.account)}, which is no account"
    if result.held and not _NAME.fullmatch(result.held):
        yield f"held is {_short(result.held)}, which is no name of ours"
    yield from _count_flaws({"version": result.version})


def _count_flaws(counts: dict[str, int]) -> Iterator[str]:
    for name, count in counts.items():
        if not 0 <= count < 2**31:
            yield f"{name} is {count}, which is no count"


def _url_flaws(entry: EntryResult) -> Iterator[str]:
    for name in ("salesbinder_url", "xero_url"):
        address = getattr(entry, name)
        if address and split_address(address) is None:
            yield f"{name} is {_short(address)}, which is no address"


def _id_flaws(text: str, name: str, *, required: bool = False) -> Iterator[str]:
    if required and not text.strip():
        yield f"{name} is blank"
    if len(text) <= MAX_ID_LENGTH and text.isprintable():  # most are, and the expression need not look
        return
    yield from _length_flaws(text, name)
    if not _ID.fullmatch(text):
        yield f"{name} holds control characters"


def _length_flaws(text: str, name: str) -> Iterator[str]:
    if len(text) > MAX_ID_LENGTH:
        yield f"{name} has more than {MAX_ID_LENGTH} characters"


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= 120 else text[:119] + "…"

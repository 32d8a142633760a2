"""Read commands and results from their topics, where anybody may have written anything.

``read_command`` and ``read_result`` are the only ways in from Kafka: an accepted message can be stored and
shown; a refused one raises ``Unreadable``. Messages that we stored ourselves are read with
``decode_command``.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

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
    _refuse_first(_flaws(command, ""))
    _refuse_first(_misfits(command))
    return command


def read_result(raw: bytes) -> Result:
    """Read a message of ``integration.results``.

    Raises:
        Unreadable: it is not a result, or contains something that the log cannot store or no page can show.
    """
    result: Result = _decoded(raw, decode_result)
    _refuse_first(_flaws(result, ""))
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


def _refuse_first(flaws: Iterator[str]) -> None:
    for flaw in flaws:
        raise Unreadable(flaw)


def _flaws(value: Any, path: str) -> Iterator[str]:
    """Yield numbers and times that a database or a page cannot hold, in any field."""
    for name in value.__struct_fields__:
        yield from _flaws_of(getattr(value, name), f"{path}.{name}" if path else name)


def _flaws_of(value: Any, path: str) -> Iterator[str]:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            yield f"{path} is an integer of more than 64 bits"
    elif isinstance(value, Decimal):
        yield from _flaws_of_number(value, path)
    elif isinstance(value, datetime):
        yield from _flaws_of_moment(value, path)
    elif isinstance(value, date):
        if value.year not in YEARS:
            yield f"{path} is {value}, outside the years {YEARS.start} to {YEARS.stop - 1}"
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _flaws_of(each, f"{path}[{index}]")
    else:
        yield from _flaws(value, path)


def _flaws_of_number(number: Decimal, path: str) -> Iterator[str]:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        yield f"{path} is {number}, which is not a number"
    elif number.adjusted() >= MAX_DIGITS or exponent >= MAX_DIGITS or exponent < -MAX_DECIMALS:
        yield f"{path} is a number of absurd size"


def _flaws_of_moment(moment: datetime, path: str) -> Iterator[str]:
    if moment.tzinfo is None:
        yield f"{path} is {moment.isoformat()}, a time without an offset"
        return
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        yield f"{path} is {moment.isoformat()}, outside the years {YEARS.start} to {YEARS.stop - 1}"


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
    try:
        identity = str(uuid.UUID(command.command_id))
    except ValueError:
        identity = ""
    if identity != command_id(event.source, event.id) or identity != command.command_id:
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
        if split_address(getattr(entry, name)) is None:
            yield f"{name} is {_short(getattr(entry, name))}, which is no address"


def _id_flaws(text: str, name: str, *, required: bool = False) -> Iterator[str]:
    if required and not text.strip():
        yield f"{name} is blank"
    yield from _length_flaws(text, name)
    if not _ID.fullmatch(text):
        yield f"{name} holds control characters"


def _length_flaws(text: str, name: str) -> Iterator[str]:
    if len(text) > MAX_ID_LENGTH:
        yield f"{name} has more than {MAX_ID_LENGTH} characters"


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= 120 else text[:119] + "…"

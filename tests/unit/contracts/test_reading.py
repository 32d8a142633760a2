"""Commands and results from Kafka: whatever bytes come, they are read or refused, nothing else happens."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands import Command, EventRef, TransactionSnapshot, command_id, encode_command
from contracts.events.reader import EVENT_TYPES, InvalidEvent, read_event
from contracts.messages import Unreadable, named_in, read_command, read_result
from contracts.results import AccountResult, Attempt, EntryResult, Warning, encode_result
from mappers import to_command
from streams.dead_letters import readable
from streams.records import Record
from streams.topics import COMMANDS, RESULTS
from tests.unit.contracts.test_events import example, examples, read

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
no_log = dict  # takes whatever a log takes, and says nothing
Change = Callable[[dict[str, Any]], object]


def command(kind: str = "salesbinder.invoice.payment_applied") -> Command:
    event = read(example(kind))
    return to_command(event, EVENT_TYPES[kind].topic, 3, 7)


def entry(**fields: Any) -> EntryResult:
    known: dict[str, Any] = {
        "entry_id": "e1", "version": 1, "account": "acme", "entity": "invoice", "record_id": "d1",
        "action": "created", "state": "failed", "queued_at": NOW, "amount": Decimal("12.50"),
        "salesbinder_url": "https://acme.salesbinder.com/documents/view/d1", "event_time": NOW,
        "warnings": (Warning(code="contact_shared", text="shared"),),
        "made": (Attempt(attempt_id="a1", number=1, step="invoice", method="PUT", path="/Invoices",
                         started_at=NOW, status=200),),
    }  # fmt: skip
    return EntryResult(**known | fields)


def changed(raw: bytes, change: Change) -> bytes:
    value = json.loads(raw)
    change(value)
    return json.dumps(value).encode()


# What we send is read


@pytest.mark.parametrize("event", examples(), ids=lambda event: f"{event['type']}-{event['id'][:8]}")
def test_every_command_of_ours_is_read(event: dict[str, Any]) -> None:
    kind = EVENT_TYPES[event["type"]]
    made = to_command(read(event), kind.topic, 0, 0)
    assert read_command(encode_command(made)) == made


def test_results_of_ours_are_read() -> None:
    for result in (entry(), entry(account="", record_id="", entity=""), entry(amount=None)):
        assert read_result(encode_result(result)) == result
    hold = AccountResult(account="acme", version=2, at=NOW, held="account_paused", reason="by hand")
    assert read_result(encode_result(hold)) == hold


def test_an_answer_with_a_nul_is_read_because_the_log_shows_it_otherwise() -> None:
    made = msgspec.structs.replace(entry().made[0], answer="a\0b")
    assert read_result(encode_result(entry(made=(made,)))).made == (made,)  # type: ignore[union-attr]


# What nothing can store or show


def put(*path: str | int) -> Callable[[Any], Change]:
    def with_value(value: Any) -> Change:
        def change(into: Any) -> None:
            for step in path[:-1]:
                into = into[step]
            into[path[-1]] = value

        return change

    return with_value


BAD_TIMES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z",
             "1500-01-01T00:00:00Z", "2026-03-02T09:00:00", "-4712-01-01T00:00:00Z", "infinity")  # fmt: skip
BAD_NUMBERS = ("NaN", "sNaN", "-NaN123", "Infinity", "-Infinity", "1e400", "1e999999999", "1e-999999999",
               "9" * 5000, "0e999999", "1e99999999999999999999")  # fmt: skip
BAD_ACCOUNTS = ("Acme", "a/b", "a b", "x" * 64, "<b>", "acme\0", "../etc")


STEP = {"version": 1, "at": "2026-03-02T09:00:00Z", "step": "failed"}


@pytest.mark.parametrize(
    "change",
    [
        *(put(field)(time) for field in ("queued_at", "event_time", "finished_at") for time in BAD_TIMES),
        *(put("made", 0, "started_at")(time) for time in BAD_TIMES),
        *(put("amount")(number) for number in BAD_NUMBERS),
        *(put("account")(account) for account in BAD_ACCOUNTS),
        *(put(field)(url) for field in ("salesbinder_url", "xero_url")
          for url in ("http://[", "https://[::1", "http://a:b/", "http://a:99999999/")),
        *(put(field)(count) for field in ("version", "attempts", "partition")
          for count in (2**31, -1, 2**63, 2**64, 10**400, 1.5, "1")),
        *(put("offset")(offset) for offset in (2**63, 10**30, "x")),
        put("made", 0, "status")(2**31),
        put("entity")("invoice'; --"),
        put("action")("x" * 65),
        put("state")("lost"),
        put("entry_id")(""),
        put("entry_id")("a\0b"),
        put("entry_id")("x" * 10_000),
        *(put(field)("x" * 3000) for field in ("record_id", "record_number", "party_name", "xero_number",
                                               "event_id", "actor", "reason_code")),
        put("kind")("unknown"),
        put("warnings")(["text"]),
        *(put("at")(time) for time in BAD_TIMES),
        *(put("history")([{**STEP, "at": time}]) for time in BAD_TIMES),
        *(put("history")([{**STEP, "version": number}]) for number in (2**31, -1)),
        *(put("history")([{**STEP, name: "no name'"}]) for name in ("step", "outcome", "triggered_by")),
        put("history")([{**STEP, "actor": "x" * 3000}]),
        put("first_triggered_by")("no name'"),
        put("first_actor")("x" * 3000),
    ],
)  # fmt: skip
def test_results_that_nothing_can_store_or_show_are_refused(change: Change) -> None:
    with pytest.raises(Unreadable) as caught:
        read_result(changed(encode_result(entry()), change))
    assert str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        put("command_id")("no uuid"),
        put("command_id")("00000000-0000-5000-8000-000000000000"),
        put("entity")("spaceship"),
        put("entity")("purchase_order"),
        put("action")("created"),
        put("record_id")(""),
        put("record_id")("another"),
        put("record_id")("x" * 256),
        put("record_id")("a\0b"),
        *(put("account")(account) for account in (*BAD_ACCOUNTS, "", "globex")),
        put("event", "source")("/salesbinder/globex"),
        put("event", "type")("salesbinder.invoice.created"),
        put("event", "id")("another"),
        put("event", "partition")(2**40),
        put("event", "offset")(2**70),
        put("event", "topic")("a\0b"),
        *(put("event", "time")(time) for time in BAD_TIMES),
        *(put("amount")(number) for number in BAD_NUMBERS),
        *(put("transaction", "amount")(number) for number in BAD_NUMBERS),
        *(put("document", "lines", 0, "quantity")(number) for number in BAD_NUMBERS),
        put("transaction")(None),
        put("transaction", "transaction_id")(""),
        put("transaction", "date")("9999-12-31"),
        put("document")(None),
        put("document", "kind")("purchase_order"),
        put("document", "issue_date")("0001-01-01"),
        put("document", "contact", "version")("0001-01-01T00:00:00+14:00"),
        put("document", "contact", "record_id")("x" * 3000),
        put("party_name")("x" * 3000),
    ],
)
def test_commands_that_no_event_makes_are_refused(change: Change) -> None:
    with pytest.raises(Unreadable) as caught:
        read_command(changed(encode_command(command()), change))
    assert str(caught.value)


def test_a_forged_transaction_on_another_action_is_refused() -> None:
    forged = msgspec.structs.replace(
        command("salesbinder.invoice.created"),
        transaction=TransactionSnapshot(transaction_id="t", amount=Decimal(5), date=date(2026, 3, 2)),
    )
    with pytest.raises(Unreadable):
        read_command(encode_command(forged))


# Whatever bytes come


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "open": b"[" * 900_000,
    "deep-900": b'{"kind":"entry","x":' + nested(900) + b"}",
    "deep-3000": b'{"kind":"entry","x":' + nested(3000) + b"}",
    "deep-100000": b'{"kind":"entry","x":' + nested(100_000) + b"}",
    "deep-objects": b'{"kind":"entry","account":' + b'{"a":' * 950 + b"1" + b"}" * 951,
    "utf8": b'{"kind":"entry","account":"\xff\xfe"}',
    "utf8-key": b'{"\xff\xfe":1}',
    "cesu": b'{"kind":"entry","account":"\xed\xa0\x80"}',
    "surrogate": b'{"kind":"entry","account":"\\ud800"}',
    "utf16": '{"kind":"entry"}'.encode("utf-16"),
    "bom": b'\xef\xbb\xbf{"kind":"entry"}',
    "digits": b'{"kind":"entry","version":' + b"9" * 5000 + b"}",
    "exponent": b'{"kind":"entry","version":1e999999999}',
    "nan": b'{"kind":"entry","version":NaN}',
    "twice": b'{"kind":"entry","kind":"account","account":"a","account":1}',
    "nul": b"\0" * 1000,
    "4MB": b'{"kind":"entry","account":"' + b"x" * 4_000_000 + b'"}',
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_messages_are_refused_by_the_stages(value: bytes) -> None:
    for topic, read_message in ((COMMANDS, read_command), (RESULTS, read_result)):
        found, letters = readable([Record(topic, 0, 0, b"acme/x", value)], read_message, no_log)
        assert not found
        assert [letter.defect.reason_code for letter in letters] == ["command_unreadable"]
        assert (letters[0].defect.account, letters[0].defect.record_id) == ("acme", "x")


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"no slash"])
def test_what_the_value_says_stands_in_for_a_key(key: bytes | None) -> None:
    forged = changed(encode_command(command()), put("command_id")("no uuid"))
    _, [letter] = readable([Record(COMMANDS, 0, 0, key, forged)], read_command, no_log)
    real = command()
    found = letter.defect
    assert (found.account, found.record_id, found.entity) == (real.account, real.record_id, "invoice")
    assert (found.action, found.record_number) == ("payment_applied", real.record_number)


def test_a_key_of_another_record_counts_more_than_the_value() -> None:
    forged = changed(encode_command(command()), put("command_id")("no uuid"))
    _, [letter] = readable([Record(COMMANDS, 0, 0, b"globex/x", forged)], read_command, no_log)
    assert (letter.defect.account, letter.defect.record_id, letter.defect.entity) == ("globex", "x", "")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*BAD_TIMES, *BAD_NUMBERS, *BAD_ACCOUNTS, "http://[", "\0", "a/b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, raw: bytes) -> bytes:
    """``raw`` with one or two values of its JSON replaced, then perhaps some of its bytes."""
    value = json.loads(raw)
    for _ in range(draw(st.integers(1, 2))):
        at: Any = value
        while True:
            if isinstance(at, list):
                if not at:
                    break
                steps: list[Any] = list(range(len(at)))
            else:
                steps = sorted(at)
            step = draw(st.sampled_from(steps))
            if isinstance(at[step], dict | list) and at[step] and draw(st.booleans()):
                at = at[step]
                continue
            at[step] = draw(JSON)
            break
    made = json.dumps(value).encode()
    if draw(st.booleans()):
        start = draw(st.integers(0, len(made) - 1))
        made = made[:start] + draw(st.binary(max_size=4)) + made[start + draw(st.integers(0, 4)) :]
    return made


def leaves(value: Any) -> Iterator[Any]:
    """All values in a message that hold no others, whatever the types of its fields say."""
    if isinstance(value, msgspec.Struct):
        value = tuple(getattr(value, name) for name in value.__struct_fields__)
    if not isinstance(value, tuple):
        yield value
        return
    for each in value:
        yield from leaves(each)


def can_be_held(value: Any) -> bool:
    match value:
        case bool() | str() | None:
            return True
        case int():
            return -(2**63) <= value < 2**63
        case Decimal():
            exponent = value.as_tuple().exponent
            return isinstance(exponent, int) and value.adjusted() < 64 and -256 <= exponent < 64
        case datetime():
            return value.tzinfo is not None and 1899 <= value.astimezone(UTC).year <= 3000
        case date():
            return 1900 <= value.year < 3000
    raise AssertionError(f"a {type(value).__name__} in a message")


def read_or_refused(read_one: Callable[[bytes], Any], encode: Callable[[Any], bytes], raw: bytes) -> None:
    try:
        found = read_one(raw)
    except Unreadable as error:
        assert str(error)
        named_in(raw)
        return
    assert all(map(can_be_held, leaves(found)))
    again = read_one(encode(found))
    assert again == found
    assert encode(again) == encode(found)


_OF_CONTACT = encode_command(command("salesbinder.customer.created"))


def paths(value: Any, kinds: tuple[type, ...], path: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """Where the fields of these kinds stand in a message."""
    if isinstance(value, kinds) and not isinstance(value, bool):
        yield path
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from paths(getattr(value, name), kinds, (*path, name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from paths(each, kinds, (*path, index))


TIMES = [*paths(command(), (datetime,)), *paths(command("salesbinder.customer.created"), (datetime,))]
NUMBERS = list(paths(command(), (Decimal,)))


@pytest.mark.parametrize("path", dict.fromkeys(TIMES), ids=lambda path: ".".join(map(str, path)))
def test_no_time_of_a_command_escapes(path: tuple[str | int, ...]) -> None:
    kind = "salesbinder.customer.created" if path[0] == "contact" else "salesbinder.invoice.payment_applied"
    with pytest.raises(Unreadable, match=re.escape(as_named(path)) + " is .*a time without an offset"):
        read_command(changed(encode_command(command(kind)), put(*path)("2026-03-02T09:00:00")))


@pytest.mark.parametrize("path", NUMBERS, ids=lambda path: ".".join(map(str, path)))
def test_no_number_of_a_command_escapes(path: tuple[str | int, ...]) -> None:
    for number in ("NaN", "1" + "0" * 64, "-1e64", "1e-257", "0." + "0" * 256 + "1"):
        with pytest.raises(Unreadable, match=re.escape(as_named(path)) + " is "):
            read_command(changed(encode_command(command()), put(*path)(number)))


def as_named(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@given(st.binary() | mutated(encode_command(command())) | mutated(_OF_CONTACT))
@settings(max_examples=400)
def test_any_bytes_are_a_command_or_refused(raw: bytes) -> None:
    read_or_refused(read_command, encode_command, raw)


@given(st.binary() | mutated(encode_result(entry())))
@settings(max_examples=400)
def test_any_bytes_are_a_result_or_refused(raw: bytes) -> None:
    read_or_refused(read_result, encode_result, raw)


_PAYMENT = json.dumps(example("salesbinder.invoice.payment_applied")).encode()
_CUSTOMER = json.dumps(example("salesbinder.customer.edited")).encode()
_NAMES = ["content-type", "ce_id", "ce_type", "ce_specversion", "CE_time", "ce_source", "\udcff"]
_CONTENTS = [b"application/cloudevents+json", b"1.0", b"\xff"]
_HEADERS = st.lists(
    st.tuples(
        st.text(max_size=8) | st.sampled_from(_NAMES),
        st.none() | st.binary(max_size=20) | st.sampled_from(_CONTENTS),
    ),
    max_size=6,
)


@given(
    value=st.none() | st.binary() | mutated(_PAYMENT) | mutated(_CUSTOMER),
    key=st.none() | st.binary(max_size=20) | st.sampled_from([b"acme/\0", b"acme/x", b"\xff/x"]),
    own_key=st.booleans(),
    headers=_HEADERS,
    topic=st.sampled_from(sorted({kind.topic for kind in EVENT_TYPES.values()})),
)
@settings(max_examples=600)
def test_any_record_is_an_event_or_refused(
    value: bytes | None, key: bytes | None, own_key: bool, headers: list[tuple[str, bytes | None]], topic: str
) -> None:
    if own_key:
        event = example("salesbinder.invoice.payment_applied")
        key, topic, headers = f"acme/{event['subject']}".encode(), "salesbinder.invoices", []
    try:
        event_read = read_event(topic, key, value, headers)
    except InvalidEvent as error:
        assert error.reason_code
        return
    made = to_command(event_read, topic, 0, 0)
    assert read_command(encode_command(made)) == made


def test_the_identity_of_a_command_is_that_of_its_event() -> None:
    source, kind = "/salesbinder/acme", "salesbinder.customer.deleted"
    event = EventRef(id="e", type=kind, source=source, time=NOW, content_hash="x")
    real = Command(
        command_id=command_id(event.source, event.id), account="acme", entity="customer", record_id="c",
        action="deleted", event=event,
    )  # fmt: skip
    assert read_command(encode_command(real)) == real
    other = msgspec.structs.replace(real, command_id=command_id(event.source, "f"))
    with pytest.raises(Unreadable, match="command_id"):
        read_command(encode_command(other))

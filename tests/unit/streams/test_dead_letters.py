"""Dead letters: they fit their topic whatever came, and are told apart by place, topic id and bytes."""

from datetime import UTC, datetime

import pytest

from contracts.reasons import CATALOGUE
from contracts.results import EntryResult, decode_result
from streams.dead_letters import (
    DeadLetterReason,
    Letter,
    dead_letter,
    entry_id_of,
    failed_entry,
    place_id_of,
    to_dead_letters,
    unreadable,
)
from streams.records import Headers, Outgoing, Record
from streams.topics import DEAD_LETTERS, MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES, RESULTS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOPIC = "salesbinder.customers"
MB = 1024 * 1024


def letter(
    key: bytes | None = b"acme/c1",
    value: bytes | None = b"x",
    headers: Headers = (),
    problem: str = "no JSON",
    topic: str = TOPIC,
) -> Letter:
    record = Record(topic, 3, 7, key, value, headers)
    return Letter(record, DeadLetterReason.of_record(record, "our_error", problem))


def entry_of(message: Outgoing) -> EntryResult:
    result = decode_result(message.value or b"")
    assert isinstance(result, EntryResult)
    return result


def on_the_wire(message: Outgoing) -> int:
    headers = sum(len(name.encode()) + len(content) + 10 for name, content in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers + 100


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (b"acme/" + b"k" * 6 * MB, b"no json", ()),
        (b"acme/" + b"k" * 6 * MB, b"v" * 4 * MB, (("h", b"x" * MB),)),
        (b"k" * MB, b"v" * (4 * MB - 1), ()),
        (b"k" * 900_000, b"v" * (4 * MB), (("h", b"x" * 200_000),)),
        (b"k", b"v" * (4 * MB), (("h", b"x" * (MB - 10_000)),)),
        (None, None, (("h", b"x" * 6 * MB),)),
        (None, b"v" * 64 * MB, ()),
        (b"k", b"v", tuple((f"h{n}", b"") for n in range(400_000))),
        (b"k", b"v" * (4 * MB), tuple(("é" * 30_000, b"x" * 1000) for _ in range(12))),
    ],
)
def test_a_dead_letter_fits_its_topic_whatever_came(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    dead = dead_letter(letter(key, value, headers, problem="p" * 10_000), topic_id="t" * 36)
    assert on_the_wire(dead) < MAX_DEAD_LETTER_BYTES
    entry = failed_entry(letter(key, value, headers, problem="p" * 10_000), NOW)
    assert on_the_wire(entry) < 100_000
    told = dict(dead.headers)
    for name, before, after in (
        ("source_key_bytes", key, dead.key),
        ("source_bytes", value, dead.value),
    ):
        cut = len(before or b"") > len(after or b"")
        assert (name in told) is cut
        if cut:
            assert told[name] == str(len(before or b"")).encode()
            assert (before or b"").startswith(after or b"")
    lost = not {name for name, _ in headers} <= set(told)
    assert ("source_header_bytes" in told) is lost


def test_what_fits_is_kept_byte_for_byte() -> None:
    headers = (("trace", b"\x00\xff"), ("big", b"x" * 200_000), ("reason", b"an old one"))
    dead = dead_letter(letter(b"\xff\x00" * 50_000, b"\x80" * 3 * MB, headers))
    assert (dead.key, dead.value) == (b"\xff\x00" * 50_000, b"\x80" * 3 * MB)
    assert dead.headers[:2] == headers[:2]
    assert not {"source_bytes", "source_key_bytes", "source_header_bytes"} & {n for n, _ in dead.headers}
    assert [content for name, content in dead.headers if name == "reason"] != [b"an old one"]


def test_a_value_over_what_its_topic_takes_is_cut_and_says_so() -> None:
    dead = dead_letter(letter(value=b"v" * 20 * MB))
    assert dead.value == b"v" * MAX_MESSAGE_BYTES
    assert dict(dead.headers)["source_bytes"] == str(20 * MB).encode()


@pytest.mark.parametrize("name", ["\udcff\udcfe", "\ud800", "a\0b", ""])
def test_names_of_headers_can_be_sent_again(name: str) -> None:
    dead = dead_letter(letter(headers=((name, b"\xff"),)))
    assert all(n.encode() or not name for n, _ in dead.headers)
    failed_entry(letter(headers=((name, b"\xff"),)), NOW)


@pytest.mark.parametrize(
    ("key", "account", "record_id"),
    [
        (b"acme/c1", "acme", "c1"),
        (b"acme/a/b", "acme", "a/b"),
        (b"Acme/c1", "", ""),
        (b"<b>/c1", "", ""),
        (b"acme\0/c1", "", ""),
        (b"acme/", "", ""),
        (b"acme", "", ""),
        (b"", "", ""),
        (None, "", ""),
        (b"acme/a\0b", "acme", "ab"),
        (b"acme/\xed\xa0\x80", "acme", "\ufffd\ufffd\ufffd"),
        (b"acme/" + b"k" * 6 * MB, "acme", "k" * 200),
        (b"k" * 64 + b"/c1", "", ""),
    ],
)
def test_the_account_of_a_dead_letter_is_one_that_may_be(
    key: bytes | None, account: str, record_id: str
) -> None:
    entry = entry_of(failed_entry(letter(key, problem="a\0b\ud800c"), NOW))
    assert (entry.account, entry.record_id) == (account, record_id)
    assert "\0" not in entry.reason


def test_an_identity_holds_place_topic_and_bytes() -> None:
    record = Record(TOPIC, 0, 0, b"acme/c1", b"x", (("a", b"1"),))
    others = [
        Record("salesbinder.suppliers", 0, 0, b"acme/c1", b"x", (("a", b"1"),)),
        Record(TOPIC, 1, 0, b"acme/c1", b"x", (("a", b"1"),)),
        Record(TOPIC, 0, 1, b"acme/c1", b"x", (("a", b"1"),)),
        Record(TOPIC, 0, 0, b"acme/c", b"1x", (("a", b"1"),)),
        Record(TOPIC, 0, 0, None, b"acme/c1x", (("a", b"1"),)),
        Record(TOPIC, 0, 0, b"", b"acme/c1x", (("a", b"1"),)),
        Record(TOPIC, 0, 0, b"acme/c1", None, (("a", b"1"),)),
        Record(TOPIC, 0, 0, b"acme/c1", b"", (("a", b"1"),)),
        Record(TOPIC, 0, 0, b"acme/c1", b"x"),
        Record(TOPIC, 0, 0, b"acme/c1", b"x", (("a1", b""),)),
    ]
    ids = [entry_id_of(one, "id-1") for one in (record, *others)]
    ids += [entry_id_of(record), entry_id_of(record, "id-2"), entry_id_of(record, "id-1", 5)]
    ids += [place_id_of(TOPIC, 0, 0)]
    assert len(set(ids)) == len(ids)
    again = Record(TOPIC, 0, 0, b"acme/c1", b"x", (("a", b"1"),), at=5.0)
    assert entry_id_of(again, "id-1") == ids[0]


def test_identity_by_place_is_as_it_was() -> None:
    """Entries that are in a log already keep being found."""
    assert place_id_of(TOPIC, 3, 7) == "7beb3acb-6718-5a78-b2d3-f7d5a0d2c6a0"


@pytest.mark.parametrize(("first", "last"), [(5, 5), (5, 904)])
def test_a_range_that_the_client_cannot_read(first: int, last: int) -> None:
    sent = to_dead_letters(
        [unreadable(TOPIC, 2, first, last, "CorruptRecordError: CRC\0 \ud800")], {TOPIC: "id-1"}, NOW
    )
    dead, failed = sent
    told = dict(dead.headers)
    assert (dead.topic, dead.key, dead.value, failed.topic) == (DEAD_LETTERS, None, None, RESULTS)
    assert told["reason_code"] == b"record_unreadable"
    assert (told["source_topic"], told["source_partition"]) == (TOPIC.encode(), b"2")
    assert told["source_offset"] == str(first).encode()
    assert told.get("source_last_offset") == (None if first == last else str(last).encode())
    assert told["source_topic_id"] == b"id-1"
    entry = entry_of(failed)
    assert (entry.state, entry.reason_code, entry.account) == ("failed", "record_unreadable", "")
    assert (entry.topic, entry.partition, entry.offset) == (TOPIC, 2, first)
    assert "CorruptRecordError" in entry.reason
    assert str(last) in entry.reason
    assert TOPIC in entry.remedy
    assert "record_unreadable" in CATALOGUE


def test_a_letter_without_an_entry_tells_the_log_nothing() -> None:
    quiet = letter()
    sent = to_dead_letters([Letter(quiet.record, quiet.defect, entry=False)], {}, NOW)
    assert [one.topic for one in sent] == [DEAD_LETTERS]

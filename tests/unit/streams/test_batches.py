"""Record batches: what clients write, what brokers store, and what neither should."""

import os
import random
import resource
import struct
import zlib

import pytest

from streams.batches import EXCERPT, MAX_DECOMPRESSED, MAX_HEADERS, PASSED, Fetched, Records, Unreadable
from tests.record_batches import CODECS, batch, marker, old_message, record, varint


def read(data: bytes, position: int = 0, **more: object) -> list[Fetched]:
    return list(Records(data, position, **more))  # type: ignore[arg-type]


def values(data: bytes, position: int = 0, **more: object) -> list[tuple[int, bytes | None]]:
    return [(one.offset, one.value) for one in read(data, position, **more)]


def some(count: int = 3, **more: object) -> bytes:
    records = b"".join(record(n, b"k", b"v%d" % n) for n in range(count))
    return batch(records, count, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_every_codec(codec: str, size: int) -> None:
    value = os.urandom(size // 2) + b"a" * (size - size // 2)
    headers = [(b"content-type", b"json"), (b"h", None)]
    data = batch(record(0, b"key", value, headers, time=5), 1, codec=codec, base=41)

    assert read(data, 41) == [
        Fetched(41, 1_772_000_000_005, b"key", value, (("content-type", b"json"), ("h", b"")))
    ]


def test_records_before_the_position_are_passed_over() -> None:
    records = Records(some(3, base=10) + some(2, base=13), 12)

    assert [one.offset for one in records] == [12, 13, 14]
    assert records.position == 15


def test_batch_that_the_fetch_cut_is_left_for_the_next() -> None:
    data = some(2) + some(2, base=2)
    assert [offset for offset, _ in values(data[:-1])] == [0, 1]


def test_append_time_is_the_record_s_time() -> None:
    data = batch(record(0, None, b"v", time=7), 1, attributes=0x08, end_time=99)
    assert read(data)[0].at == 99


def test_header_names_of_any_bytes() -> None:
    [found] = read(batch(record(0, None, b"v", [(b"\xff\xfe", b"\x00")]), 1))
    assert found.headers == (("\\xff\\xfe", b"\x00"),)
    found.headers[0][0].encode()


def test_neither_key_nor_value() -> None:
    assert values(batch(record(0, None, None), 1)) == [(0, None)]


def txn(base: int, producer: int, count: int = 1) -> bytes:
    return some(count, base=base, attributes=0x10, producer=producer, epoch=0, sequence=0)


def test_aborted_transactions_of_several_producers() -> None:
    data = (
        txn(0, 1) + txn(1, 2) + some(1, base=2) + txn(3, 1) + marker(1, base=4) + txn(5, 2)
        + txn(6, 1) + marker(2, base=7, commit=True) + marker(1, base=8, commit=True)
    )  # fmt: skip
    records = Records(data, 0, [(1, 0)])

    assert [one.offset for one in records if one.value is not PASSED] == [1, 2, 5, 6]
    assert records.position == 9


def test_fetch_that_begins_inside_of_an_aborted_transaction() -> None:
    data = txn(3, 1) + txn(4, 1) + marker(1, base=5) + txn(6, 1) + marker(1, base=7, commit=True)
    assert [offset for offset, value in values(data, 4, aborted=[(1, 0)]) if value != PASSED] == [6]


def test_two_aborted_in_a_row_of_one_producer() -> None:
    data = txn(0, 1) + marker(1, base=1) + txn(2, 1) + marker(1, base=3) + txn(4, 1)
    assert values(data, aborted=[(1, 2), (1, 0)]) == [(4, b"v0")]


def test_end_without_records_is_told_by_position() -> None:
    data = txn(0, 1) + marker(1, base=1, commit=True)
    assert values(data) == [(0, b"v0"), (1, PASSED)]
    assert values(marker(1, base=1, commit=True), 1) == [(1, PASSED)]
    # Compaction took the last records of the batch, and all of the next one.
    assert values(some(2, last=5) + batch(b"", 0, base=6, last=3)) == [(0, b"v0"), (1, b"v1"), (9, PASSED)]


LIES = {
    "checksum": some(3, crc=7),
    "codec": some(3, attributes=6),
    "codec that it is not": some(3, attributes=4),
    "format": some(3, magic=3),
    "more records than there are": batch(b"", 3),
    "negative length": some(3, length=-5),
    "no length": some(3, length=0),
    "length beyond the end": some(3, length=5000),
    "shorter than a header": some(3, length=20),
    "last before first": some(3, last=-9),
}


@pytest.mark.parametrize("lie", LIES)
def test_broken_batch_is_one_item_and_the_next_is_read(lie: str) -> None:
    data = LIES[lie]
    records = Records(data + some(1, base=3), 0, end=4)
    broken = next(records)

    assert isinstance(broken.value, Unreadable)
    assert broken.value.problem
    assert broken.value.first == 0
    assert 0 <= broken.offset <= 3
    assert (data + some(1, base=3)).startswith(broken.value)
    # Whoever goes on from the position meets it never again.
    assert records.position == broken.offset + 1


def test_batch_that_came_after_the_broker_looked_up_the_end_is_left_for_the_next_answer() -> None:
    data = some(2) + some(2, base=2) + some(1, base=4)
    records = Records(data, 0, end=2)
    assert [one.value for one in records] == [b"v0", b"v1"]
    assert records.position == 2
    assert values(data, 2, end=4) == [(2, b"v0"), (3, b"v1")]
    assert values(data, 2, end=2) == [(2, b"v0"), (3, b"v1"), (4, b"v0")]


@pytest.mark.parametrize("delta", [-1, 0, 3, 2**31, -(2**31)])
def test_record_with_an_offset_that_is_not_the_batch_s(delta: int) -> None:
    data = batch(record(0, b"k", b"good") + record(delta, b"k", b"x") + record(2, b"k", b"y"), 3)
    good, broken = read(data)

    assert good.value == b"good"
    assert isinstance(broken.value, Unreadable)
    assert (broken.value.first, broken.offset) == (1, 2)


@pytest.mark.parametrize(
    "bad",
    [
        record(1, b"k", b"v", length=3),
        record(1, b"k", b"v", length=-1),
        record(1, b"k", b"v", length=2**40),
        record(1, b"k", b"v", headers_said=3),
        record(1, b"k", b"v", headers_said=-3),
        record(1, b"k", b"v", [(None, b"x")]),
        varint(9) + b"\0\0\2" + varint(-7) + b"1234",
        b"\xff" * 12,
        b"",
    ],
)
def test_record_that_lies(bad: bytes) -> None:
    good, broken = read(batch(record(0, b"k", b"good") + bad, 2))

    assert good.value == b"good"
    assert isinstance(broken.value, Unreadable)
    assert (broken.value.first, broken.offset) == (1, 1)


def test_bytes_behind_the_records_are_told() -> None:
    *good, broken = read(batch(record(0, b"k", b"v") + record(1, b"k", b"v"), 1))
    assert [one.offset for one in good] == [0]
    assert isinstance(broken.value, Unreadable)


def test_checksum_s_range_is_taken_from_the_next_batch_not_from_the_broken_one() -> None:
    data = bytearray(some(3, base=10))
    struct.pack_into(">i", data, 23, 2_000_000_000)
    broken, good = [*read(bytes(data) + some(1, base=13), 10), *read(some(1, base=13), 13)]
    assert (broken.value.first, broken.offset, good.offset) == (10, 12, 13)  # type: ignore[union-attr]
    [alone] = read(bytes(data), 10, end=13)
    assert alone.offset == 10


def test_unreadable_marker_is_no_end_of_a_transaction() -> None:
    """Behind what cannot be read the broker is asked again, who knows what was aborted."""
    data = txn(0, 1) + marker(1, base=1)[:-1] + b"\xff" + txn(2, 1)
    records = Records(data, 0, [(1, 0)])
    [broken] = list(records)
    assert isinstance(broken.value, Unreadable)
    assert records.position == 2


@pytest.mark.parametrize("codec", [1, 3, 4])
def test_bomb_is_set_aside_and_takes_no_memory(codec: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    name = {1: "gzip", 3: "lz4", 4: "zstd"}[codec]
    if codec == 1:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1000)) + packer.flush()
    else:
        packed = CODECS[name][1](bytes(4 << 20)) * 250
    data = batch(packed, 1, attributes=codec)
    [broken] = read(data)

    assert isinstance(broken.value, Unreadable)
    assert f"{MAX_DECOMPRESSED:,}" in broken.value.problem
    assert len(broken.value) == EXCERPT
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < 120


def test_snappy_that_says_it_is_large_takes_no_memory() -> None:
    [broken] = read(batch(b"\xff\xff\xff\xff\x0f" + b"x" * 100, 1, attributes=2))
    assert isinstance(broken.value, Unreadable)


def test_record_too_large_or_with_too_many_headers_is_set_aside_alone() -> None:
    large = record(1, b"acme/large", b"v" * 9_000_000)
    many = record(2, b"acme/many", b"v", [(b"h", b"")] * (MAX_HEADERS + 1))
    data = batch(record(0, b"k", b"a") + large + many + record(3, b"k", b"b"), 4, codec="gzip")
    found = read(data)

    assert [one.offset for one in found] == [0, 1, 2, 3]
    assert [isinstance(one.value, Unreadable) for one in found] == [False, True, True, False]
    assert [one.key for one in found] == [b"k", b"acme/large", b"acme/many", b"k"]


def test_messages_of_old_brokers() -> None:
    for magic in (0, 1):
        assert values(old_message(b"k", b"v", magic=magic, offset=4), 4) == [(4, b"v")]
    inner = old_message(b"k", b"a", offset=0) + old_message(b"k", None, offset=1)
    packed = old_message(None, zlib.compress(inner), offset=8, attributes=1)
    assert values(packed, 7) == [(7, b"a"), (8, None)]
    assert isinstance(read(old_message(b"k", b"v", crc=1))[0].value, Unreadable)
    assert isinstance(read(old_message(None, b"no gzip", attributes=1))[0].value, Unreadable)


def test_no_bytes_whatever_raise_or_stand_still() -> None:
    chance = random.Random(7)
    good = [some(3, codec=codec) for codec in CODECS] + [old_message(b"k", b"v"), marker(1)]
    for _ in range(3000):
        data = bytearray(chance.choice(good) + chance.choice(good))
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(13, len(data) + 1)])
        records = Records(cut, 5, end=1000)
        for one in records:
            assert one.offset >= 5
        assert 5 <= records.position <= 1000

"""Bodies as the ledger stores them."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bench.sales import sale
from contracts.commands import encode_command
from contracts.events.reader import read_event
from mappers import to_command
from sinks.ledger import packing
from sinks.ledger.packing import UnknownDictionary, element_body, pack, unpack

COMMANDS = [
    encode_command(to_command(read_event(m.topic, m.key, m.value, m.headers), m.topic, 3, offset))
    for offset, m in enumerate(sale("acme", 7), 40)
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=8),
)


@given(_JSON, st.sampled_from([None, 1, "\t"]))
def test_any_json_comes_back_byte_for_byte(value: object, indent: int | str | None) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert unpack(pack(body)) == body


@given(st.binary().filter(lambda raw: not raw or raw[0] >= 9))
def test_what_was_never_packed_is_read_as_it_is(body: bytes) -> None:
    assert unpack(body) == body


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_take_less_than_half(command: bytes) -> None:
    packed = pack(command)

    assert len(packed) < len(command) / 2
    assert unpack(packed) == command


def test_what_would_not_become_smaller_stays() -> None:
    assert pack(b"{}") == b"{}"
    assert pack(b"") == b"" == unpack(b"")


def test_large_bodies_stay() -> None:
    body = b'"' + b"a" * 70_000 + b'"'

    assert pack(body) == body


def test_body_of_a_newer_version_is_refused() -> None:
    with pytest.raises(UnknownDictionary, match="dictionary 8"):
        unpack(b"\x08" + pack(COMMANDS[0])[1:])


def test_damaged_body_is_refused() -> None:
    with pytest.raises(zstandard.ZstdError):
        unpack(pack(COMMANDS[0])[:-9])


def test_element_has_its_body_in_one_of_two_columns() -> None:
    assert element_body({"body": {"Amount": "1.00"}, "packed": None}) == {"Amount": "1.00"}
    assert element_body({"body": None, "packed": pack(b'{"Amount":"1.00"}')}) == {"Amount": "1.00"}
    assert element_body({"body": None, "packed": None}) is None


def test_many_threads_pack_at_once() -> None:
    def there_and_back(body: bytes) -> bool:
        return all(unpack(pack(body)) == body for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, COMMANDS * 4))


def test_the_dictionary_has_not_changed() -> None:
    """What was packed with it could not be read any more: another one is another file."""
    dictionary = Path(packing.__file__).with_name("packing_1.jsonl").read_bytes()

    assert (
        hashlib.sha256(dictionary).hexdigest()
        == "b2be3c48a8f508d255a868666d85c252d535becf78d959a28a30dcb9d09e55dc"
    )

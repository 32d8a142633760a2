"""What a hint of any form names."""

import pytest

from sources.hints import MAX_BODY, ids_in

ONE, TWO = "14691a1c-589c-4e50-b8f8-948f9991d1f1", "a3f1f7c0-11f0-4f7c-8f34-0f4a3f5e7a11"


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b"", ()),
        (b'{"data":{"id":"%s"}}' % ONE.encode(), (ONE,)),
        (f"id={TWO}&x={ONE.upper()}&y={TWO}".encode(), (TWO, ONE)),
        (b"\xff\xfe not text " + ONE.encode(), (ONE,)),
        (b" " * MAX_BODY + ONE.encode(), ()),
        (b"14691a1c589c4e50b8f8948f9991d1f1 1042", ()),
    ],
)
def test_ids_are_found_in_a_body_of_any_form(body: bytes, ids: tuple[str, ...]) -> None:
    assert ids_in(body) == ids


def test_a_body_full_of_ids_names_a_few() -> None:
    body = b",".join(f"14691a1c-589c-4e50-b8f8-{number:012x}".encode() for number in range(500))
    assert len(ids_in(body)) == 20

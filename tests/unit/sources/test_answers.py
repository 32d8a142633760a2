"""Envelopes of lists and details in each form that was ever seen, and what is none."""

import pytest

from sources.problems import Unreadable
from sources.salesbinder.answers import read_detail, read_json, read_list

DOCUMENTS = ("documents", "document")


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"count":"2","page":"1","pages":"1","documents":[[{"id":"a"},{"id":"b"}]]}', ["a", "b"]),
        (b'{"count":2,"page":1,"pages":1,"documents":[{"id":"a"},{"id":"b"}]}', ["a", "b"]),
        (b'{"documents":[[{"id":"a"}],[{"id":"b"}]]}', ["a", "b"]),
        (b'{"documents":[{"0":{"id":"a"},"2":{"id":"b"}}]}', ["a", "b"]),
        (b'{"documents":{"0":{"id":"a"},"2":{"id":"b"}}}', ["a", "b"]),
        (b'{"document":[{"id":"a"}]}', ["a"]),
        (b'{"document":{"id":"a"}}', ["a"]),
        (b'\xef\xbb\xbf{"documents":[{"id":"a"}]}', ["a"]),
        (b'{"count":"0","pages":0,"documents":[[]]}', []),
        (b'{"count":"0","pages":1,"documents":[]}', []),
        (b'{"documents":null}', []),
        (b'{"documents":""}', []),
        (b'{"count":"0","page":"1","pages":"0"}', []),
    ],
)
def test_rows_are_found_in_every_form(body: bytes, rows: list[str]) -> None:
    assert [row["id"] for row in read_list(body, DOCUMENTS).rows] == rows


def test_numbers_of_a_list_may_be_texts_or_missing() -> None:
    page = read_list(b'{"count":"90","page":"5","pages":5,"documents":[]}', DOCUMENTS)
    assert (page.count, page.page, page.pages) == (90, 5, 5)
    page = read_list(b'{"count":"many","page":true,"documents":[]}', DOCUMENTS)
    assert (page.count, page.page, page.pages) == (None, None, None)


def test_a_row_that_is_not_an_object_is_left_for_its_own_problem() -> None:
    assert read_list(b'{"documents":[{"id":"a"},7,"x",null]}', DOCUMENTS).rows == ({"id": "a"}, 7, "x", None)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<!DOCTYPE html><html><body>error 1015</body></html>", "HTML"),
        (b'{"documents":[{"id":"a"},{"i', "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not an object"),
        (b'{"message":"denied"}', "no documents"),
        (b'{"documents":"\xff"}', "not JSON"),
    ],
)
def test_what_is_not_a_list_is_one_problem(body: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as raised:
        read_list(body, DOCUMENTS)
    assert raised.value.code == "answer_unreadable"


def test_numbers_keep_all_their_digits() -> None:
    assert read_json(b'{"a": 0.10000000000000000001}') == {"a": "0.10000000000000000001"}


def test_one_odd_text_or_number_hides_no_other_record() -> None:
    assert read_json(b'{"documents":[{"name":"\\ud800"},{"total":NaN}]}') == {
        "documents": [{"name": "\ud800"}, {"total": "NaN"}]
    }


@pytest.mark.parametrize(
    "body", [b'{"document":[]}', b'{"document":{}}', b'{"document":null}', b"{}", b'{"customer":{"id":"a"}}']
)
def test_a_detail_without_its_record_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="no document"):
        read_detail(body, "document")


def test_a_detail_stands_under_its_name() -> None:
    assert read_detail(b'{"document":{"id":"a"}}', "document") == {"id": "a"}

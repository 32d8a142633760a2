"""Rows that are sent as they were sent before: they are not parsed, and all others are read as ever."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from sources import keeper
from sources.batch import Kept, KeptInBrief, Key
from sources.context import Context
from sources.reading import entity_of, may_have_changed, note_wires, read_page
from sources.salesbinder.answers import Page, SentRow, read_json, read_list, read_sent
from sources.salesbinder.verdicts import Answer
from sources.schedule.layers import Listing
from sources.schedule.questions import Question
from sources.schedule.scans import Scan
from tests.unit.sources.memory_store import StoreReader
from tests.unit.sources.records import CUSTOMER, INVOICE, NOON, customer, document, look, with_paid

NAMES = ("documents", "document")
NEW = Context(look(), NOON)
KEY: Key = ("invoice", INVOICE)
PAID: dict[str, Any] = {"status": {"id": 12, "name": "paid in full"}}


def row(**changes: Any) -> dict[str, Any]:
    record = with_paid(**changes)
    del record["transactions"]
    return record


def sent(record: dict[str, Any], **form: Any) -> SentRow:
    page = read_sent(json.dumps({"documents": [[record]]}, **form).encode(), NAMES)
    assert page is not None
    (found,) = page.rows
    assert isinstance(found, SentRow)
    return found


def in_brief(kept: Kept) -> dict[str, KeptInBrief]:
    return {INVOICE: msgspec.json.decode(msgspec.json.encode(kept), type=KeptInBrief)}


def kept_of(shown: SentRow, before: Kept | None = None, context: Context = NEW) -> Kept:
    """What is kept of the invoice after a page with this row."""
    rows = (read_json(bytes(shown.body)),)
    known = {} if before is None else {KEY: before}
    batch = read_page(
        Scan(layer="all", listing="invoices", started=NOON), Page(1, 1, 1, rows), known, context
    )
    note_wires([shown], rows, entity_of("invoices"), known, batch)
    return batch.kept[KEY] if before is None else batch.kept.get(KEY, before)


@pytest.mark.parametrize(
    "body",
    [
        b'{"count":"2","page":"1","pages":"1","documents":[[{"id":"a","created":"c"},{"id":"b"}]]}',
        b'{"count":2,"page":1,"pages":1,"documents":[{"id":"a","created":"c"},{"id":"b","total":0.10}]}',
        b'{"documents":[[{"id":"a","created":7}],[{"created":"d","id":"b"}]]}',
        b'{"count":"0","pages":1,"documents":[]}',
        b'{"count":"0","pages":0,"documents":[[]]}',
    ],
)
def test_a_page_of_a_usual_form_shows_as_sent_what_it_shows_when_it_is_parsed(body: bytes) -> None:
    page, whole = read_sent(body, NAMES), read_list(body, NAMES)
    assert page is not None
    assert (page.count, page.page, page.pages) == (whole.count, whole.page, whole.pages)
    assert [read_json(bytes(each.body)) for each in page.rows] == [*whole.rows]
    assert [(each.id, each.created) for each in page.rows] == [
        (each["id"], each.get("created")) for each in whole.rows
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"documents":[{"0":{"id":"a"},"2":{"id":"b"}}]}',
        b'{"documents":{"0":{"id":"a"},"2":{"id":"b"}}}',
        b'{"document":[{"id":"a"}]}',
        b'\xef\xbb\xbf{"documents":[{"id":"a"}]}',
        b'{"documents":[{"id":"a"},7]}',
        b'{"documents":[{"id":"a"},{"id":"a"}]}',
        b'{"documents":[{"id":"a"},{}]}',
        b'{"documents":[{"id":"a"},{"id":" "}]}',
        b'{"documents":[{"id":"a"},{"id":5001}]}',
        b'{"documents":[{"id":"a"},{"id":"b","total":NaN}]}',
        b'{"documents":[{"id":"a"},{"i',
        b'{"documents":null}',
        b'{"count":"0"}',
        b"<html>",
        b"",
    ],
)
def test_a_page_of_any_other_form_is_parsed_whole(body: bytes) -> None:
    assert read_sent(body, NAMES) is None
    assert read_sent(b'{"deletedlog":[[{"id":"a"}]]}', ("deletedlog",)) is None


def test_a_row_that_was_sent_so_before_is_not_read_again() -> None:
    first = kept_of(sent(row()))
    assert not may_have_changed(sent(row()), in_brief(first), NEW)
    assert may_have_changed(sent(row(total_transactions=50)), in_brief(first), NEW)
    assert may_have_changed(sent(row(id="another")), in_brief(first), NEW)


@pytest.mark.parametrize(
    "changes", [{"fingerprint": ""}, {"fingerprint": "0" * 64}, {"wire": ""}, {"fingerprint": "", "wire": ""}]
)
def test_how_a_row_was_sent_says_nothing_of_a_record_that_was_read_otherwise_since(
    changes: dict[str, str],
) -> None:
    first = kept_of(sent(row()))
    assert may_have_changed(sent(row()), in_brief(msgspec.structs.replace(first, **changes)), NEW)


def test_a_record_that_an_older_version_kept_is_as_before_and_only_how_it_was_sent_is_noted() -> None:
    first = kept_of(sent(row()))
    older = msgspec.structs.replace(first, wire="")
    assert kept_of(sent(row()), older) == first


def test_a_row_that_is_only_written_in_another_way_is_as_before() -> None:
    first = kept_of(sent(row(name="Café")))
    other = sent(row(name="Café"), ensure_ascii=False, indent=1)
    assert may_have_changed(other, in_brief(first), NEW)
    now = kept_of(other, first)
    assert now == msgspec.structs.replace(first, wire=now.wire)
    assert not may_have_changed(other, in_brief(now), NEW)


def test_a_row_that_differs_from_the_detail_is_read_each_time() -> None:
    first = kept_of(sent(row()))
    changed = sent(row(total_transactions=50))
    assert kept_of(changed, first) == first
    assert may_have_changed(changed, in_brief(first), NEW)


@pytest.mark.parametrize("status", [{}, PAID])
@pytest.mark.parametrize("then", [None, timedelta(0), timedelta(seconds=1)])
@pytest.mark.parametrize("now", [None, timedelta(0), timedelta(seconds=1)])
def test_a_cut_off_that_moves_has_the_row_read_wherever_that_changes_something(
    status: dict[str, Any], then: timedelta | None, now: timedelta | None
) -> None:
    made = datetime.fromisoformat(document()["created"])
    before, after = (replace(NEW, cut_off=None if each is None else made + each) for each in (then, now))
    shown = sent(row(**status))
    first = kept_of(shown, context=before)
    assert may_have_changed(shown, in_brief(first), after) == (kept_of(shown, first, after) != first)


class Shop:
    """Answers with one page of each list that has rows."""

    def __init__(self) -> None:
        self.rows: dict[Listing, list[Any]] = {
            "customers": [customer()],
            "invoices": [row(id=f"{INVOICE[:-2]}{each}") for each in range(10, 30)],
        }
        self.parsed: list[str] = []
        self.reader = StoreReader(self.answer, NOON, "correction")

    def answer(self, question: Question) -> Answer:
        listing: Listing = "customers" if question.path == "customers.json" else "invoices"
        name = question.path.removesuffix(".json")
        is_known = question.parameters.get("contextId") in ("2", "5") and question.parameters["page"] == "1"
        rows = self.rows[listing] if is_known else []
        body = {"count": len(rows), "page": 1, "pages": 1, name.replace("_", ""): [rows]}
        return Answer(200, json.dumps(body).encode(), self.reader.now, None)

    def read(self) -> list[str]:
        """Read all lists; return the ids of the rows that were parsed."""
        self.parsed.clear()

        def read(body: bytes) -> Any:
            found = read_json(body)
            self.parsed.append(found["id"])
            return found

        with patch.object(keeper, "read_json", read):
            self.reader.read_all()
        return self.parsed


def test_of_a_sweep_only_rows_that_changed_are_parsed() -> None:
    shop = Shop()
    shop.read()
    kept = dict(shop.reader.store.records)
    assert len(kept) == 21
    assert shop.read() == []
    assert shop.reader.store.records == kept
    shop.rows["customers"] = [customer(name="Renamed")]
    assert shop.read() == [CUSTOMER]
    assert [each.type for each in shop.reader.told] == ["salesbinder.customer.edited"]


def test_after_an_upgrade_each_row_is_parsed_once_more_and_nothing_follows() -> None:
    shop = Shop()
    shop.read()
    store = shop.reader.store
    kept = dict(store.records)
    for key, body in kept.items():
        store.records[key] = msgspec.json.encode({**json.loads(body), "wire": ""})
    assert len(shop.read()) == 21
    assert (shop.reader.told, store.wishes, store.records) == ([], {}, kept)
    assert shop.read() == []


def test_a_text_that_is_not_utf_8_hides_the_page_as_ever() -> None:
    shop = Shop()
    shop.read()
    answer = shop.answer

    def broken(question: Question) -> Answer:
        good = answer(question)
        return replace(good, body=good.body.replace(b"Acme", b"Acm\xff"))

    shop.reader.asking = broken
    shop.rows["customers"] = [customer(name="Acme")]
    shop.read()
    assert "answer_unreadable" in {each.code for each in shop.reader.problems}

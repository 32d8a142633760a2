"""Facts about lists (reference §2)."""

from typing import Any

import pytest

from sandbox.fake_salesbinder import acts

from .caller import NOW
from .conftest import Stage

SECOND = int(NOW.timestamp())


def numbers(stage: Stage, **query: Any) -> list[int]:
    return [row["document_number"] for row in stage.rows("documents.json", contextId=5, **query)]


def many(count: int, **given: str) -> Stage:
    stage = Stage(**given)
    for _ in range(count):
        stage.invoice()
    return stage


def test_the_envelope_has_numbers_as_strings_and_rows_in_an_array_in_an_array(stage: Stage) -> None:
    """§2 Envelope."""
    stage.invoice()
    body = stage.get("documents.json", contextId=5).json
    assert list(body) == ["count", "page", "pages", "documents"]
    assert (body["count"], body["page"], body["pages"]) == ("1", "1", "1")
    assert [type(body["documents"]), type(body["documents"][0]), type(body["documents"][0][0])] == [
        list,
        list,
        dict,
    ]


@pytest.mark.parametrize(
    ("shape", "shown"), [("nested", [[1, 2]]), ("flat", [1, 2]), ("each_nested", [[1], [2]])]
)
def test_the_shape_of_rows_is_a_switch(shape: str, shown: list[Any]) -> None:
    """§2 Envelope: readers cope with `[[…]]`, `[…]` and `[[row],[row]]`."""
    stage = Stage(rows_shape=shape, account_order="oldest")
    acts.create_party(stage.shop, "customer", name="Second")
    found = stage.get("customers.json", contextId=2).json["customers"]
    names = {"Widgets & Co": 1, "Second": 2}

    def simple(held: Any) -> Any:
        return [simple(part) for part in held] if isinstance(held, list) else names[held["name"]]

    assert simple(found) == shown


@pytest.mark.parametrize(("setting", "key"), [("plural", "documents"), ("singular", "document")])
def test_compact_gives_a_flat_array(setting: str, key: str) -> None:
    """§2 Envelope: "`compact=true` gives a flat array, and one JS site found it under the singular key"."""
    stage = many(1, compact_key=setting)
    assert isinstance(stage.get("documents.json", contextId=5, compact="true").json[key][0], dict)


@pytest.mark.parametrize("rows", ["empty", "nested_empty"])
@pytest.mark.parametrize("pages", ["0", "1"])
def test_nothing_found(rows: str, pages: str) -> None:
    """§2: "Nothing found: `count` "0", `pages` 0 or 1, rows `[]` or `[[]]`"; page 1 of it is not 404."""
    reply = Stage(empty_rows=rows, empty_pages=pages).get("documents.json", contextId=5, page=1)
    shown: list[Any] = [] if rows == "empty" else [[]]
    assert (reply.status, reply.json) == (
        200,
        {"count": "0", "page": "1", "pages": pages, "documents": shown},
    )


def test_twenty_rows_unless_page_limit_says_otherwise() -> None:
    """§2: "`limit` is not a parameter of v2 … default 20 for all lists, unknown ignored"; §12.1."""
    stage = many(25)
    assert len(numbers(stage)) == len(numbers(stage, limit=100)) == 20
    assert len(numbers(stage, pageLimit=25)) == 25
    assert stage.get("documents.json", contextId=5, limit=100).json["pages"] == "2"


@pytest.mark.parametrize(
    ("setting", "status", "shown"), [("cap", 200, 200), ("error", 400, 0), ("default", 200, 20)]
)
def test_a_page_limit_above_200_is_a_switch(setting: str, status: int, shown: int) -> None:
    """§2: "Above the limit: [U] (cap or error)"; §14 (7)."""
    stage = many(205, above_page_limit=setting)
    reply = stage.get("documents.json", contextId=5, pageLimit=500)
    assert reply.status == status
    if shown:
        assert len(reply.json["documents"][0]) == shown


@pytest.mark.parametrize(("setting", "status"), [("404", 404), ("empty", 200)])
def test_a_page_after_the_last_one_is_a_switch(setting: str, status: int) -> None:
    """§2: "A page after the last one: 404"; §14 (7)."""
    stage = many(3, after_last_page=setting)
    assert stage.get("documents.json", contextId=5, pageLimit=2, page=2).status == 200
    reply = stage.get("documents.json", contextId=5, pageLimit=2, page=3)
    assert reply.status == status
    if status == 200:
        assert reply.json == {"count": "3", "page": "3", "pages": "2", "documents": []}


def test_context_ids_tell_kinds_apart(stage: Stage) -> None:
    """salesbinder.md §1.2: customer 2, prospect 8, supplier 10; estimate 4, invoice 5, purchase order 11."""
    acts.create_party(stage.shop, "prospect", name="Maybe")
    acts.create_document(stage.shop, "estimate", stage.customer, [])
    stage.invoice(), stage.order()
    accounts = {
        context: [row["name"] for row in stage.rows("customers.json", contextId=context)]
        for context in (2, 8, 10)
    }
    assert accounts == {2: ["Widgets & Co"], 8: ["Maybe"], 10: ["Northern Parts"]}
    found = {
        context: [row["context_id"] for row in stage.rows("documents.json", contextId=context)]
        for context in (4, 5, 11)
    }
    assert found == {4: [4], 5: [5], 11: [11]}


@pytest.mark.parametrize(("setting", "count"), [("customers", "1"), ("everything", "2"), ("error", None)])
def test_a_list_without_context_is_a_switch(setting: str, count: str | None) -> None:
    """§2: "lists without it answer … What is mixed in then: [U]"; §14 (7)."""
    reply = Stage(without_context=setting).get("customers.json")
    assert reply.status == (400 if count is None else 200)
    assert count is None or reply.json["count"] == count


def test_filter_by_status_gives_rows_of_it_with_a_right_count(stage: Stage) -> None:
    """§2: "`field=status_id&exact=true&s=15` returned only rows of status 15, with a right `count`"."""
    stage.invoice()
    cancelled = stage.invoice()
    acts.cancel_document(stage.shop, cancelled)
    body = stage.get("documents.json", contextId=5, field="status_id", exact="true", s=15).json
    assert (body["count"], [row["id"] for row in body["documents"][0]]) == ("1", [cancelled])


def test_a_document_is_found_by_its_number(stage: Stage) -> None:
    """§2: "`documentNumber` + `exact` finds one"."""
    stage.invoice(), stage.invoice()
    assert numbers(stage, documentNumber=1002, exact="true") == [1002]


def test_accounts_are_found_by_mail_number_and_name(stage: Stage) -> None:
    """§2 parameters of customers."""
    acts.create_party(stage.shop, "customer", name="Other", office_email="b@w.example")
    assert len(stage.rows("customers.json", contextId=2, emailAddress="b@w.example")) == 1
    assert len(stage.rows("customers.json", contextId=2, accountNumber=1001)) == 1
    assert len(stage.rows("customers.json", contextId=2, s="widgets", field="name")) == 1
    assert len(stage.rows("customers.json", contextId=2, s="widgets", field="name", exact="true")) == 0


def test_invoices_of_a_customer(stage: Stage) -> None:
    """§2 parameters of documents."""
    stage.invoice()
    assert len(numbers(stage, customerId=stage.customer)) == 1
    assert numbers(stage, customerId=stage.supplier) == []


def test_newest_document_number_first(stage: Stage) -> None:
    """§2 Order: "newest document number first"."""
    first = stage.invoice()
    stage.invoice()
    stage.later()
    acts.edit_document(stage.shop, first, name="Edited")
    assert numbers(stage) == [1002, 1001]


def test_documents_may_come_by_modified() -> None:
    """§2 Order: "Not documented for v2"."""
    stage = Stage(document_order="modified")
    first = stage.invoice()
    stage.invoice()
    stage.later()
    acts.edit_document(stage.shop, first, name="Edited")
    assert numbers(stage) == [1001, 1002]


@pytest.mark.parametrize(
    ("setting", "shown"),
    [("newest", ["A", "C", "B"]), ("name", ["A", "B", "C"]), ("oldest", ["B", "C", "A"])],
)
def test_the_order_of_accounts_is_a_switch(setting: str, shown: list[str]) -> None:
    """§2 Order: "Accounts: [U]"; §14 (7)."""
    stage = Stage(account_order=setting)
    acts.delete_party(stage.shop, stage.customer)
    for name in "BCA":
        acts.create_party(stage.shop, "customer", name=name)
    assert [row["name"] for row in stage.rows("customers.json", contextId=2)] == shown


def test_numbers_count_per_context(stage: Stage) -> None:
    """§12.24: "Same number in estimate, invoice, order: numbers are per context; ids are not"."""
    documents = [
        stage.invoice(),
        stage.order(),
        acts.create_document(stage.shop, "estimate", stage.customer, []),
    ]
    assert {stage.detail(document)["document_number"] for document in documents} == {1001}
    assert len(set(documents)) == 3


# modifiedSince


@pytest.mark.parametrize(("setting", "found"), [("inclusive", 1), ("exclusive", 0)])
def test_the_very_second_is_a_switch(setting: str, found: int) -> None:
    """§2: "Inclusive or exclusive: [U]"; §14 (5)."""
    stage = many(1, modified_since=setting)
    assert len(numbers(stage, modifiedSince=SECOND)) == found
    assert len(numbers(stage, modifiedSince=SECOND - 1)) == 1
    assert len(numbers(stage, modifiedSince=SECOND + 1)) == 0


def test_milliseconds_find_nothing() -> None:
    """§12.2: "Milliseconds in `modifiedSince`: nothing is ever newer"."""
    assert numbers(many(1), modifiedSince=SECOND * 1000 - 1) == []


def test_created_records_are_included(stage: Stage) -> None:
    """§2: "Created records are included (created = modified)"."""
    found = stage.rows("customers.json", contextId=2, modifiedSince=SECOND - 5)
    assert found[0]["created"] == found[0]["modified"] == "2026-03-02T09:00:00+00:00"


@pytest.mark.parametrize(
    ("setting", "ages"), [("exact", [0, 30]), ("hour_early", [0, 30, 90]), ("hour_late", [])]
)
def test_the_servers_reading_of_since_is_a_switch(setting: str, ages: list[int]) -> None:
    """§2: "nobody has shown the server's reading of it to be exact … All three smell of lost changes"."""
    stage = Stage(since_reading=setting)
    ids = {}
    for age in (90, 30, 0):
        ids[stage.invoice()] = age
        stage.later(3600 if age == 90 else 1800 if age == 30 else 0)
    since = int(stage.world.clock.now().timestamp()) - 45 * 60
    rows = stage.rows("documents.json", contextId=5, modifiedSince=since)
    assert sorted(ids[row["id"]] for row in rows) == ages


def test_two_changes_in_a_second_have_the_same_stamp(stage: Stage) -> None:
    """§12.4."""
    invoice = stage.invoice()
    stage.world.clock.advance(0.4)
    acts.edit_document(stage.shop, invoice, name="Once")
    stage.world.clock.advance(0.4)
    before = stage.detail(invoice)["modified"]
    acts.edit_document(stage.shop, invoice, name="Twice")
    assert stage.detail(invoice)["modified"] == before


def test_stamps_of_several_servers_come_out_of_order() -> None:
    """§2: "Whether writes on several servers can stamp out of order: [U]; assume so"."""
    stage = Stage(several_servers="yes")
    stamps = []
    for _ in range(20):
        stage.later(1)
        stamps.append(stage.detail(stage.invoice())["created"])
    assert stamps != sorted(stamps)
    assert max(stamps) <= "2026-03-02T09:00:20+00:00"


# Drift


def test_a_new_invoice_shifts_rows_so_that_one_is_seen_twice() -> None:
    """§2: "A new invoice shifts all rows down by one (a row is seen twice)"."""
    stage = many(4)
    seen = numbers(stage, pageLimit=2)
    stage.invoice()
    assert [*seen, *numbers(stage, pageLimit=2, page=2)] == [1004, 1003, 1003, 1002]


def test_a_deletion_shifts_rows_so_that_one_is_skipped() -> None:
    """§2: "a deletion or archiving shifts them up (a row is skipped)"; §12.5."""
    stage = many(4)
    first = stage.rows("documents.json", contextId=5, pageLimit=2)
    acts.delete_document(stage.shop, first[0]["id"])
    body = stage.get("documents.json", contextId=5, pageLimit=2, page=2).json
    assert [row["document_number"] for row in body["documents"][0]] == [1001]
    assert body["count"] == "3"


def test_lists_may_lag() -> None:
    """§3 Settling: "Assume lists and log may lag details by seconds"."""
    stage = Stage(list_lag="seconds")
    stage.later(10)
    invoice = stage.invoice()
    assert stage.detail(invoice)["id"] == invoice
    assert numbers(stage) == []
    stage.later(6)
    acts.edit_document(stage.shop, invoice, name="Edited")
    assert [row["name"] for row in stage.rows("documents.json", contextId=5)] == [None]
    stage.later(6)
    acts.delete_document(stage.shop, invoice)
    assert [row["name"] for row in stage.rows("documents.json", contextId=5)] == ["Edited"]
    stage.later(6)
    assert numbers(stage) == []


def test_details_may_lag() -> None:
    """§3 Settling: "reads right after a write may be old"; §12.9: row and detail of two moments."""
    stage = Stage(detail_lag="seconds")
    invoice = stage.invoice()
    stage.later(10)
    acts.edit_document(stage.shop, invoice, name="Edited")
    assert stage.rows("documents.json", contextId=5)[0]["name"] == "Edited"
    assert stage.detail(invoice)["name"] is None
    stage.later(6)
    assert stage.detail(invoice)["name"] == "Edited"


@pytest.mark.parametrize(("setting", "count"), [("strings", "1"), ("numbers", 1)])
def test_numbers_of_the_envelope_are_a_switch(setting: str, count: Any) -> None:
    """§12.7: numbers as strings."""
    assert many(1, envelope_numbers=setting).get("documents.json", contextId=5).json["count"] == count

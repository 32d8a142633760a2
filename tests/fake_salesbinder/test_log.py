"""Facts about the deleted log, the archive and permissions to delete (reference §4, §5)."""

import pytest

from sandbox.fake_salesbinder import acts
from sandbox.fake_salesbinder.acts import Refused

from .conftest import Stage
from .test_lists import SECOND


def log(stage: Stage, **query: int) -> list[dict[str, object]]:
    return stage.rows("deleted_log.json", **query)


def test_a_row_has_id_context_record_and_time(stage: Stage) -> None:
    """§4: rows `id` (number, growing), `context_id`, `record_id`, `created`; no name, number or amount."""
    invoice = stage.invoice()
    acts.delete_document(stage.shop, invoice)
    assert log(stage) == [
        {"id": 1, "context_id": 5, "record_id": invoice, "created": "2026-03-02T09:00:00+00:00"}
    ]
    assert stage.get(f"documents/{invoice}.json").status == 404
    assert stage.rows("documents.json", contextId=5) == []


@pytest.mark.parametrize("key", ["deletedlog", "deleted_log"])
def test_the_key_is_a_switch(key: str) -> None:
    """§2: "`deleted_log` rows are under `deletedlog`; CLI also expects `deleted_log`"."""
    assert key in Stage(log_key=key).get("deleted_log.json").json


@pytest.mark.parametrize(("setting", "ids"), [("newest", [2, 1]), ("oldest", [1, 2])])
def test_the_order_is_a_switch(setting: str, ids: list[int]) -> None:
    """§4: "Newest first in the sample"."""
    stage = Stage(log_order=setting)
    for document in (stage.invoice(), stage.order()):
        acts.delete_document(stage.shop, document)
    assert [row["id"] for row in log(stage)] == ids


@pytest.mark.parametrize(("setting", "invoice", "estimate"), [("as_elsewhere", 5, 4), ("swapped", 4, 5)])
@pytest.mark.parametrize("reading", ["as_rows", "as_elsewhere"])
def test_context_ids_of_the_log_are_a_switch(setting: str, invoice: int, estimate: int, reading: str) -> None:
    """§4 Context ids: "which of them an invoice gets: [U]"; the parameter and the row agree (75 %)."""
    stage = Stage(log_context_ids=setting, log_context_filter=reading)
    gone = [stage.invoice(), acts.create_document(stage.shop, "estimate", stage.customer, []), stage.order()]
    for document in gone:
        acts.delete_document(stage.shop, document)
    acts.delete_party(stage.shop, stage.supplier)
    found = {row["record_id"]: row["context_id"] for row in log(stage)}
    assert found == {gone[0]: invoice, gone[1]: estimate, gone[2]: 11, stage.supplier: 10}
    asked = invoice if reading == "as_rows" else 5
    assert [row["record_id"] for row in log(stage, contextId=asked)] == [gone[0]]


@pytest.mark.parametrize(("setting", "found"), [("inclusive", 1), ("exclusive", 0)])
def test_the_very_second_of_deleted_since_is_a_switch(setting: str, found: int) -> None:
    """§2: "Inclusive or exclusive: [U]"."""
    stage = Stage(deleted_since=setting)
    acts.delete_party(stage.shop, stage.supplier)
    assert [len(log(stage, deletedSince=SECOND + more)) for more in (-1, 0, 1)] == [1, found, 0]


def test_a_deletion_may_show_late() -> None:
    """§4: "Lag behind the deletion: [U]"; §14 (4): seconds until it shows."""
    stage = Stage(log_lag="minute")
    acts.delete_party(stage.shop, stage.supplier)
    stage.later(59)
    assert log(stage) == []
    stage.later(2)
    assert [row["created"] for row in log(stage)] == ["2026-03-02T09:00:00+00:00"]


@pytest.mark.parametrize(("setting", "kept"), [("forever", 1), ("month", 0)])
def test_how_long_rows_are_kept_is_a_switch(setting: str, kept: int) -> None:
    """§4: "How long rows are kept: [U]"."""
    stage = Stage(log_kept=setting)
    acts.delete_party(stage.shop, stage.supplier)
    stage.later(31 * 86_400)
    assert len(log(stage)) == kept


# What may be deleted


def test_payments_are_returned_before_an_invoice_is_deleted_or_cancelled(stage: Stage) -> None:
    """§4: "payments returned first" (KB deleting-paid-invoices)."""
    invoice = stage.invoice()
    acts.pay(stage.shop, invoice, "10")
    for act in (acts.delete_document, acts.cancel_document):
        with pytest.raises(Refused, match="returned"):
            act(stage.shop, invoice)
    acts.reset(stage.shop, invoice)
    acts.cancel_document(stage.shop, invoice)
    acts.delete_document(stage.shop, invoice)  # "a cancelled invoice can later be deleted"


def test_orders_are_deleted_while_not_sent_only(stage: Stage) -> None:
    """§4: "orders only while "Not Sent""."""
    order = stage.order()
    acts.send_document(stage.shop, order)
    with pytest.raises(Refused, match="Not Sent"):
        acts.delete_document(stage.shop, order)


def test_accounts_are_deleted_without_documents_only(stage: Stage) -> None:
    """§4: "accounts only without documents"."""
    stage.invoice()
    with pytest.raises(Refused, match="documents"):
        acts.delete_party(stage.shop, stage.customer)


# Archive


@pytest.mark.parametrize(("lists", "rows"), [("hidden", 0), ("shown", 1)])
@pytest.mark.parametrize(("detail", "status"), [("404", 404), ("shown", 200)])
def test_archived_records_vanish_by_the_switches(lists: str, rows: int, detail: str, status: int) -> None:
    """§5: v3 does not list them, and their detail is 404; "whether they leave lists" in v2 is not known."""
    stage = Stage(archived_in_lists=lists, archived_detail=detail)
    invoice = stage.invoice()
    for record in (invoice, stage.customer):
        acts.archive(stage.shop, record)
    assert len(stage.rows("documents.json", contextId=5)) == rows
    assert len(stage.rows("customers.json", contextId=2)) == rows
    assert stage.get(f"documents/{invoice}.json").status == status
    assert stage.get(f"customers/{stage.customer}.json").status == status
    acts.unarchive(stage.shop, invoice)
    assert [row["id"] for row in stage.rows("documents.json", contextId=5)] == [invoice]


def test_archiving_leaves_no_row_in_the_log(stage: Stage) -> None:
    """§0: "archived documents vanish without a trace in the log"."""
    acts.archive(stage.shop, stage.invoice())
    assert log(stage) == []


def test_archiving_may_leave_one_while_the_detail_is_shown() -> None:
    """§14 (6): "archived: list, detail, log"."""
    stage = Stage(archived_in_log="yes", archived_detail="shown")
    invoice = stage.invoice()
    acts.archive(stage.shop, invoice)
    assert [row["record_id"] for row in log(stage)] == [invoice]
    assert stage.detail(invoice)["id"] == invoice


@pytest.mark.parametrize("setting", ["shown", "absent"])
def test_the_flag_of_the_archive_is_a_switch(setting: str) -> None:
    """§3: `archived` observed, unofficial."""
    stage = Stage(archived_flag=setting)
    assert ("archived" in stage.detail(stage.invoice())) == ("archived" in stage.account(stage.customer))
    assert ("archived" in stage.account(stage.customer)) == (setting == "shown")

"""Facts about writes through v2 (salesbinder.md §1.3, §1.7; reference §3, §8)."""

import pytest

from sandbox.fake_salesbinder.access import PERMISSIONS

from .conftest import Stage


def test_an_account_is_created_edited_and_deleted(stage: Stage) -> None:
    """salesbinder.md §1.3: `{"message":"Saved","customer":{…}}`; context_id "2" is required on create."""
    given = {"customer": {"context_id": "2", "name": "Acme", "office_email": "a@acme.example"}}
    reply = stage.call("POST", "customers.json", given)
    assert (reply.status, reply.json["message"]) == (200, "Saved")
    account = reply.json["customer"]["id"]
    edited = stage.call("PUT", f"customers/{account}.json", {"customer": {"office_phone": "604"}})
    assert (edited.json["customer"]["office_phone"], edited.json["customer"]["name"]) == ("604", "Acme")
    assert stage.call("DELETE", f"customers/{account}.json").status == 200
    assert [change.kind for change in stage.shop.truth.history[-3:]] == [
        "customer.created",
        "customer.edited",
        "customer.deleted",
    ]


def test_a_document_is_created_edited_cancelled_and_deleted(stage: Stage) -> None:
    """salesbinder.md §1.3: `"document"`; §1.5: `YYYY-MM-DD` on write."""
    lines = [{"name": "A", "quantity": 2, "price": 98, "tax": 8}, {"name": "B", "price": 1}]
    given = {
        "context_id": 5,
        "customer_id": stage.customer,
        "issue_date": "2016-10-06",
        "document_items": lines,
    }
    document = stage.call("POST", "documents.json", {"document": given}).json["document"]
    assert (document["total_price"], document["issue_date"]) == (197, "2016-10-06T00:00:00+00:00")
    first, second = (line["id"] for line in document["document_items"])
    changes = [{"id": first, "quantity": 1}, {"id": second, "delete": 1}, {"name": "C", "price": 5}]
    path = f"documents/{document['id']}.json"
    edited = stage.call("PUT", path, {"document": {"document_items": changes}}).json["document"]
    assert [(line["name"], line["quantity"]) for line in edited["document_items"]] == [("A", 1), ("C", 1)]
    assert (
        stage.call("PUT", path, {"document": {"status_id": 15}}).json["document"]["status"]["name"]
        == "cancelled"
    )
    assert stage.call("DELETE", path).status == 200
    assert stage.get(path).status == 404


def test_a_payment_is_posted(stage: Stage) -> None:
    """salesbinder.md §1.7; reference §3: "the answer has `id`, `account_id`, `created`, `modified`"."""
    invoice = stage.invoice()
    given = {"document_id": invoice, "amount": 50.00, "reference": "Cash", "transaction_date": "2017-11-27"}
    reply = stage.call("POST", "transactions.json", {"transaction": given})
    row = reply.json["transaction"]
    assert (reply.json["message"], row["amount"], row["reference"]) == ("Saved", 50, "Cash")
    assert row["transaction_date"] == "2017-11-27T00:00:00+00:00"
    assert {"id", "account_id", "created", "modified"} <= set(row)
    assert stage.detail(invoice)["transactions"] == [row]


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_transactions_can_only_be_added(stage: Stage, verb: str) -> None:
    """salesbinder.md §1.7: no list, view, edit or delete of transactions; reference §0."""
    assert stage.call(verb, "transactions/1.json", {"transaction": {}}).status in (404, 405)


def test_refusals_are_422_with_the_field(stage: Stage) -> None:
    """§8: `{"message":{"errors":{"field":{"_required":"…"}}}}`."""
    reply = stage.call("POST", "customers.json", {"customer": {"context_id": 2}})
    assert (reply.status, reply.json) == (
        422,
        {"message": {"errors": {"name": {"_required": "This field is required"}}}},
    )


def test_an_unknown_record_is_404(stage: Stage) -> None:
    assert stage.call("PUT", "customers/nobody.json", {"customer": {"name": "A"}}).status == 404


def test_who_may_only_look_may_not_write(stage: Stage) -> None:
    """§1: the key has its user's permissions."""
    stage.shop.owner.permissions = set(PERMISSIONS) - {"Modify"}
    assert stage.call("POST", "customers.json", {"customer": {"context_id": 2, "name": "A"}}).status == 403

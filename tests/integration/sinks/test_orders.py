"""Purchase orders: supplier first, then the order; received in full it is billed, with one bill."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.sinks.purchases import (
    bills_in,
    edited,
    happened,
    order,
    order_in,
    ordered,
    set_by_hand,
    with_price,
)
from tests.integration.sinks.shops import ENABLED_AT, Maker, Shop, examples


@pytest.mark.parametrize("status", ["authorised", "draft"])
async def test_created_by_setting(books: Shop, make: Maker, status: str) -> None:
    await books.settings(purchase_order_status=status)
    document = order(make, name="Spring  stock")
    created = happened(make, "created", document)
    assert await books.run(created) == ["posted"]
    found = order_in(books)
    assert (found["status"], found["total"], found["date"]) == (status.upper(), "108.00", "2026-03-02")
    assert found["reference"] == f"Spring stock #{document['id'][:8]}"
    [line] = found["lines"]
    assert (line["item_code"], line["account_code"], line["tax_type"]) == ("SB-ITEM", "300", "INPUT")
    supplier = books.contact("Northern Parts")
    assert (supplier["contact_number"], found["contact_id"]) == (document["customer_id"], supplier["id"])
    assert bills_in(books) == []
    entry = await books.entry(created)
    assert (entry["xero_type"], entry["xero_id"]) == ("purchase_order", found["id"])
    assert entry["xero_number"] == "701"
    results = await books.told()
    assert [a.step for r in results for a in r.made] == ["item", "contact", "order"]
    assert results[-1].xero_url.endswith(f"/Accounts/Payable/PurchaseOrders/View/{found['id']}/")


async def test_cost_discount_cents_and_number_format(books: Shop, make: Maker) -> None:
    await books.settings(purchase_order_number_format="PO-{number}", purchases_account="310")
    line = {"id": "l1", "name": "Part", "quantity": 3, "price": 0, "cost": "33.335", "tax": 8}
    lines = [{**line, "discount_percent": 10}, {**line, "id": "l2", "cost": "12.37"}]
    document = order(make, document_items=lines)
    events = [happened(make, "created", document), happened(make, "received", document)]
    assert await books.run(*events) == ["posted", "posted"]
    exact = (Decimal("33.335") * 3 * Decimal("0.9")).quantize(Decimal("0.01")) + Decimal("37.11")
    [bill] = bills_in(books)
    assert abs(Decimal(bill["total"]) - exact * Decimal("1.08")) < Decimal("0.02")
    assert (order_in(books, "PO-701")["total"], bill["number"]) == (bill["total"], "PO-701")
    assert {line["account_code"] for line in bill["lines"]} == {"310"}


@pytest.mark.parametrize("action", ["created", "edited", "received", "deleted"])
async def test_before_the_cut_off_nothing_is_done(books: Shop, make: Maker, action: str) -> None:
    document = order(make, created="2025-12-31T23:59:59+00:00")
    before = [happened(make, "created", document)] if action == "deleted" else []
    assert (await books.run(*before, happened(make, action, document)))[-1] == "before_cutoff"
    assert (books.books["purchase_orders"], books.books["contacts"]) == ([], [])


async def test_before_the_cut_off_every_snapshot_is_so(books: Shop, make: Maker) -> None:
    document = order(make, created="2025-12-31T23:59:59+00:00")
    events = [happened(make, "created", document), edited(make, document, name="New")]
    assert await books.run(*events) == ["before_cutoff", "before_cutoff"]


async def test_before_the_cut_off_stays_so_after_a_deletion_that_told_no_date(
    books: Shop, make: Maker
) -> None:
    document = order(make, created="2025-12-31T23:59:59+00:00")
    assert await books.run(happened(make, "deleted", document)) == ["not_needed"]
    events = [edited(make, document), happened(make, "received", document)]
    events.append(happened(make, "deleted", document))
    assert await books.run(*events) == ["before_cutoff"] * 3
    assert (books.books["purchase_orders"], books.books["contacts"]) == ([], [])


async def test_created_exactly_at_the_cut_off_is_in(books: Shop, make: Maker) -> None:
    document = order(make, created=ENABLED_AT.isoformat())
    assert await books.run(happened(make, "created", document)) == ["posted"]
    await books.settings(enabled_at="2026-06-01T00:00:00Z")
    assert await books.run(happened(make, "received", document)) == ["posted"]


@pytest.mark.parametrize("status", ["authorised", "draft"])
async def test_edit_changes_the_order_and_keeps_status_and_lines(
    books: Shop, make: Maker, status: str
) -> None:
    document = await ordered(books, make, purchase_order_status=status)
    before = order_in(books)
    other = make.customer("Southern Parts")
    changes = {**with_price(document, "50.00"), "name": "New", "customer": other, "customer_id": other["id"]}
    assert await books.run(edited(make, document, **changes)) == ["posted"]
    after = order_in(books)
    assert (after["status"], after["total"], after["id"]) == (status.upper(), "54.00", before["id"])
    assert (after["contact_name"], after["reference"]) == ("Southern Parts", f"New #{document['id'][:8]}")
    assert after["lines"][0]["id"] == before["lines"][0]["id"]


async def test_unchanged_edit_and_older_snapshot(books: Shop, make: Maker) -> None:
    document = order(make)
    created = happened(make, "created", document)
    assert await books.run(edited(make, document, name="New")) == ["posted"]
    assert await books.run(created) == ["superseded"]
    before = len(books.calls())
    assert await books.run(edited(make, document)) == ["already_there"]
    assert len(books.calls()) == before
    assert order_in(books)["reference"].startswith("New ")


async def test_edit_pushes_the_supplier(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    make.minute += 1
    supplier = {**document["customer"], "office_phone": "2", "modified": make.now}
    assert await books.run(edited(make, document, customer=supplier)) == ["already_there"]
    assert books.contact("Northern Parts")["phones"]["DEFAULT"]["PhoneNumber"] == "2"


async def test_neighbouring_snapshots_are_merged_and_a_later_one_ends_what_failed(
    books: Shop, make: Maker
) -> None:
    document = order(make, document_items=[{"id": "l1", "quantity": 1, "price": "9.00", "tax": 15}])
    failed = happened(make, "created", document)
    assert await books.run(failed) == ["tax_rate_unmapped"]
    [line] = document["document_items"]
    edits = [edited(make, document, document_items=[{**line, "tax": 8}], name=str(n)) for n in range(3)]
    assert await books.run(*edits) == ["superseded", "superseded", "posted"]
    assert await books.end(failed) == "superseded"
    assert books.calls().count("PUT PurchaseOrders") == 1


async def test_archived_supplier(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    contact_id = books.contact("Northern Parts")["id"]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "ContactStatus": "ARCHIVED"}]})
    second = happened(make, "created", order(make, 702, customer=document["customer"]))
    received = happened(make, "received", document)
    assert await books.run(second, received) == ["contact_archived"] * 2
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "ContactStatus": "ACTIVE"}]})
    assert await books.retry(second, received) == ["posted"] * 2


async def test_number_of_somebody_elses_order_is_never_overwritten(books: Shop, make: Maker) -> None:
    other = books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Someone Else"}]})
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 5, "AccountCode": "300"}
    contact = {"ContactID": other["ContactID"]}
    for number in ("701", "A/B 7"):
        theirs = {"PurchaseOrderNumber": number, "Contact": contact, "LineItems": [line]}
        books.by_hand("PUT", "PurchaseOrders", {"PurchaseOrders": [theirs]})
    created = [
        happened(make, "created", order(make)),
        happened(make, "created", order(make, document_number="A/B 7")),
    ]
    assert await books.run(*created) == ["number_taken"] * 2
    for event in created:
        args = (await books.entry(event))["reason_args"]
        assert (args["contact"], args["setting"]) == ("Someone Else", "purchase_order_number_format")
    await books.settings(purchase_order_number_format="SB-{number}")
    assert await books.retry(created[0]) == ["posted"]
    assert order_in(books, "SB-701")["total"] == "108.00"


@pytest.mark.parametrize("status", ["authorised", "draft"])
async def test_deleted(books: Shop, make: Maker, status: str) -> None:
    document = await ordered(books, make, purchase_order_status=status)
    deletes = [happened(make, "deleted", document), happened(make, "deleted", document)]
    assert await books.run(*deletes) == ["posted", "already_there"]
    assert order_in(books)["status"] == "DELETED"
    late = [edited(make, document), happened(make, "received", document)]
    assert await books.run(*late) == ["document_removed"] * 2
    assert bills_in(books) == []


async def test_deleted_that_never_came_needs_nothing_and_stays_away(books: Shop, make: Maker) -> None:
    document = order(make)
    lines = [{"id": "l1", "quantity": 1, "price": "1.00", "tax": 15}]
    failed = happened(make, "created", order(make, 702, document_items=lines))
    deleted_id = {"id": failed["subject"]}
    assert await books.run(happened(make, "deleted", document)) == ["not_needed"]
    assert await books.run(happened(make, "created", document)) == ["document_removed"]
    assert await books.run(failed, happened(make, "deleted", deleted_id)) == [
        "tax_rate_unmapped",
        "not_needed",
    ]
    await books.settings(purchase_tax__15="INPUT2")
    assert await books.retry(failed) == ["document_removed"]
    assert books.books["purchase_orders"] == []


async def test_removed_by_hand(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    set_by_hand(books, "DELETED")
    assert await books.run(happened(make, "received", document)) == ["document_removed"]
    assert await books.run(edited(make, document, **with_price(document, "5"))) == ["document_removed"]
    assert bills_in(books) == []
    assert await books.run(happened(make, "deleted", document)) == ["already_there"]


async def test_removed_by_hand_is_found_out_by_an_edit_or_a_delete(books: Shop, make: Maker) -> None:
    document, other = await ordered(books, make), order(make, 702)
    await books.run(happened(make, "created", other))
    set_by_hand(books, "DELETED")
    assert await books.run(edited(make, document, **with_price(document, "5"))) == ["document_removed"]
    body = {"PurchaseOrderID": order_in(books, "702")["id"], "Status": "DELETED"}
    books.by_hand("POST", "PurchaseOrders", {"PurchaseOrders": [body]})
    assert await books.run(happened(make, "deleted", other)) == ["already_there"]


async def test_examples_of_the_contract(books: Shop, shared_dir: Path) -> None:
    found = [e for e in examples(shared_dir) if "purchase_order" in e["type"]]
    for event in found:
        event["source"] = f"/salesbinder/{books.account}"
    actions = [e["type"].rpartition(".")[2] for e in found]
    assert actions == ["created", "edited", "received", "created", "deleted"]
    assert await books.run(*found) == ["superseded", "posted", "posted", "posted", "posted"]
    assert (order_in(books)["status"], [bill["total"] for bill in bills_in(books)]) == ("BILLED", ["1082.16"])

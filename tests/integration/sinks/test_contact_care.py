"""Documents of a contact that is in trouble: what waits for it and what goes on."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.sinks.purchases import edited as order_edited
from tests.integration.sinks.purchases import happened, order, order_in
from tests.integration.sinks.shops import DAY, Maker, Shop


def archive(books: Shop, name: str, status: str = "ARCHIVED") -> None:
    change = {"ContactID": books.contact(name)["id"], "ContactStatus": status}
    books.by_hand("POST", "Contacts", {"Contacts": [change]})


async def test_document_does_not_wait_for_a_rename_that_is_refused(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Bolts Ltd"}]})
    rename = make.changed(customer, name="Bolts Ltd")
    invoice = make.created(make.document(customer, 1))
    assert await books.run(rename, invoice) == ["contact_name_taken", "posted"]
    assert books.invoice("1")["contact_name"] == "Widgets & Co"
    assert await books.warnings(invoice) == ["contact_not_updated"]
    paid = make.paid(make.document(customer, 2), "1.00")
    assert await books.run(paid) == ["posted"]
    assert "contact_not_updated" in await books.warnings(paid)


async def test_document_does_not_wait_for_a_name_that_xero_cannot_hold(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    rename = make.changed(customer, name="Widgets <Co>")
    bought = happened(make, "created", order(make))
    invoice = make.created(make.document(customer, 1))
    assert await books.run(rename, invoice, bought) == ["contact_name_invalid", "posted", "posted"]
    assert await books.warnings(invoice) == ["contact_not_updated"]


async def test_new_document_of_an_unlinked_contact_that_is_refused_fails(books: Shop, make: Maker) -> None:
    assert await books.run(make.created(make.document(make.customer("<>"), 1))) == ["contact_name_invalid"]


@pytest.mark.parametrize("status", ["draft", "authorised"])
async def test_archived_contact_keeps_back_only_what_makes_a_document(
    books: Shop, make: Maker, status: str
) -> None:
    await books.settings(invoice_status=status, edit_authorised="push")
    customer = make.customer("Widgets & Co")
    document, second = make.document(customer, 1), make.document(customer, 2)
    assert await books.run(make.created(document), make.created(second)) == ["posted", "posted"]
    archive(books, "Widgets & Co")
    line = {**document["document_items"][0], "price": "50.00"}
    assert await books.run(make.edited(document, document_items=[line])) == ["posted"]
    assert float(books.invoice("1")["total"]) == 54.0
    assert await books.run(make.paid(document, "54.00")) == ["posted"]
    third = make.created(make.document(customer, 3))
    assert await books.run(third, make.refunded(document, "4.00")) == ["contact_archived"] * 2
    assert await books.run(make.act("reset", document)) == ["posted"]
    assert await books.run(make.act("cancelled", second)) == ["posted"]
    archive(books, "Widgets & Co", "ACTIVE")
    assert await books.retry(third) == ["posted"]


async def test_archived_contact_with_a_change_of_its_own_keeps_no_edit_back(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    customer = make.customer("Widgets & Co")
    document = make.document(customer, 1)
    await books.run(make.created(document))
    archive(books, "Widgets & Co")
    customer |= {"office_phone": "1"}
    make.minute += 1
    customer["modified"] = make.now
    line = {**document["document_items"][0], "price": "50.00"}
    edit = make.edited(document, document_items=[line], customer=customer)
    assert await books.run(edit) == ["posted"]
    assert "contact_not_updated" in await books.warnings(edit)


async def test_matching_payment_is_taken_back_of_an_archived_contact(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = make.document(make.customer("Widgets & Co"), 1)
    await books.run(make.created(document), make.paid(document, "54.00"))
    archive(books, "Widgets & Co")
    assert await books.run(make.refunded(document, "54.00")) == ["posted"]


async def test_receipt_of_an_archived_supplier_touches_nothing(books: Shop, make: Maker) -> None:
    await books.settings(purchase_order_status="draft")
    document = order(make)
    await books.run(happened(make, "created", document))
    archive(books, "Northern Parts")
    assert await books.run(happened(make, "received", document)) == ["contact_archived"]
    assert order_in(books)["status"] == "DRAFT"
    assert await books.run(order_edited(make, document, name="Other")) == ["posted"]


def merged_into(books: Shop, name: str, **living: Any) -> str:
    other = books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Living Ltd", **living}]})
    books.seed(merge={"source": books.contact(name)["id"], "into": other["ContactID"]})
    return str(other["ContactID"])


@pytest.mark.parametrize("takes_updates", [False, True])
async def test_edit_of_a_merged_contact_goes_to_the_one_that_lives_on(
    books: Shop, make: Maker, takes_updates: bool
) -> None:
    """Only what was changed, and the name only when it was; whether or not Xero takes what is written to the
    contact that was merged away."""
    books.seed(behaviour={"archived_take_updates": takes_updates})
    customer = make.customer("Widgets & Co", office_phone="1", office_email="a@b.example")
    await books.run(make.contact("created", customer))
    living = merged_into(books, "Widgets & Co", EmailAddress="living@b.example")
    assert await books.run(make.changed(customer, office_fax="2")) == ["posted"]
    contact = books.contact("Living Ltd")
    assert contact["phones"]["FAX"]["PhoneNumber"] == "2"
    assert contact["email"] == "living@b.example"
    assert "DEFAULT" not in contact["phones"]
    assert await books.run(make.created(make.document(customer, 1))) == ["posted"]
    assert books.invoice("1")["contact_name"] == "Living Ltd"
    assert await books.run(make.changed(customer, name="Widgets Inc")) == ["posted"]
    assert books.contact("Widgets Inc")["id"] == living


async def test_archived_contact_that_takes_updates_is_archived_all_the_same(books: Shop, make: Maker) -> None:
    books.seed(behaviour={"archived_take_updates": True})
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    archive(books, "Widgets & Co")
    edit = make.changed(customer, office_phone="1")
    assert await books.run(edit) == ["contact_archived"]
    archive(books, "Widgets & Co", "ACTIVE")
    assert await books.retry(edit) == ["posted"]
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "1"


async def test_contact_that_is_gone_is_made_again_by_a_retry(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_fax="1")
    await books.run(make.contact("created", customer))
    books.seed(remove_contact=books.contact("Widgets & Co")["id"])
    edit, invoice = make.changed(customer, office_phone="2"), make.created(make.document(customer, 1))
    assert await books.run(edit) == ["contact_gone"]
    assert await books.run(invoice) == ["contact_gone"]
    assert await books.retry(edit, invoice) == ["posted", "posted"]
    assert books.contact("Widgets & Co")["phones"]["FAX"]["PhoneNumber"] == "1"
    assert books.invoice("1")["contact_name"] == "Widgets & Co"


async def test_contact_that_is_gone_is_not_the_namesake_of_a_document(books: Shop, make: Maker) -> None:
    """Although it was made less than a minute ago."""
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    books.seed(remove_contact=books.contact("Widgets & Co")["id"])
    invoice = make.created(make.document(customer, 1))
    assert await books.run(invoice) == ["contact_gone"]
    assert await books.retry(invoice) == ["posted"]
    assert books.invoice("1")["contact_name"] == "Widgets & Co"


@pytest.mark.parametrize("name_is_taken", [False, True])
async def test_refund_of_a_contact_that_is_gone_goes_to_the_one_made_again(
    books: Shop, make: Maker, name_is_taken: bool
) -> None:
    """The invoice keeps its contact in Xero; its credit note has the record's contact as it is now."""
    document = make.document(make.customer("Widgets & Co"), 1)
    await books.run(make.created(document), make.paid(document, "108.00"))
    books.seed(remove_contact=books.contact("Widgets & Co")["id"])
    if name_is_taken:
        books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Widgets & Co"}]})
    refund, second = make.refunded(document, "4.00"), make.refunded(document, "5.00")
    assert await books.run(refund) == ["contact_gone"]
    assert await books.retry(refund) == ["posted"]
    assert await books.run(second) == ["posted"]
    assert [c["name"] for c in books.books["contacts"]] == ["Widgets & Co"]
    contact = books.contact("Widgets & Co")["id"]
    assert [(n["contact_id"], n["total"]) for n in books.books["credit_notes"]] == [
        (contact, "4.00"),
        (contact, "5.00"),
    ]
    assert await books.run(make.act("reset", document)) == ["posted"]


async def test_receipt_of_a_supplier_that_is_gone_works_when_it_is_tried_again(
    books: Shop, make: Maker
) -> None:
    document = order(make)
    await books.run(happened(make, "created", document))
    books.seed(remove_contact=books.contact("Northern Parts")["id"])
    received = happened(make, "received", document)
    assert await books.run(received) == ["contact_gone"]
    assert await books.retry(received) == ["posted"]


def renamed(make: Maker, customer: dict[str, Any], name: str, number: int) -> dict[str, Any]:
    """An invoice whose customer has another name."""
    make.minute += 1
    return make.created(make.document({**customer, "name": name, "modified": make.now}, number))


def contact_calls(books: Shop) -> int:
    return sum(call in ("PUT Contacts", "POST Contacts") for call in books.calls())


async def test_refused_change_is_not_sent_again_with_every_document(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Bolts Ltd"}]})
    rename = make.changed(customer, name="Bolts Ltd")
    assert await books.run(rename) == ["contact_name_taken"]
    before = contact_calls(books)
    for number in range(1, 4):
        invoice = make.created(make.document(customer, number))
        assert await books.run(invoice) == ["posted"]
        assert await books.warnings(invoice) == ["contact_not_updated"]
    assert contact_calls(books) == before
    assert await books.retry(rename) == ["contact_name_taken"]
    assert contact_calls(books) == before + 1
    books.by_hand(
        "POST", "Contacts", {"Contacts": [{"ContactID": books.contact("Bolts Ltd")["id"], "Name": "Free"}]}
    )
    assert await books.retry(rename) == ["posted"]
    invoice = make.created(make.document(customer, 4))
    assert await books.run(invoice) == ["posted"]
    assert await books.warnings(invoice) == []
    assert books.invoice("4")["contact_name"] == "Bolts Ltd"


async def test_refused_change_that_documents_bring_is_sent_once_for_each_content(
    books: Shop, make: Maker
) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Bolts Ltd"}, {"Name": "Nuts Ltd"}]})
    before = contact_calls(books)
    for number, name in enumerate(("Bolts Ltd", "Bolts Ltd", "Nuts Ltd", "Nuts Ltd"), 1):
        invoice = renamed(make, customer, name, number)
        assert await books.run(invoice) == ["posted"]
        assert await books.warnings(invoice) == ["contact_not_updated"]
    assert contact_calls(books) == before + 2
    assert await books.run(renamed(make, customer, "Screws Ltd", 9)) == ["posted"]
    assert books.invoice("9")["contact_name"] == "Screws Ltd"


async def test_refused_change_is_tried_again_after_a_day(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    other = books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Bolts Ltd"}]})["ContactID"]
    await books.run(renamed(make, customer, "Bolts Ltd", 1))
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": other, "Name": "Free"}]})
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.links SET facts = jsonb_set(facts, '{refused,at}', %s::jsonb) "
            "WHERE facts ? 'refused'",
            ['"2026-01-01T00:00:00+00:00"'],
        )
    assert await books.run(renamed(make, customer, "Bolts Ltd", 2)) == ["posted"]
    assert books.invoice("2")["contact_name"] == "Bolts Ltd"


async def test_contact_of_our_number_merged_into_one_that_is_gone(books: Shop, make: Maker) -> None:
    """Nobody can write to either: the record is told why, not that the product is at fault."""
    customer = make.customer("Widgets & Co")
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Old Ltd", "ContactNumber": customer["id"]}]})
    living = merged_into(books, "Old Ltd")
    books.seed(remove_contact=living)
    invoice = make.created(make.document(customer, 1))
    assert await books.run(invoice) in (["posted"], ["contact_number_taken"])


@pytest.mark.parametrize("kind", ["invoice", "order", "received order"])
async def test_newer_customer_data_goes_along_with_an_older_snapshot(
    books: Shop, make: Maker, kind: str
) -> None:
    customer = make.customer(office_phone="1")
    if kind == "invoice":
        document = make.document(customer, 1)
        first, last = make.created(document), make.edited(document)
    else:
        document = order(make, customer=customer)
        first = happened(make, "created", document)
        document["modified"] = (DAY + timedelta(hours=1)).isoformat()
        last = happened(make, "received" if kind == "received order" else "edited", document)
    await books.run(first, last)
    make.minute += 90
    customer = {**customer, "office_phone": "2", "modified": make.now}
    document |= {"customer": customer, "modified": DAY.isoformat()}
    edit = "invoice.edited" if kind == "invoice" else "purchase_order.edited"
    late = make.event(edit, document["id"], {"document": document})
    assert await books.run(late) == ["superseded"]
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "2"
    calls = len(books.calls())
    again = make.event(edit, document["id"], {"document": document})
    assert await books.run(again) == ["superseded"]
    assert len(books.calls()) == calls


async def test_an_older_snapshot_tells_that_its_newer_customer_data_was_refused(
    books: Shop, make: Maker
) -> None:
    customer, other = make.customer(), make.customer("Bolts Ltd")
    document = make.document(customer, 1)
    assert await books.run(make.created(document), make.contact("created", other)) == ["posted"] * 2
    make.minute += 90
    renamed = {**customer, "name": "Bolts Ltd", "modified": make.now}
    document |= {"customer": renamed, "modified": (DAY - timedelta(hours=1)).isoformat()}
    late = make.event("invoice.edited", document["id"], {"document": document})
    assert await books.run(late) == ["superseded"]
    assert await books.warnings(late) == ["contact_not_updated"]


@pytest.mark.parametrize("phone", ["", "2"])
async def test_a_document_that_comes_along_blanks_what_the_customers_own_action_told_before(
    books: Shop, make: Maker, phone: str
) -> None:
    customer = make.customer()
    assert await books.run(make.created(make.document(customer, 2))) == ["posted"]
    told = make.changed(customer, office_phone="1")
    make.minute += 1
    newer = {**customer, "office_phone": phone, "modified": make.now}
    sold = make.created(make.document(newer, 1))
    assert (await books.run(told, sold))[1] == "posted"
    assert books.contact("Widgets & Co")["phones"].get("DEFAULT", {}).get("PhoneNumber", "") == phone

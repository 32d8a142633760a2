"""Positions, merging, what is superseded, and what somebody does again."""

import asyncio
from typing import Any

from sinks.ledger.commands import retry, skip
from tests.integration.sinks.shops import Maker, Shop


def unmapped(make: Maker, number: int = 1) -> dict[str, Any]:
    """A document with a tax rate of which the settings know nothing."""
    line = {"id": "l1", "name": "Thing", "quantity": 1, "price": "100.00", "tax": 15}
    return make.document(make.customer(), number, document_items=[line])


def with_tax(document: dict[str, Any], rate: int) -> dict[str, Any]:
    return {"document_items": [{**document["document_items"][0], "tax": rate}]}


def with_price(document: dict[str, Any], price: str) -> dict[str, Any]:
    return {"document_items": [{**document["document_items"][0], "price": price}]}


async def test_neighbouring_snapshots_are_merged_into_the_newest(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    created = make.created(document)
    edits = [make.edited(document, name=f"Version {n}") for n in range(3)]
    assert await books.run(created, *edits) == ["superseded", "superseded", "superseded", "posted"]
    assert books.invoice("1")["reference"] == "Version 2"
    assert books.calls().count("PUT Invoices") == 1
    assert "POST Invoices" not in books.calls()


async def test_merged_ones_fail_with_the_one_that_speaks_for_them(books: Shop, make: Maker) -> None:
    document = unmapped(make)
    events = [make.created(document), make.edited(document, name="New")]
    assert await books.run(*events) == ["newer_version_refused", "tax_rate_unmapped"]


async def test_merged_snapshots_stay_merged_while_xero_is_away(books: Shop, make: Maker) -> None:
    """Given back between a create whose answer was lost and its look-up, they are taken up together again."""
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.edited(document, **with_price(document, "50.00"))]
    books.xero.admin.fault("error_after", method="PUT", path="Invoices", times=1)
    books.xero.admin.fault("unavailable", path="Invoices", times=3, skip=1)
    assert await books.run(*events) == ["superseded", "posted"]
    assert books.invoice("1")["total"] == "54.00"


async def test_payment_between_snapshots_parts_them(books: Shop, make: Maker) -> None:
    await books.settings(edit_authorised="push")
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.paid(document, "8.00"), make.edited(document, name="New")]
    assert await books.run(*events) == ["posted", "posted", "posted"]


async def test_actions_of_one_record_keep_their_order(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    events = [
        make.created(document),
        make.paid(document, "100.00"),
        make.act("reset", document),
        make.paid(document, "108.00"),
    ]
    assert await books.run(*events) == ["posted"] * 4
    assert [p["amount"] for p in books.invoice("1")["payments"]] == ["108.00"]


async def test_failure_lets_later_actions_pass_and_a_later_snapshot_ends_it(books: Shop, make: Maker) -> None:
    document = unmapped(make)
    created = make.created(document)
    assert await books.run(created) == ["tax_rate_unmapped"]
    assert await books.run(make.edited(document, **with_tax(document, 8))) == ["posted"]
    assert await books.end(created) == "superseded"


async def test_retry_plans_from_the_newest_snapshot_with_todays_settings(books: Shop, make: Maker) -> None:
    document = unmapped(make)
    created = make.created(document)
    await books.run(created)
    edit = make.edited(document, name="Newest", customer={**document["customer"], "office_phone": "2"})
    assert await books.run(edit) == ["tax_rate_unmapped"]
    await books.settings(sales_tax__15="OUTPUT2")
    assert await books.retry(created) == ["posted"]
    assert books.invoice("1")["reference"] == "Newest"
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "2"
    assert await books.end(edit) == "superseded"


async def test_edit_back_to_what_xero_has_ends_the_failed_one(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    lines = document["document_items"]
    failed = make.edited(document, document_items=[{**lines[0], "price": "1.00"}])
    assert await books.run(failed) == ["authorised_not_editable"]
    assert await books.run(make.edited(document, document_items=lines)) == ["already_there"]
    assert await books.end(failed) == "superseded"


async def test_retry_asks_anew_about_the_organisation(books: Shop, make: Maker) -> None:
    await books.settings(sales_account="255")
    created = make.created(make.document(make.customer(), 1))
    assert await books.run(created) == ["account_code_unknown"]
    books.seed(accounts=[{"Code": "255", "Name": "Shop sales", "Type": "REVENUE"}])
    assert await books.retry(created) == ["posted"]


async def test_retry_is_a_new_version_with_its_actor(books: Shop, make: Maker) -> None:
    document = unmapped(make)
    created = make.created(document)
    await books.run(created)
    before = await books.entry(created)
    await books.retry(created)
    after = await books.entry(created)
    assert (after["revision"], after["triggered_by"], after["actor"]) == (1, "retry", "ann")
    states = [(r.version, r.state) for r in await books.told() if r.entry_id == str(after["command_id"])]
    assert (before["version"] + 1, "queued") in states


async def test_only_what_failed_can_be_retried(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    created = make.created(document)
    await books.run(created)
    async with await books.connect() as connection:
        assert await retry(connection, [books.command_id(created)], "ann") == []
        assert await skip(connection, [books.command_id(created)], "ann", "no") == []


async def test_skipped_ends_and_tells_who_and_why(books: Shop, make: Maker) -> None:
    created = make.created(unmapped(make))
    await books.run(created)
    assert await books.skip(created, "done by hand") == [books.command_id(created)]
    entry = await books.entry(created)
    assert (entry["state"], entry["outcome"]) == ("completed", "skipped_by_operator")
    assert entry["warnings"] == [{"code": "skipped", "text": "Ann skipped it: done by hand"}]
    assert await books.retry(created) == ["skipped_by_operator"]


async def test_event_id_with_other_content_fails_and_the_first_stays(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    created = make.created(document)
    other = {**make.created({**document, "name": "Other"}), "id": created["id"], "time": created["time"]}
    await books.run(created)
    await books.send(other, other)
    await books.idle()
    assert [end for _, _, end in await books.log()] == ["posted", "event_id_reused"]
    assert books.invoice("1")["reference"] == ""
    [reused] = await books.rows(
        "SELECT command_id::text FROM ledger.commands WHERE account = %s AND reason_code = 'event_id_reused'",
        books.account,
    )
    async with await books.connect() as connection:
        assert await retry(connection, [reused["command_id"]], "ann") == []


async def test_what_needs_review_holds_back_until_it_is_skipped(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    created = make.created(document)
    await books.run(created)
    paid, later = make.paid(document, "8.00"), make.paid(document, "50.00")
    await books.run(paid)
    await books.change("state = 'failed', outcome = NULL, reason_code = 'needs_review'", paid)
    await books.send(later)
    await asyncio.sleep(0.3)
    assert await books.end(later) == "queued"
    await books.skip(paid, "it is there")
    await books.idle()
    assert await books.end(later) == "posted"

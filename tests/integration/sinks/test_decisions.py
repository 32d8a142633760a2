"""What became of a call that nothing settles is decided by a person, and the record goes on from there."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sinks.ledger import commands
from tests.integration.ops.sbx import Sbx, environ
from tests.integration.sinks.refunds import paid_invoice, reference_of
from tests.integration.sinks.shops import PATIENCE, Maker, Shop
from tests.integration.sinks.test_refunds import note_by_hand


async def two_alike(books: Shop, make: Maker) -> tuple[dict[str, Any], list[str]]:
    """A payment of 20.00 whose answer was lost, and two payments with its marks that Xero has."""
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    paid = make.paid(document, "20.00")
    theirs = [pay_by_hand(books, reference_of(paid)) for _ in range(2)]
    books.xero.admin.fault("error_before", method="PUT", path="^Payments$")
    await books.send(paid)
    async with asyncio.timeout(PATIENCE):
        while await books.end(paid) != "waiting_for_answer":  # noqa: ASYNC110 - the ledger is a table
            await asyncio.sleep(0.02)
    await look_up_now(books)
    await books.idle()
    assert await books.end(paid) == "needs_review"
    return paid, theirs


def pay_by_hand(books: Shop, reference: str) -> str:
    body = {
        "Invoice": {"InvoiceID": books.invoice("1")["id"]},
        "Account": {"Code": "090"},
        "Date": "2026-03-02",
        "Amount": 20,
        "Reference": reference,
    }
    return str(books.by_hand("PUT", "Payments", {"Payments": [body]})["PaymentID"])


async def look_up_now(books: Shop) -> None:
    """What waits for the call to have no more effect waits no longer."""
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.elements SET look_up_after = clock_timestamp() WHERE account = %s "
            "AND result = 'unknown'",
            [books.account],
        )
        await connection.execute(
            "UPDATE ledger.commands SET next_attempt_at = NULL WHERE account = %s AND state = 'queued'",
            [books.account],
        )
        await connection.execute("SELECT pg_notify('sbx_lane', %s)", [books.account])


async def decide(books: Shop, event: dict[str, Any], adopt: str | None = None) -> str:
    """How the entry ended after the decision."""
    async with await books.connect() as connection:
        await commands.decide(connection, books.command_id(event), "ann", adopt)
    await books.idle()
    return await books.end(event)


def standing(books: Shop) -> list[str]:
    return [str(p["id"]) for p in books.invoice("1")["payments"] if p["status"] != "DELETED"]


async def test_the_reason_names_both_and_the_command(books: Shop, make: Maker) -> None:
    paid, theirs = await two_alike(books, make)
    told = [r for r in await books.told() if r.reason_code == "needs_review"][-1]
    for payment_id in theirs:
        assert f"payment on 1 of 20.00 on 2026-03-02 (AUTHORISED, {reference_of(paid)})" in told.reason
        assert f"id {payment_id}, https://go.xero.com/" in told.reason
    assert f"'sbx decide {told.entry_id} --adopt ID'" in told.remedy


async def test_one_is_adopted(books: Shop, make: Maker) -> None:
    paid, theirs = await two_alike(books, make)
    assert await decide(books, paid, theirs[1]) == "already_there"
    row = await books.entry(paid)
    assert (row["xero_id"], row["actor"], row["triggered_by"]) == (theirs[1], "ann", "decision")
    [said] = row["warnings"]
    assert (said["code"], said["text"]) == (
        "adopted",
        f"Ann decided that it is the object in Xero with the id {theirs[1]}: 20.00 on 2026-03-02.",
    )
    assert sorted(standing(books)) == sorted(theirs)
    again = {**paid, "id": "the-same-payment"}
    assert await books.run(again) == ["already_there"]


async def test_none_of_them_is_it(books: Shop, make: Maker) -> None:
    paid, theirs = await two_alike(books, make)
    assert await decide(books, paid) == "posted"
    assert len(standing(books)) == 3
    assert (await books.entry(paid))["xero_id"] not in theirs


async def test_an_invoice_with_our_link_and_another_total(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    line = {"Description": "Thing", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": "1",
        "Url": f"https://{books.account}.salesbinder.com/documents/view/{document['id']}",
        "Contact": {"Name": "Widgets & Co"},
        "LineItems": [line],
    }
    theirs = books.by_hand("PUT", "Invoices", {"Invoices": [body]})
    created = make.created(document)
    assert await books.run(created) == ["needs_review"]
    assert await decide(books, created) == "needs_review"  # the number is taken as long as that one has it
    assert await decide(books, created, theirs["InvoiceID"]) in ("already_there", "posted")
    assert books.invoice("1")["id"] == (await books.entry(created))["xero_id"]


async def test_a_credit_note_is_adopted_and_paid_out(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "54.00")
    note = note_by_hand(books, refund, "54.00", Date="2026-03-03")
    assert await books.run(refund) == ["needs_review"]
    assert await decide(books, refund, note["CreditNoteID"]) == "posted"
    assert [(n["id"], n["status"]) for n in books.books["credit_notes"]] == [(note["CreditNoteID"], "PAID")]


async def test_what_cannot_be_decided(books: Shop, make: Maker) -> None:
    paid, theirs = await two_alike(books, make)
    with pytest.raises(commands.Undecidable, match="is no candidate"):
        await decide(books, paid, "00000000-0000-0000-0000-000000000001")
    async with await books.connect() as connection:
        await connection.execute(
            "INSERT INTO ledger.links (account, kind, record_id, transaction_id, xero_id) "
            "VALUES (%s, 'payment', 'other', 'tx', %s)",
            [books.account, theirs[0]],
        )
    with pytest.raises(commands.Undecidable, match="is linked already: it is the payment tx"):
        await decide(books, paid, theirs[0])
    assert await books.end(paid) == "needs_review"
    assert await decide(books, paid, theirs[1]) == "already_there"
    for adopt in (None, theirs[1]):
        with pytest.raises(commands.Undecidable, match="is not in needs_review: it is completed"):
            await decide(books, paid, adopt)


async def test_the_command(books: Shop, make: Maker, tmp_path: Path) -> None:
    """Plan first; nothing is done without ``--yes``."""
    paid, theirs = await two_alike(books, make)
    sbx = Sbx(environ(tmp_path, SBX_DATABASE_URL=str(books.environment.database_url)))
    entry = books.command_id(paid)
    shown = sbx("decide", entry)
    assert shown.code == 0 and all(payment_id in shown.out for payment_id in theirs)
    assert "--adopt ID, or --send" in shown.err
    assert [sbx("decide", entry, *more).code for more in (["--yes"], ["--send", "--adopt", "x"])] == [2, 2]
    assert sbx("decide", "1042").code == 2
    wrong = sbx("decide", entry, "--adopt", entry)
    assert wrong.code == 1 and "is no candidate" in wrong.err
    assert sbx("decide", entry, "--adopt", theirs[0]).code == sbx("decide", entry, "--send").code == 0
    assert await books.end(paid) == "needs_review"
    done = sbx("decide", entry, "--adopt", theirs[0], "--yes", "--json")
    assert (done.json["done"], done.json["decision"], done.json["applied"]) == ([entry], "adopt", True)
    assert [c["xero_id"] for c in done.json["candidates"]] == theirs
    await books.idle()
    assert (await books.entry(paid))["xero_id"] == theirs[0]
    ended = sbx("decide", entry, "--send", "--yes")
    assert ended.code == 1 and "nothing to decide: the entry is completed (already there)" in ended.err

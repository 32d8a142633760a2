"""Each bad input fails with a reason of its own, and goes through once it is put right."""

import json
from typing import Any

import pytest

from contracts.results import EntryResult
from tests.integration.sinks.shops import Maker, Shop, delivering

BAD_SETTINGS = [
    ({"sales_account": "999"}, "account_code_unknown", {"sales_account": "200"}),
    ({"sales_account": "090"}, "account_code_unknown", {"sales_account": "200"}),
    ({"sales_tax__8": "NOPE"}, "tax_type_unknown", {"sales_tax__8": "OUTPUT"}),
    ({"sales_tax__8": "INPUT"}, "tax_type_unfit", {"sales_tax__8": "OUTPUT"}),
    ({"sales_tax__8": ""}, "tax_rate_unmapped", {"sales_tax__8": "OUTPUT"}),
    ({"currency": "GBP"}, "currency_not_enabled", {"currency": "EUR"}),
]


@pytest.mark.parametrize(("bad", "code", "good"), BAD_SETTINGS)
async def test_setting_that_xero_does_not_take(
    books: Shop, make: Maker, bad: dict[str, str], code: str, good: dict[str, str]
) -> None:
    await books.settings(**bad)
    created = make.created(make.document(make.customer(), 1))
    ends = await books.run(created)
    assert ends == [code]
    await books.settings(**good)
    assert await books.retry(created) == ["posted"]


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ("", "payment_account_missing"),
        ("999", "payment_account_unknown"),
        ("200", "payment_account_not_payable"),
    ],
)
async def test_payment_account(books: Shop, make: Maker, account: str, code: str) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    await books.settings(payment_account=account)
    paid = make.paid(document, "8.00", reference="")
    assert await books.run(paid) == [code]
    await books.settings(payment_account="090")
    assert await books.retry(paid) == ["posted"]


async def test_archived_account(books: Shop, make: Maker) -> None:
    account_id = next(a["id"] for a in books.books["accounts"] if a["code"] == "260")
    await books.settings(sales_account="260")
    await books.run(make.created(make.document(make.customer(), 1)))
    books.by_hand(
        "POST", f"Accounts/{account_id}", {"Accounts": [{"AccountID": account_id, "Status": "ARCHIVED"}]}
    )
    created = make.created(make.document(make.customer(), 2))
    assert await books.run(created) == ["account_code_archived"]
    await books.settings(sales_account="200")
    assert await books.retry(created) == ["posted"]


async def test_archived_contact(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.contact("created", customer))
    contact_id = books.contact("Widgets & Co")["id"]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "ContactStatus": "ARCHIVED"}]})
    created = make.created(make.document(customer, 1))
    assert await books.run(created) == ["contact_archived"]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact_id, "ContactStatus": "ACTIVE"}]})
    assert await books.retry(created) == ["posted"]


DOCUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"total_price": "150.00"}, "total_mismatch"),
    ({"document_items": [{"id": "l", "quantity": 1, "price": "-5.00"}]}, "total_negative"),
    ({"currency": "GBP"}, "currency_not_enabled"),
]


@pytest.mark.parametrize(("bad", "code"), DOCUMENTS)
async def test_document_that_xero_cannot_hold(
    books: Shop, make: Maker, bad: dict[str, Any], code: str
) -> None:
    document = make.document(make.customer(), 1)
    created = make.created({**document, **bad})
    assert await books.run(created) == [code]
    assert books.books["invoices"] == []
    assert await books.run(make.edited(document)) == ["posted"]
    assert await books.end(created) == "superseded"


async def test_one_bad_document_does_not_stop_those_of_its_batch(books: Shop, make: Maker) -> None:
    customer = make.customer()
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    theirs = {"Type": "ACCREC", "InvoiceNumber": "2", "Contact": {"Name": "Else"}, "LineItems": [line]}
    books.by_hand("PUT", "Invoices", {"Invoices": [theirs]})
    events = [make.created(make.document(customer, number)) for number in (1, 2, 3)]
    assert await books.run(*events) == ["posted", "number_taken", "posted"]


async def test_two_unpaired_tax_rates_are_two_causes(books: Shop, make: Maker) -> None:
    def taxed(number: int, rate: int) -> dict[str, Any]:
        line = {"id": "l", "name": "Bolt", "quantity": 1, "price": "10.00", "tax": rate}
        document = make.document(make.customer(), number)
        return make.created({**document, "document_items": [line], "total_price": "10.00"})

    events = [taxed(1, 3), taxed(2, 4), taxed(3, 4)]
    assert await books.run(*events) == ["tax_rate_unmapped"] * 3
    ids = {books.command_id(event) for event in events}
    failed = [r for r in await books.told() if r.state == "failed" and r.entry_id in ids]
    assert sorted(r.cause for r in failed) == ["sales_tax.3", "sales_tax.4", "sales_tax.4"]


async def test_words_that_nobody_knows_are_kept_with_the_attempt(shop: Shop, maker: Maker) -> None:
    said = "The moon of 'Widgets & Co' is full for INV-77."
    shop.xero.admin.fault("answer", method="PUT", path="Invoices", value=json.dumps({"Message": said}))
    created = maker.created(maker.document(maker.customer(), 1))
    async with delivering(shop):
        assert await shop.run(created) == ["xero_refused"]
        assert await shop.retry(created) == ["posted"]
    made = [a for r in shop.published if isinstance(r, EntryResult) for a in r.made if a.refused]
    assert [(a.refused, a.refusal, a.refusal_shape) for a in made] == [
        ("xero_refused", said, "The moon of '…' is full for #.")
    ]
    [failed] = [r for r in shop.published if isinstance(r, EntryResult) and r.state == "failed"]
    assert said in failed.reason
    assert failed.cause == made[0].refusal_shape

"""A remedy mends its failure, followed by the letter: the command that it names is typed as it stands."""

import asyncio
import copy
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts.reasons import render
from contracts.results import AccountResult
from sandbox.fake_xero.server import FakeXeroServer
from sbx.cli.settings import _parsed
from sinks.ledger.generation import Mark, MarkNotStored
from tests.integration.sinks.purchases import edited, happened, ordered, with_price
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connected_shop
from tests.reliability.drills import KeptMarks, delivering
from tests.unit.outgoing.connect_proxy import ConnectProxy


async def type_command(books: Shop, event: dict[str, Any], key_of_value: str, value: str) -> None:
    """Type the 'sbx settings set …' of the entry's remedy in a shell, with ``value`` in its place."""
    entry = await books.entry(event)
    details = {**entry["reason_args"], "account": books.account}
    _, remedy = render(entry["reason_code"], details)
    found = re.search(r"'(sbx settings set .*?)'(?=[ ,;.)])", remedy)
    assert found, remedy
    words = typed(found[1].replace(f"={key_of_value}", f"={value}"))
    assert words[:4] == ["sbx", "settings", "set", books.account]
    changes = _parsed(words[4:])
    await books.settings(**{key: text or "" for key, text in changes.items()})


def typed(line: str) -> list[str]:
    """The words that a shell makes of a line."""
    script = f"for word in {line}; do printf '%s\\0' \"$word\"; done"
    return subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout.split(
        "\0"
    )[:-1]


@pytest.mark.parametrize(
    "reference",
    ["Cash", "Credit Card 9008", "Visa=1", 'the "new" $card', "l'autre; rm", "ÜBERWEISUNG", "a\\b"],
)
@pytest.mark.parametrize(
    ("code", "wrong"), [("payment_account_unknown", "999"), ("payment_account_not_payable", "200")]
)
async def test_payment_account_of_a_reference(
    books: Shop, make: Maker, reference: str, code: str, wrong: str
) -> None:
    key = f"payment_account.{reference}"
    await books.settings(**_texts(_parsed([f"{key}={wrong}"])))
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    paid = make.paid(document, "8.00", reference=reference)
    assert await books.run(paid) == [code]
    await type_command(books, paid, "CODE", "091")
    assert await books.retry(paid) == ["posted"]
    assert books.books["payments"][0]["account_code"] == "091"


def _texts(changes: dict[str, str | None]) -> dict[str, str]:
    return {key: value or "" for key, value in changes.items()}


@pytest.mark.parametrize(
    ("bad", "code", "place", "good"),
    [
        ({"payment_account": ""}, "payment_account_missing", "CODE", "090"),
        ({"sales_account": "999"}, "account_code_unknown", "CODE", "200"),
        ({"sales_tax__8": "NOPE"}, "tax_type_unknown", "TAXTYPE", "OUTPUT"),
        ({"sales_tax__8": ""}, "tax_rate_unmapped", "TAXTYPE", "OUTPUT"),
        ({"sales_tax__8": "INPUT"}, "tax_type_unfit", "TAXTYPE", "OUTPUT"),
    ],
)
async def test_settings(
    books: Shop, make: Maker, bad: dict[str, str], code: str, place: str, good: str
) -> None:
    await books.settings(**bad)
    document = make.document(make.customer(), 1)
    event = make.created(document)
    if code == "payment_account_missing":
        await books.run(event)
        event = make.paid(document, "8.00", reference="")
    assert await books.run(event) == [code]
    await type_command(books, event, place, good)
    assert await books.retry(event) == ["posted"]


def refuses(message: str) -> str:
    """Xero's answer to a call that it refuses in these words."""
    return f'{{"ErrorNumber": 10, "Type": "ValidationException", "Message": "{message}"}}'


async def test_item_code_invalid(books: Shop, make: Maker) -> None:
    """The item was deleted in Xero, which does not tell so before a document names it."""
    message = "Item code 'SB-ITEM' is not valid"
    books.xero.admin.fault("answer", method="PUT", path="^Invoices", times=None, value=refuses(message))
    created = make.created(make.document(make.customer(), 1))
    assert await books.run(created) == ["item_code_invalid"]
    books.xero.admin.clear_faults()
    await type_command(books, created, "-", "")
    assert await books.retry(created) == ["posted"]
    assert books.invoice("1")["lines"][0]["item_code"] == "SB-LINE"


async def test_xero_plan_limit(books: Shop, make: Maker) -> None:
    """A draft stays one until the plan allows it to be approved."""
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    message = "You have reached the limit of invoices that your plan lets you approve"
    books.xero.admin.fault("answer", method="POST", path="^Invoices", times=None, value=refuses(message))
    paid = make.paid(document, "8.00")
    assert await books.run(paid) == ["xero_plan_limit"]
    assert books.invoice("1")["status"] == "DRAFT"
    books.xero.admin.clear_faults()
    assert await books.retry(paid) == ["posted"]
    assert books.invoice("1")["amount_due"] == "100.00"


class KafkaAway(KeptMarks):
    """Kafka, which takes no note while it is away."""

    away = False

    async def publish(self, number: int, name: str, mark: Mark) -> None:
        if self.away:
            raise MarkNotStored("Kafka does not take the ledger's mark")
        await super().publish(number, name, mark)


async def test_kafka_unavailable(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> None:
    shop = await connected_shop(database_url, xero, tmp_path)
    make, kafka = Maker(shop.account), KafkaAway()
    customer = make.customer()
    created = make.created(make.document(customer, 1))
    async with delivering(shop, kafka):
        assert await shop.run(make.contact("created", customer)) == ["posted"]
        kafka.away = True
        await shop.send(created)
        async with asyncio.timeout(PATIENCE):
            while "kafka_unavailable" not in [r.held for r in shop.published if isinstance(r, AccountResult)]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert shop.books["invoices"] == []
        kafka.away = False
        await shop.idle()
    assert await shop.end(created) == "posted"


async def test_proxy_refuses(
    database_url: str, xero: FakeXeroServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = urlsplit(xero.api_url)
    with ConnectProxy({"xero.test": int(at.port or 0)}, login="sbx:right") as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://sbx:right@{proxy.address}")
        shop = await connected_shop(database_url, xero, tmp_path)
        through = xero.api_url.replace(at.netloc, "xero.test")
        shop.environment = replace(shop.environment, xero_api_url=through)
        make = Maker(shop.account)
        customer = make.customer()
        created = make.created(make.document(customer, 1))
        async with delivering(shop, KeptMarks()):
            assert await shop.run(make.contact("created", customer)) == ["posted"]
            proxy.login = "sbx:changed"
            await shop.send(created)
            async with asyncio.timeout(PATIENCE):
                while "proxy_refuses" not in [r.held for r in shop.published if isinstance(r, AccountResult)]:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert shop.books["invoices"] == []
            proxy.login = "sbx:right"
            await shop.idle()
        assert await shop.end(created) == "posted"


async def test_authorised_not_editable(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    edit = make.edited(document, name="Other")
    assert await books.run(edit) == ["authorised_not_editable"]
    await type_command(books, edit, "-", "")
    assert await books.retry(edit) == ["posted"]
    assert books.invoice("1")["reference"] == "Other"


async def test_number_taken(books: Shop, make: Maker) -> None:
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    theirs = {"Type": "ACCREC", "InvoiceNumber": "2", "Contact": {"Name": "Else"}, "LineItems": [line]}
    books.by_hand("PUT", "Invoices", {"Invoices": [theirs]})
    created = make.created(make.document(make.customer(), 2))
    assert await books.run(created) == ["number_taken"]
    await type_command(books, created, "-", "")
    assert await books.retry(created) == ["posted"]
    assert books.invoice("SB-2")["status"] == "AUTHORISED"


async def test_paid_not_editable(books: Shop, make: Maker) -> None:
    await books.settings(edit_authorised="push")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, "108.00"))
    edit = make.edited(document, document_items=[{**document["document_items"][0], "price": "50.00"}])
    assert await books.run(edit) == ["paid_not_editable"]
    assert await books.run(make.act("reset", document)) == ["posted"]
    assert await books.retry(edit) == ["posted"]
    assert books.invoice("1")["total"] == "54.00"


async def test_foreign_payments_and_exceeds_amount_due(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    invoice = books.invoice("1")["id"]
    body = {"Invoice": {"InvoiceID": invoice}, "Account": {"Code": "090"}, "Amount": 8, "Date": "2026-03-02"}
    theirs = books.by_hand("PUT", "Payments", {"Payments": [body]})["PaymentID"]
    paid = make.paid(document, "108.00")
    assert await books.run(paid) == ["exceeds_amount_due"]
    cancel = make.act("cancelled", document)
    assert await books.run(cancel) == ["foreign_payments"]
    books.by_hand("POST", f"Payments/{theirs}", {"Payments": [{"PaymentID": theirs, "Status": "DELETED"}]})
    assert await books.retry(paid) == ["posted"]
    assert await books.retry(cancel) == ["posted"]
    assert books.invoice("1")["status"] == "VOIDED"


async def test_amount_not_positive(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, "108.00"))
    negative = make.paid(document, "-8.00")
    assert await books.run(negative) == ["amount_not_positive"]
    assert await books.run(make.refunded(document, "8.00")) == ["posted"]
    await books.skip(negative)
    assert await books.end(negative) == "skipped_by_operator"


async def test_event_id_reused(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    event = make.created(document)
    assert await books.run(event) == ["posted"]
    other = copy.deepcopy(event)
    other["data"]["document"]["name"] = "Other"
    await books.send(other)
    [reused] = await books.rows(
        "SELECT command_id FROM ledger.commands WHERE account = %s AND reason_code = 'event_id_reused'",
        books.account,
    )
    assert reused["command_id"] != books.command_id(event)
    anew = make.edited(document)
    assert await books.run(anew) == ["already_there"]


async def test_order_billed(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    assert await books.run(happened(make, "received", document)) == ["posted"]
    edit = edited(make, document, **with_price(document, "50.00"))
    assert await books.run(edit) == ["order_billed"]
    await books.skip(edit)
    assert await books.end(edit) == "skipped_by_operator"


async def test_document_not_in_xero(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    refund = make.refunded(document, "8.00")
    assert await books.run(refund) == ["document_not_in_xero"]
    assert await books.run(make.edited(document), make.paid(document, "108.00")) == ["posted", "posted"]
    assert await books.retry(refund) == ["posted"]


async def test_document_removed(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.act("cancelled", document))
    late = make.edited(document)
    assert await books.run(late) == ["document_removed"]
    await books.skip(late)
    assert await books.end(late) == "skipped_by_operator"
    again = {**document, "id": "a-new-document", "document_number": 2}
    assert await books.run(make.created(again)) == ["posted"]

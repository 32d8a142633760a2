"""The examples of the contract, from the ledger to the books."""

from decimal import Decimal
from pathlib import Path

from tests.integration.sinks.shops import Maker, Shop, examples


async def test_examples_flow_into_the_books(open_shop: Shop, shared_dir: Path) -> None:
    await open_shop.send(*examples(shared_dir))
    await open_shop.idle()
    first = open_shop.invoice("5001")
    assert Decimal(first["total"]) == Decimal("276.48")
    assert [p["amount"] for p in first["payments"]] != []


async def test_invoice_and_payment(open_shop: Shop, maker: Maker) -> None:
    document = maker.document(maker.customer(), 1)
    await open_shop.send(maker.created(document), maker.paid(document, "108.00"))
    await open_shop.idle()
    assert await open_shop.log() == [
        ("invoice created", "completed", "posted"),
        ("invoice payment_applied", "completed", "posted"),
    ]
    invoice = open_shop.invoice("1")
    assert (invoice["status"], invoice["amount_due"]) == ("PAID", "0.00")

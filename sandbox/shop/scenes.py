"""The things that can happen to an invoice or a purchase order: one function per story; its docstring is its
title.
"""

from collections.abc import Callable
from decimal import Decimal

from . import catalogue
from .catalogue import BOLT, DELIVERY, DRILL, FITTING, LAMP, PAINT, SHELF, SHIRT, UNMAPPED_RATE, VOUCHER
from .papers import Purchase, Sale

SaleScene = Callable[[Sale], None]
PurchaseScene = Callable[[Purchase], None]


def story(scene: Callable[..., None]) -> str:
    """Return the scene in a few words."""
    return (scene.__doc__ or "").strip().rstrip(".")


# What is usual


def left_open(sale: Sale) -> None:
    """Not paid yet."""
    sale.fill()
    sale.create()


def paid(sale: Sale) -> None:
    """Paid."""
    left_open(sale)
    sale.pay(sale.total)


def paid_in_two(sale: Sale) -> None:
    """Paid in two parts."""
    left_open(sale)
    half = sale.part("0.5")
    sale.pay(half)
    sale.pay(sale.total - half)


# What is on it


def services(sale: Sale) -> None:
    """Services and hours."""
    sale.sell(FITTING)
    sale.sell(DELIVERY)
    sale.create()
    sale.pay(sale.total, "Bank transfer")


def fractions(sale: Sale) -> None:
    """Litres, variations, serials."""
    sale.sell(PAINT)
    sale.sell(SHIRT)
    sale.sell(DRILL)
    sale.create()


def gift_and_voucher(sale: Sale) -> None:
    """A gift (100 % off), a voucher."""
    sale.sell(SHELF, taxes=("8", "0"), discount="0")
    sale.sell(LAMP, taxes=("8", "0"), discount="100")
    sale.sell(VOUCHER, taxes=("0", "0"), discount="0")
    sale.create()
    sale.pay(sale.total, "Cash")


def two_taxes(sale: Sale) -> None:
    """Two taxes on a line."""
    sale.sell(SHIRT, taxes=("8", "5"))
    sale.sell(LAMP, taxes=("8", "5"))
    sale.create()
    sale.pay(sale.total)


def in_euros(sale: Sale) -> None:
    """In euros."""
    sale.foreign("EUR")
    sale.name("Order 4500017")
    sale.sell(DRILL)
    sale.sell(DELIVERY)
    sale.create()
    sale.pay(sale.total, "Bank transfer")


# Payments


def instalments(sale: Sale) -> None:
    """Three equal payments in a day."""
    sale.sell(SHELF)
    sale.sell(DRILL)
    sale.create()
    for _ in range(3):
        sale.pay(sale.part("0.25"), "Cash")


def cash_and_card(sale: Sale) -> None:
    """Cash and card: two accounts."""
    left_open(sale)
    sale.pay(sale.part("0.3"), "Cash")
    sale.pay(sale.total - sale.part("0.3"), "Credit Card 9008", dated=False)


def payment_came_first(sale: Sale) -> None:
    """Its payment came before it."""
    left_open(sale)
    sale.pay(sale.total, earlier=1800)


def only_payment_came(sale: Sale) -> None:
    """Only its payment came."""
    sale.fill()
    sale.pay(sale.total)


# Refunds


def refunded_in_part(sale: Sale) -> None:
    """Refunded in part."""
    paid(sale)
    sale.refund(sale.part("0.4"), "Cash")


def refunded(sale: Sale) -> None:
    """Refunded in full."""
    paid(sale)
    sale.refund(sale.total)


def refunded_twice(sale: Sale) -> None:
    """Refunded twice, of several taxes."""
    sale.sell(SHIRT, taxes=("8", "0"))
    sale.sell(PAINT, taxes=("8", "5"))
    sale.sell(SHELF, taxes=("0", "0"))
    sale.create()
    sale.pay(sale.total)
    sale.refund(sale.part("0.25"), "Credit Card 9008")
    sale.refund(sale.part("0.35"), "Cash")


def refunded_in_euros(sale: Sale) -> None:
    """In euros, refunded in part."""
    in_euros(sale)
    sale.refund(sale.part("0.5"), "Bank transfer")


# Reset, cancelled, deleted


def reset(sale: Sale) -> None:
    """Reset: its payments came off."""
    paid_in_two(sale)
    sale.reset()


def reset_and_paid_again(sale: Sale) -> None:
    """Refunded, reset, paid again."""
    refunded_in_part(sale)
    sale.reset()
    sale.pay(sale.total, "Bank transfer")


def cancelled(sale: Sale) -> None:
    """Cancelled."""
    left_open(sale)
    sale.cancel()


def cancelled_paid(sale: Sale) -> None:
    """Paid, then cancelled."""
    paid_in_two(sale)
    sale.cancel()


def cancelled_refunded(sale: Sale) -> None:
    """Refunded, cancelled, deleted."""
    refunded_in_part(sale)
    sale.cancel()
    sale.delete()


def deleted(sale: Sale) -> None:
    """Deleted."""
    left_open(sale)
    sale.delete()


def reset_and_deleted(sale: Sale) -> None:
    """Paid, reset, deleted."""
    paid(sale)
    sale.reset()
    sale.delete()


# Edits


def only_edit_came(sale: Sale) -> None:
    """Only its edit came."""
    sale.fill()
    sale.edit()
    sale.pay(sale.total)


def mended(sale: Sale) -> None:
    """Its tax was wrong, and corrected."""
    sale.sell(SHELF, taxes=(UNMAPPED_RATE, "0"))
    sale.sell(BOLT)
    sale.create("tax_rate_unmapped")
    sale.mend()
    sale.pay(sale.total)


# Wrong on purpose


def edited_after_deposit(sale: Sale) -> None:
    """Edited after a deposit."""
    left_open(sale)
    sale.pay(sale.part("0.2"))
    sale.edit("authorised_not_editable")


def unmapped_tax(sale: Sale) -> None:
    """A tax that nobody set up."""
    sale.sell(SHIRT, taxes=(UNMAPPED_RATE, "0"))
    sale.fill()
    sale.create("tax_rate_unmapped")


def unmapped_tax_paid(sale: Sale) -> None:
    """A tax that nobody set up, paid."""
    unmapped_tax(sale)
    sale.pay(sale.total, refused="tax_rate_unmapped")


def wrong_total(sale: Sale) -> None:
    """Its lines make another total."""
    sale.fill()
    sale.create("total_mismatch", added=Decimal(25))


def overpaid(sale: Sale) -> None:
    """Paid more than it is."""
    left_open(sale)
    sale.pay(sale.total + 50, refused="exceeds_amount_due")


def over_refunded(sale: Sale) -> None:
    """Refunded more than was paid."""
    left_open(sale)
    sale.pay(sale.part("0.5"))
    sale.refund(sale.total, refused="refund_exceeds_paid")


def paid_after_cancel(sale: Sale) -> None:
    """Paid after it was cancelled."""
    left_open(sale)
    sale.cancel()
    sale.pay(sale.total, refused="document_removed")


USUAL: list[SaleScene] = [paid, paid, paid, paid_in_two, left_open, left_open]
"""By chance, the usual ones more often."""
SALES: list[SaleScene] = [
    services,
    fractions,
    gift_and_voucher,
    two_taxes,
    in_euros,
    instalments,
    cash_and_card,
    payment_came_first,
    only_payment_came,
    refunded_in_part,
    refunded,
    refunded_twice,
    refunded_in_euros,
    reset,
    reset_and_paid_again,
    cancelled,
    cancelled_paid,
    cancelled_refunded,
    deleted,
    reset_and_deleted,
    only_edit_came,
    mended,
    edited_after_deposit,
    unmapped_tax,
    unmapped_tax_paid,
    wrong_total,
    overpaid,
    over_refunded,
    paid_after_cancel,
]
"""Each happens, some of them more than once."""


# Purchase orders


def ordered(purchase: Purchase) -> None:
    """Ordered."""
    purchase.name("Spring stock")
    purchase.fill()
    purchase.create()


def order_edited(purchase: Purchase) -> None:
    """Ordered, one more of it."""
    purchase.fill()
    purchase.create()
    purchase.edit()


def order_deleted(purchase: Purchase) -> None:
    """Ordered, deleted."""
    purchase.fill()
    purchase.create()
    purchase.delete()


def received(purchase: Purchase) -> None:
    """Received: a bill."""
    purchase.fill()
    purchase.create()
    purchase.receive()


def edited_and_received(purchase: Purchase) -> None:
    """Edited, then received: a bill."""
    order_edited(purchase)
    purchase.receive()


def only_receipt_came(purchase: Purchase) -> None:
    """Only its receipt came: a bill."""
    purchase.fill()
    purchase.receive()


def received_in_dollars(purchase: Purchase) -> None:
    """In Canadian dollars: a bill."""
    purchase.foreign("CAD")
    purchase.sell(catalogue.LAMP, discount="12.5")
    purchase.sell(catalogue.PAINT, taxes=("5", "0"))
    purchase.create()
    purchase.receive()


def edited_after_receipt(purchase: Purchase) -> None:
    """Edited after it was received."""
    received(purchase)
    purchase.edit("order_billed")


PURCHASES: list[PurchaseScene] = [
    ordered,
    order_edited,
    order_deleted,
    received,
    edited_and_received,
    only_receipt_came,
    received_in_dollars,
    edited_after_receipt,
]

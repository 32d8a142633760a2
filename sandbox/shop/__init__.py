"""A sample shop in SalesBinder: a day's change events, and its books in the evening.

``day`` tells the story, ``scenes`` has the things that can happen to a document, ``papers`` and ``people``
write the events, ``books`` has the result.
"""

from .books import (
    Figures,
    Money,
    Refusal,
    ShopContact,
    ShopDay,
    ShopDocument,
    ShopInvoice,
    ShopOrder,
)
from .catalogue import PAYMENT_ACCOUNTS, TAX_RATES
from .day import shop_day, unreadable_event

__all__ = [
    "PAYMENT_ACCOUNTS",
    "TAX_RATES",
    "Figures",
    "Money",
    "Refusal",
    "ShopContact",
    "ShopDay",
    "ShopDocument",
    "ShopInvoice",
    "ShopOrder",
    "shop_day",
    "unreadable_event",
]

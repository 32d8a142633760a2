"""All that people and programs do in a shop, with the rules of SalesBinder as far as they are known.

Each act takes the shop first, raises `Refused` where SalesBinder would refuse and LookupError for ids that
do not exist, and notes in the shop's truth what truly happened.
"""

from .archive import archive, unarchive
from .base import ACTS, Refused, act, amount
from .conversions import bring_old_invoice, convert_estimate
from .documents import (
    OTHERS,
    cancel_document,
    create_document,
    delete_document,
    edit_document,
    send_document,
    set_estimate_state,
)
from .lines import LineInput, as_input
from .money import correct_payment, pay, refund, reset
from .orders import close_order, receive, take_back_receipt
from .parties import assign, convert_prospect, create_party, delete_party, edit_party

__all__ = [
    "ACTS",
    "OTHERS",
    "LineInput",
    "Refused",
    "act",
    "amount",
    "archive",
    "as_input",
    "assign",
    "bring_old_invoice",
    "cancel_document",
    "close_order",
    "convert_estimate",
    "convert_prospect",
    "correct_payment",
    "create_document",
    "create_party",
    "delete_document",
    "delete_party",
    "edit_document",
    "edit_party",
    "pay",
    "receive",
    "refund",
    "reset",
    "send_document",
    "set_estimate_state",
    "take_back_receipt",
    "unarchive",
]

"""The questions that SalesBinder's API leaves open, and what one can do to answer each. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
Origin = Literal["look", "reader", "watch"]
"""The probe's own questions, what the account's reader has measured, or ``--watch``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was learnt of a question. It holds forms, counts and names of fields and statuses alone."""

    question: str
    answer: str
    number: int = 0
    """Of the open question that it is about; 0 for what is merely good to know."""
    part: str = ""
    """The part of that question which it answers; blank if it answers none."""
    origin: Origin = "look"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an open question, answered by itself."""

    name: str
    experiment: str
    """What to do to learn it."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that SalesBinder's pages do not answer."""

    number: int
    title: str
    parts: tuple[Part, ...]


_WATCH: Final = "watch an invoice (--watch NUMBER), and in SalesBinder "
_ORDER: Final = "watch an order (--watch with its id), and in SalesBinder "
_MAKE: Final = "make one in SalesBinder, and probe again"

OPEN: Final = (
    OpenQuestion(
        1,
        "What moves modified",
        (
            Part("a payment", _WATCH + "apply a payment to it"),
            Part("Return Payment", _WATCH + "return one of two payments"),
            Part("Reset Invoice", _WATCH + "reset it while it has two payments"),
            Part("cancelling", _WATCH + "cancel it"),
            Part("sending", _WATCH + "send it by e-mail to yourself"),
            Part("archiving and bringing back", _WATCH + "archive it, wait for a minute, and bring it back"),
            Part("receiving in part", _ORDER + "receive some of its goods"),
            Part("receiving in full", _ORDER + "receive all of its goods"),
            Part("the customer of an invoice that is saved", _WATCH + "save it with another line"),
        ),
    ),
    OpenQuestion(
        2,
        "What transactions show after money went back",
        (
            Part("after Return Payment", _WATCH + "return one of two payments"),
            Part("after Reset Invoice", _WATCH + "reset it while it has two payments"),
        ),
    ),
    OpenQuestion(
        3,
        "Ids and names of statuses",
        (
            Part("unpaid", "an unpaid invoice: " + _MAKE),
            Part("partially paid", "an invoice that is paid in part: " + _MAKE),
            Part("paid in full", "a paid invoice: " + _MAKE),
            Part("cancelled", "a cancelled invoice: " + _MAKE),
            Part("an order that is not received", "an order: " + _MAKE),
            Part("partially received", "an order of which some goods were received: " + _MAKE),
            Part("received", "an order that was received in full: " + _MAKE),
        ),
    ),
    OpenQuestion(
        4,
        "The deletion log",
        (
            Part("the context of a deleted invoice", _WATCH + "delete it"),
            Part(
                "the context of a deleted estimate",
                "delete an estimate, and look at the newest row of the log",
            ),
            Part("seconds until it shows a deletion", _WATCH + "delete it"),
        ),
    ),
    OpenQuestion(
        5,
        "modifiedSince",
        (Part("the very second, and one later", "edit an invoice, and probe again"),),
    ),
    OpenQuestion(
        6,
        "Archived documents",
        (
            Part("in lists", _WATCH + "archive it"),
            Part("their details", _WATCH + "archive it"),
            Part("in the deletion log", _WATCH + "archive it, and wait for two minutes"),
        ),
    ),
    OpenQuestion(
        7,
        "The edges of lists",
        (
            Part("a page after the last one", "probe again"),
            Part("pageLimit=500", "probe again"),
            Part("no contextId", "probe again"),
            Part("order of accounts", "make two customers with numbers, and probe again"),
        ),
    ),
    OpenQuestion(
        8,
        "Limits and blocks",
        (
            Part("headers of limits", "probe again"),
            Part(
                "the body and headers of a block, and what calls within it do",
                "with a trial account that nothing else uses, send 16 calls within ten seconds with curl -i, "
                "and one more half a minute later: note body, headers, and when it ends. No probe does that",
            ),
            Part(
                "whether limits are per key", "the same, and meanwhile one call with the key of a second user"
            ),
        ),
    ),
    OpenQuestion(
        9,
        "Refusals",
        (
            Part("a wrong key", "give a wrong key: curl -i -u wrong:x, and note status and the body's form"),
            Part(
                "a missing permission",
                "take View Suppliers from the key's user for a quarter of an hour, and probe again",
            ),
        ),
    ),
    OpenQuestion(
        10,
        "Lines",
        (
            Part("ids after an edit", _WATCH + "change a line's price and save"),
            Part(
                "item in lines of a detail", "make an invoice with an item of the inventory, and probe again"
            ),
        ),
    ),
    OpenQuestion(
        11,
        "The change feed of API 3",
        (
            Part("whether it can be read", "make a key of version 3, and give it to sbx source feed"),
            Part(
                "whether payments, resets and archiving make an entry",
                "with curl: GET /api/v3/sync?start=now, then pay, reset and archive, each followed by GET "
                "with the cursor: note resource and operation",
            ),
        ),
    ),
    OpenQuestion(
        12,
        "Webhooks",
        (
            Part("whether they come", "give SalesBinder the address of sbx source hook for all events"),
            Part(
                "names, headers and bodies",
                "with a trial account, give SalesBinder the address of a request catcher of your own: note "
                "names of events, of headers and of fields for an edit, a payment, a reset and an archiving",
            ),
        ),
    ),
)
PARTS: Final[Mapping[tuple[int, str], Part]] = {
    (each.number, part.name): part for each in OPEN for part in each.parts
}


def plain_name(name: Any) -> str:
    """Return the name of a field; what is no name of one may be something of the shop's, and is masked."""
    return str(name) if _NAME.fullmatch(str(name)) else "(another name)"


def not_learnt(found: Iterable[Finding]) -> list[tuple[OpenQuestion, Part]]:
    """Return the parts that no finding answers."""
    learnt = {(each.number, each.part) for each in found}
    return [(each, part) for each in OPEN for part in each.parts if (each.number, part.name) not in learnt]

"""What the reader cannot make sense of: one named problem per record, while all others go on."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from contracts.events.invalid import InvalidEvent, shown

ProblemCode = Literal[
    "answer_unreadable",
    "record_unclear",
    "record_foreign",
    "field_vanished",
    "event_refused",
    "transactions_missing",
    "transaction_marked",
    "transaction_sign_changed",
    "sums_disagree",
    "payments_before_start_unknown",
    "status_unknown",
    "cancelled_live_again",
    "received_in_part_again",
    "deleted_yet_visible",
    "list_refused",
    "list_odd",
    "rows_not_shown",
    "record_refused",
    "history_left_out",
    "clock_off",
]
"""Codes never change: dashboards and scripts rely on them."""

_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")

LOOK_AGAIN: Final = "Nothing is needed if it passes: the record is looked at again. "


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one record or answer: ``field`` has ``value`` (shortened), which is a problem
    because of ``problem``, and ``remedy`` says what to do.
    """

    code: ProblemCode
    entity: str
    record_id: str
    field: str
    value: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.entity} {self.record_id}: {self.field}: {self.value}: {self.problem}. {self.remedy}"


class Unreadable(ValueError):
    """An answer, or a part of one, that cannot be read; holds all that a problem needs but its record."""

    def __init__(
        self,
        field: str,
        value: object,
        problem: str,
        remedy: str,
        code: ProblemCode = "record_unclear",
    ) -> None:
        self.code: ProblemCode = code
        self.field = field
        self.value = shown(value)
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{field}: {self.value}: {problem}. {remedy}")

    def of(self, entity: str, record_id: str) -> Problem:
        """Return the problem of this record."""
        return Problem(self.code, entity, record_id, self.field, self.value, self.problem, self.remedy)


def storable(text: str) -> str:
    """Return a text that PostgreSQL takes: without NUL and halves of characters, which JSON may hold."""
    return _NOT_STORABLE.sub("\ufffd", text)


def refused(wrong: InvalidEvent) -> Unreadable:
    """Return the fault that the pipeline's own check finds, in terms of SalesBinder's answer."""
    if wrong.reason_code == "event_too_large":
        return Unreadable(
            "document",
            wrong.value,
            wrong.problem,
            "Split the document into smaller ones in SalesBinder.",
            "event_refused",
        )
    field = wrong.field.removeprefix("data.")
    foreign = field.endswith(("context_id", "customer.id", "document_id"))
    return Unreadable(
        field,
        None if wrong.value == "absent" else wrong.value,
        wrong.problem,
        "Correct it in SalesBinder if the record shows it so there; else report the answer to SalesBinder.",
        "record_foreign" if foreign else "record_unclear",
    )

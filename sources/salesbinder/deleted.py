"""Rows of SalesBinder's deleted log: the only thing that says that a record was deleted. Pure.

Its context ids contradict those of all other pages, so a row names a record by its id alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sources.problems import Unreadable
from sources.salesbinder.values import moment_or_none, own_id

LIST_NAMES = ("deletedlog", "deleted_log", "deletedlogs", "deleted_logs")
"""The keys under which its rows were seen; the first is that of SalesBinder's sample."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """One row: the record of that id was deleted at that moment."""

    record_id: str
    created: datetime | None
    """None if the row does not say it readably."""


def read_deletion(row: Any) -> Deletion:
    """Return the deletion of a row.

    Raises:
        Unreadable: the row names no record.
    """
    if not isinstance(row, Mapping):
        raise Unreadable("row", row, "it is not an object", "Report the answer to SalesBinder.")
    record_id = own_id(row.get("record_id"))
    if record_id is None:
        raise Unreadable(
            "record_id", row.get("record_id"), "it is required", "Report the answer to SalesBinder."
        )
    return Deletion(record_id, moment_or_none(row.get("created")))

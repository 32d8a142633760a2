"""Entries of the Integrations Log about records of SalesBinder that cannot be read. Pure."""

import uuid
from datetime import datetime
from typing import Final, get_args

from contracts.commands import Entity
from contracts.reasons import render
from contracts.results import EntryResult, encode_result
from sources.problems import Problem, ProblemCode

RESULTS: Final = "integration.results"
TRIGGER: Final = "source"
_NAMESPACE: Final = uuid.UUID("0b0c2f7e-55f5-5d0c-8f0e-4f1d6a0f2f4b")
ENTITIES: Final = frozenset(get_args(Entity))
NEEDS_NOTHING: Final[frozenset[ProblemCode]] = frozenset({"status_unknown"})


def has_entry(entity: str, code: str) -> bool:
    """Return True for a problem of a record that somebody may have to look at; those of lists are shown with
    the account.
    """
    return entity in ENTITIES and code not in NEEDS_NOTHING


def entry(
    account: str, problem: Problem, since: datetime, over: datetime | None = None
) -> tuple[str, bytes, bytes]:
    """Return topic, key and value of the entry of a problem that began at ``since``, and is over if it is.

    The same problem is the same entry, however often it is told; one that comes again later is another.
    """
    document = f"{problem.entity.replace('_', ' ')} {problem.record_id}"
    details = {"account": account, "document": document, "field": problem.field, "value": problem.value}
    details |= {"problem": problem.problem, "remedy": problem.remedy}
    reason, remedy = render(problem.code, details)
    parts = (account, problem.entity, problem.record_id, problem.code, since.isoformat())
    result = EntryResult(
        entry_id=str(uuid.uuid5(_NAMESPACE, "\n".join(parts))),
        version=0 if over is None else 1,
        account=account,
        entity=problem.entity,
        record_id=problem.record_id,
        action="",
        state="failed" if over is None else "completed",
        outcome=None if over is None else "not_needed",
        reason_code=problem.code if over is None else None,
        reason=reason if over is None else "",
        remedy=remedy if over is None else "",
        queued_at=since,
        finished_at=over or since,
        triggered_by=TRIGGER,
    )
    return RESULTS, f"{account}/{problem.record_id}".encode(), encode_result(result)

"""Steps of entries: which a result tells, and how they read. Pure.

The entry's own row tells when it was received, first taken up, and how it ended for as long as it stays so. A
step is kept apart if a later version of the entry would make it unknown.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.results import EntryResult, Step

_QUEUED_BY = {"retry": "retried", "replay": "replayed", "drift": "sent_again", "decision": "decided"}
_WORDS = {
    "queued": "back in the queue",
    "held": "account held",
    "released": "account released",
}


def told(results: Iterable[EntryResult]) -> list[dict[str, Any]]:
    """Return the steps that results tell, in the form of ``integrations_log.step``, each once."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for result in results:
        own = _own(result)
        for step in (*result.history, *([] if own is None else [own])):
            row = {"entry_id": result.entry_id, **msgspec.structs.asdict(step)}
            found.setdefault((result.entry_id, step.version), row)
    return list(found.values())


def dated(result: EntryResult, at: float) -> EntryResult:
    """Return the result with the step that queued it again, as of when it was published, if it names neither
    step nor time: those of earlier versions of this program do not.

    Args:
        at: Unix seconds; 0 if they are not known.
    """
    if result.state != "queued" or not result.version or result.at is not None or not at:
        return result
    if any(step.version == result.version for step in result.history):
        return result
    word = "waiting" if result.reason_code else _QUEUED_BY.get(result.triggered_by, "queued")
    step = Step(
        version=result.version,
        at=datetime.fromtimestamp(at, UTC),
        step=word,
        reason_code=result.reason_code,
        reason=result.reason,
        triggered_by="" if result.reason_code else result.triggered_by,
        actor="" if result.reason_code else result.actor,
    )
    return msgspec.structs.replace(result, history=(*result.history, step))


def _own(result: EntryResult) -> Step | None:
    """Return the step that this version of an entry is; None for one that the entry's row tells."""
    if result.state == "failed":
        at, word = result.finished_at or result.at or result.queued_at, "failed"
    elif result.at is None or result.state == "completed":
        return None
    elif result.state == "running":
        at, word = result.at, "taken_up"
    else:
        at, word = result.at, "waiting" if result.reason_code else "queued"
    return Step(
        version=result.version,
        at=at,
        step=word,
        reason_code=result.reason_code,
        reason=result.reason,
        remedy=result.remedy,
    )


def in_words(step: Mapping[str, Any]) -> str:
    """Return a row of ``integrations_log.steps`` in a line: ``failed: Xero has no such tax rate.``"""
    word, detail = step["step"], step["detail"] or {}
    by = f" by {step['actor']}" if step["actor"] else ""
    if word == "setting_changed":
        old, new = (detail[name] or "the default" for name in ("old", "new"))
        return f"setting {detail['setting']} changed from {old} to {new}{by}"
    if word == "completed":
        return f"completed: {(step['outcome'] or 'posted').replace('_', ' ')}{by}"
    said = _WORDS.get(word, word.replace("_", " ")) + by
    return f"{said}: {step['reason']}" if step["reason"] else said

"""What is wrong with a shop at the end, and which differences its log explains."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sources.problems import Problem
from tests.reliability.shops.installation import Installation, Message
from tests.reliability.shops.judge import as_it_happened, differences, uncalled_for
from tests.reliability.shops.reasons import Reasons
from tests.reliability.shops.shop import ReadShop
from tests.unit.sources.truth import untrue

Row = Mapping[str, Any]
_ENTRIES = """
SELECT
    record_id, entity, action, state, outcome, reason_code, reason, amount, event_id, triggered_by,
    ARRAY(
        SELECT steps.reason_code FROM integrations_log.steps
        WHERE steps.entry_id = entry.entry_id AND step = 'failed'
    ) AS failed_as
FROM integrations_log.entry WHERE account = %s
"""
_PROBLEMS = """
SELECT code, entity, record_id, field, value, problem, remedy FROM source.problems WHERE account = %s
"""


@dataclass
class Verdict:
    """On one shop."""

    row: int
    changes: int = 0
    events: int = 0
    repeated: int = 0
    exact: tuple[int, int] = (0, 0)
    documents: int = 0
    wrong: list[str] = field(default_factory=list)
    explained: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


def verdict_of(
    shop: ReadShop, installation: Installation, messages: Sequence[Message], *, may_repeat: bool
) -> Verdict:
    """Judge a shop of which all has been read and delivered."""
    problems = [Problem(**row) for row in installation.rows(_PROBLEMS, shop.account)]
    shop.hear(messages, problems)
    entries = installation.rows(_ENTRIES, shop.account)
    verdict = Verdict(
        shop.row,
        shop.changes,
        len(shop.reader.told),
        shop.reader.repeated,
        as_it_happened(shop),
        len(shop.shop.truth.documents),
        faults=shop.faults,
    )
    verdict.ends.update(_end(entry) for entry in entries)
    verdict.wrong += untrue(shop) + uncalled_for(shop)
    verdict.wrong += [f"{event_id} has two contents" for event_id in shop.reader.faked]
    if shop.reader.repeated and not may_repeat:
        verdict.wrong.append(f"{shop.reader.repeated} messages were published twice")
    verdict.wrong += _log(shop, entries)
    reasons = Reasons(shop, entries)
    used = set[int]()
    for one in differences(shop, installation.xero.admin.state(shop.tenant_id)):
        found = reasons.of(one)
        if found:
            verdict.explained[f"{one.what} {found[0]['reason_code']}"] += 1
            used |= {id(entry) for entry in found}
        else:
            own = "; ".join(_told(entry) for entry in entries if entry["record_id"] == one.record_id)
            verdict.wrong.append(f"{one.text} [{own}]")
    for entry in reasons.failed:
        if not reasons.is_due(entry):
            verdict.wrong.append(f"fails without need: {_told(entry)}")
        elif id(entry) not in used:
            verdict.explained[f"nothing {entry['reason_code']}"] += 1
    return verdict


def _log(shop: ReadShop, entries: Sequence[Row]) -> list[str]:
    """What was published has one entry each; nothing else has one but problems of the reader."""
    told = Counter(event.id for event in shop.reader.told)
    logged = Counter(entry["event_id"] for entry in entries if entry["triggered_by"] != "source")
    return [f"event {event_id} has {logged[event_id]} entries, not {told[event_id]}"
            for event_id in told | logged if told[event_id] != logged[event_id]]  # fmt: skip


def _end(entry: Row) -> str:
    return str(
        (entry["outcome"] if entry["state"] == "completed" else entry["reason_code"]) or entry["state"]
    )


def _told(entry: Row) -> str:
    reason = f": {entry['reason']}" if entry["state"] == "failed" else ""
    return f"{entry['entity']} {entry['action']} {_end(entry)}{reason}"

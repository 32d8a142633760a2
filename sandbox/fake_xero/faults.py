"""Scripted and seeded faults: which calls they hit, and how often. Their effects are in `api.py`."""

import asyncio
import contextlib
import random
import re
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "latency": "wait `seconds` (real ones), or until the rule is taken away, before applying",
    "latency_after": "apply, then wait `seconds` (real ones), or until the rule is taken away, then answer",
    "drop_before": "close the connection, nothing applied",
    "drop_after": "apply, then close the connection",
    "late_apply": "close the connection, apply `seconds` (of the fake's clock) later; with `status`: answer "
    "that instead, as a gateway does that has given up",
    "error_before": "answer `status` (default 500), nothing applied; a 500 is kept under the Idempotency-Key",
    "error_after": "apply, then answer `status` (default 500), kept under the Idempotency-Key",
    "answer": "answer `status` (default 400) with the JSON text `value`, nothing applied; `{authorization}` "
    "in it becomes that header of the call, as a proxy's page may show it",
    "stumble": "answer 500 whenever the body holds `value`, nothing applied",
    "unavailable": "answer 503, nothing applied, nothing kept",
    "rate_limit": "answer 429 with `problem` and, unless it is null, `retry_after`",
    "expired_token": "answer 401 as for an expired token",
    "not_json": "apply, then answer an HTML page with `status` (default 200)",
    "summarise": "apply, and summarise errors although the caller asked not to",
    "unnamed": "apply, and summarise errors without telling which elements they are of",
    "shuffle": "apply, and answer a batch's elements in another order",
    "unknown_enum": "apply, and put `value` into field `name` of the first element answered",
    "by_hand": "somebody changes the books before this call is applied: `value` is a request as JSON, "
    'such as {"method": "POST", "path": "Invoices", "body": {...}}',
    "trickle": "apply, and send the body in pieces over `seconds` (real ones)",
}


@dataclass(slots=True)
class Fault:
    """A rule: calls that match `method` and `path` (searched, as regular expressions) are hit after `skip`,
    `times` of them at most (None: all), each with `probability` drawn from a generator seeded with `seed`."""

    kind: str
    method: str = ""
    path: str = ""
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float = 0.0
    status: int | None = None
    problem: str = "minute"
    retry_after: int | None = None
    name: str = "Status"
    value: str = "SOMETHING_NEW"
    client_id: str | None = None
    fault_id: int = 0
    hits: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)
    _gone: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is unknown: use one of {', '.join(KINDS)}")
        self._random.seed(self.seed)

    def strikes(self, method: str, path: str, client_id: str | None) -> bool:
        """Return whether this call is hit; counts it if so."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.client_id is not None and client_id != self.client_id:
            return False
        if not (re.search(self.method, method) and re.search(self.path, path)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.hits += 1
        return True

    async def wait(self, seconds: float | None = None) -> None:
        """Wait so many real seconds (the rule's own if not given), or until the rule is taken away."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), self.seconds if seconds is None else seconds)

    def lift(self) -> None:
        """Let the calls go on that wait."""
        self._gone.set()


class FaultPlan:
    """The rules in force; the first one of a kind that strikes counts."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self._next_id = 1

    def add(self, **settings: Any) -> Fault:
        """Add a rule. Raises ValueError or TypeError on a setting that does not exist."""
        fault = Fault(**settings)
        fault.fault_id, self._next_id = self._next_id, self._next_id + 1
        self.rules.append(fault)
        return fault

    def pick(self, method: str, path: str, client_id: str | None) -> dict[str, Fault]:
        """Return the rules that hit this call, by kind."""
        if not self.rules:
            return {}
        struck: dict[str, Fault] = {}
        for rule in self.rules:
            if rule.kind not in struck and rule.strikes(method, path, client_id):
                struck[rule.kind] = rule
        return struck

    def clear(self, fault_id: int | None = None) -> None:
        """Take away one rule, or all."""
        for rule in self.rules:
            if fault_id in (None, rule.fault_id):
                rule.lift()
        self.rules = [] if fault_id is None else [rule for rule in self.rules if rule.fault_id != fault_id]

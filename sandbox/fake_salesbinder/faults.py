"""Scripted and seeded faults: which calls they hit, and how often. `mangle`, `api` and `app` do them."""

import random
import re
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    # instead of the answer
    "status": "answer `status` (default 500) with a refusal's body, nothing done",
    "html": "answer a page with `status` (default 200) instead of JSON (§1 Front, §8, §12.19)",
    "rate_limit": "begin a block of `seconds` (default 60) for this caller (§8 429)",
    "redirect": "answer 302 to the address `value` (§1: never follow one with the key)",
    "not_found": "answer 404 although the record exists (§5: vanished is unknown)",
    "drop_before": "close the connection, nothing done",
    # time
    "slow": "wait `seconds` (real ones) before answering",
    "trickle": "send the body in pieces over `seconds` (real ones)",
    "clock_off": "the Date header is `seconds` off (§2: the server's clock)",
    # the body's bytes
    "truncated": "answer only the first `fraction` of the body, as if that were all",
    "broken_off": "answer the first `fraction` of the body, then close the connection",
    "drop_after": "do what is asked, then close the connection",
    "notice": "put a notice of PHP before the JSON",
    "invalid_utf8": "put a byte that is not UTF-8 into the first text",
    # lists
    "counts": "`count` is `amount` more than it is, and `pages` follows (§2 Order and drift: a failed scan)",
    "empty_list": "nothing is found, count 0 (§12.11)",
    "halved_list": "only every second row is found, and `count` says so (issue: lists suddenly halved)",
    "duplicate_rows": "the first row comes twice (§2 Order and drift, §8 duplicate ids)",
    "skip_rows": "the last row is missing; `count` stays (§2 Order and drift, §12.5)",
    "other_context": "a row of another context is mixed in (§8 200 with something else)",
    "by_hand": "the shop changes before this call is answered: `value` is an act as JSON, such as "
    '{"act": "delete_document", "document_id": "…"}; rows move while paging',
    # records
    "missing_root": "the body without its root key (§8 200 with something else)",
    "other_record": "the detail of another record than asked for (§8)",
    "remove": "field `name` is missing, in each row or the detail; a dot goes into objects and each line",
    "replace": "field `name` holds the JSON `value`: another type, an unknown status, a date without time",
    "new_field": "SalesBinder adds field `name` with the JSON `value` (§12.14)",
}


@dataclass(slots=True)
class Fault:
    """A rule: calls that match `method` and `path` are hit after `skip`, `times` of them at most (None: all),
    each with `probability` drawn with `seed`. Both are searched as regular expressions; the path has its
    query, as in `documents.json?page=2`."""

    kind: str
    method: str = ""
    path: str = ""
    shop: str | None = None
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float = 0.0
    status: int | None = None
    fraction: float = 0.5
    amount: int = 1
    name: str = ""
    value: str = ""
    fault_id: int = 0
    hits: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is unknown: use one of {', '.join(KINDS)}")
        self._random.seed(self.seed)

    def strikes(self, method: str, path: str, shop: str | None) -> bool:
        """Return whether this call is hit; counts it if so."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.shop is not None and shop != self.shop:
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


class FaultPlan:
    """The rules in force. A call may be hit by several, in the order in which they were added."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self._next_id = 1

    def add(self, kind: str, **settings: Any) -> Fault:
        """Add a rule. Raises ValueError or TypeError on a setting that does not exist."""
        fault = Fault(kind, **settings)
        fault.fault_id, self._next_id = self._next_id, self._next_id + 1
        self.rules.append(fault)
        return fault

    def pick(self, method: str, path: str, shop: str | None) -> list[Fault]:
        """Return the rules that hit this call."""
        return [rule for rule in self.rules if rule.strikes(method, path, shop)]

    def clear(self, fault_id: int | None = None) -> None:
        """Take away one rule, or all."""
        self.rules = [] if fault_id is None else [rule for rule in self.rules if rule.fault_id != fault_id]

"""Regular expressions that see foreign text take no longer than its length, however hostile it is.

Compared are two lengths, ten times apart: the square would take a hundred times as long.
"""

import ast
import json
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.events.envelope import ACCOUNT
from contracts.events.fields import _DATE_TIME, _NUMBER
from contracts.events.invalid import CONTROL
from contracts.events.reader import InvalidEvent, read_event
from contracts.messages import _ID
from contracts.reasons import cause_of, render, text_shape
from log_projection.offsets import NotOffsets, offset_range
from log_projection.paging import digits
from mappers.texts import _NOT_ALLOWED
from runtime.outgoing.proxies import _STATUS, refusal
from runtime.secrets import mask, mask_head
from sbx.actions.source import _ADDRESS
from sbx.cli.event_faults import _STEP
from sbx.web.addresses import _TOO_LONG
from sbx.web.view.fix_links import _COMMAND
from sinks.drift.compare import _UPDATED
from sinks.planner.contact_lookups import _plainest_part
from sinks.resolve.contacts import _EMAIL, _country
from sinks.xero import errors
from sinks.xero.responses import decode
from sources.hints import ids_in
from sources.problems import _NOT_STORABLE
from sources.salesbinder import transactions, values, verdicts

ROOT = Path(__file__).parents[3]
BOUND = 40.0
"""Times as long that ten times the length may take: 10 were it exact, 100 for the square."""
NOTHING = 0.0005
"""Seconds below which a time says nothing about growth; the square of the greater length takes a second."""
SHORT = 1_000

SECRETS = ("eyJ-", "eyJ", "eyJhbGciOi.", "bearer ", "basic ", "basic/", "password", "password: ", "token\\\"",
           "authorization\t\t", "client_secret=\\", "/hooks/a", "authorization: bearer ")  # fmt: skip
XERO = ("contact name ", "contact number ", "account code '", "taxtype code '", "code ''", "item code 'a",
        "taxtype code 'a' account code '", "taxtype code 'a'", "lock date ", "lock date 1", "lock date 1a",
        "''", "\"", "1 ", "[\\W_]", "account code is not a valid code '", "subscribed to currency ",
        "taxtype code cannot be used with account code '")  # fmt: skip
PLAIN = ("a", "1", " ", "-", ".", "a.", "a-", "@", "a@", "a@a.", "a@a-", "'", "\"'", "`", "\\", "/", "/1",
         "[", "[1", "\u0301", "ﷺ", "e", "+", "1e", "1.", "\n", "\0", "https://", "/Date(", "refund",
         " refund")  # fmt: skip


def _event(text: str) -> None:
    data = {"customer": {"id": text, "name": text, "modified": text, "office_email": text}}
    event = {"specversion": "1.0", "id": text, "source": text, "type": text, "subject": text, "time": text,
             "data": data}  # fmt: skip
    for changes in ({}, {"id": "1", "source": "/salesbinder/acme", "type": "salesbinder.customer.edited",
                         "subject": "c", "time": "2026-01-01T00:00:00Z"}):  # fmt: skip
        try:
            read_event("salesbinder.customers", b"acme/c", json.dumps({**event, **changes}).encode(), ())
        except InvalidEvent:
            continue


def _offsets(text: str) -> None:
    try:
        offset_range(text)
    except NotOffsets:
        return


def _all_of_xero(text: str) -> None:
    errors.classify([text])
    errors.is_key_reuse([text])
    for rule in errors._RULES:
        if rule.details is not None:
            rule.details.search(text)


STATUSES = (transactions._REFUND, transactions._RETURNED, transactions._VOID)
TAKEN: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "mask": (mask, SECRETS),
    "mask_head": (lambda text: mask_head(text, SHORT * 2), SECRETS),
    "Xero's messages": (_all_of_xero, XERO),
    "Xero's answers": (lambda text: decode(text.encode()), ("[", ", ", "[ ", "null", ", nul")),
    "an event": (_event, PLAIN),
    "an account": (ACCOUNT.fullmatch, PLAIN),
    "a number": (_NUMBER.fullmatch, PLAIN),
    "a time": (_DATE_TIME.fullmatch, PLAIN),
    "an id": (_ID.fullmatch, PLAIN),
    "a field of an event": (_STEP.findall, PLAIN),
    "a document's number": (digits, PLAIN),
    "control characters": (lambda text: (CONTROL.sub("", text), _NOT_ALLOWED.sub("", text)), PLAIN),
    "a shape": (text_shape, PLAIN),
    "a cause": (lambda text: cause_of("event_field_wrong", {"field": text, "message": text}), PLAIN),
    "a remedy": (lambda text: render("payment_account_unknown", {"setting": text}), PLAIN),
    "an e-mail address": (_EMAIL.fullmatch, PLAIN),
    "a country": (lambda text: _country(text, []), PLAIN),
    "a contact's name": (_plainest_part, PLAIN),
    "a time of Xero's": (_UPDATED.fullmatch, PLAIN),
    "a proxy's answer": (lambda text: (_STATUS.match(text.encode()), refusal(403, text, "p", "t")), PLAIN),
    "offsets": (_offsets, PLAIN),
    "an address of SalesBinder": (_ADDRESS.fullmatch, (*PLAIN, "a.salesbinder.com", ".salesbinder.com/")),
    "a path": (_TOO_LONG.search, (*PLAIN, "/1111111111111111111", "11111111111111111111/a")),
    "a remedy's commands": (_COMMAND.findall, (*PLAIN, "'sbx ")),
    "a hint": (lambda text: ids_in(text.encode()), (*PLAIN, "00000000-0000-0000-0000-")),
    "a problem": (lambda text: _NOT_STORABLE.sub("?", text), PLAIN),
    "a reference": (transactions._IN_WORDS.match, PLAIN),
    "a status": (
        lambda text: [one.search(text) for one in STATUSES],
        (*PLAIN, "charge_", "credit", "return"),
    ),
    "SalesBinder's values": (
        lambda text: (values.identifier(text), values._without_noise(text), values.text(text)),
        PLAIN,
    ),
    "SalesBinder's headers": (verdicts._OF_LIMITS.search, (*PLAIN, "rate-", "retry-")),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_ten_times_the_length_takes_ten_times_as_long(name: str) -> None:
    take, seeds = TAKEN[name]
    slow = {}
    for text in (make for seed in seeds for make in (_repeated(seed), _drawn_out(seed))):
        factor = _factor(take, text)
        if factor > BOUND:
            slow[text(40)] = round(factor)
    assert slow == {}


def _repeated(seed: str) -> Callable[[int], str]:
    return lambda length: (seed * length)[:length]


def _drawn_out(seed: str) -> Callable[[int], str]:
    """The seed once, its last character over and over, then something else that fits nothing."""
    return lambda length: seed + seed[-1] * length + "\x01"


def _factor(take: Callable[[str], Any], text: Callable[[int], str]) -> float:
    short, long = text(SHORT), text(SHORT * 10)
    for _ in range(3):  # what else the machine does may fall on one of them
        factor = _best(take, long) / max(_best(take, short), NOTHING)
        if factor <= BOUND:
            return factor
    return factor


def _best(take: Callable[[str], Any], text: str) -> float:
    taken = []
    for _ in range(3):
        began = time.process_time()
        take(text)
        taken.append(time.process_time() - began)
    return min(taken)


def test_the_bound_tells_the_square_from_the_length() -> None:
    assert _factor(re.compile("a .*b").search, _repeated("a ")) > BOUND
    assert _factor(re.compile("a [^a]*b").search, _repeated("a ")) <= BOUND


def test_what_is_looked_at_is_cut_before() -> None:
    seen = []
    secret = "eyJhbGciOiJSUzI1NiJ9." + "a" * 5000
    for most in (100, 1000):
        text = "x " * (most // 2 - 20) + secret + " y" * 100_000
        shown = mask_head(text, most)
        assert len(shown) <= most and "eyJ" not in shown and "***" in shown
        seen.append(_best(partial(mask_head, most=most), text))
    assert mask_head("short password=hush", 100) == "short password=***"
    assert max(seen) < _best(mask, "password=x " * 20_000)


OURS = {
    "connections/facts.py", "connections/settings.py", "connections/store.py", "log_projection/search.py",
    "log_projection/shortening.py", "runtime/schema.py", "runtime/secret_keys.py", "runtime/sql.py",
    "runtime/variables.py", "sbx/actions/filters.py", "sbx/actions/users.py", "sbx/cli/archive.py",
    "sbx/cli/options.py", "sbx/cli/times.py", "sbx/migrations.py", "sbx/notify/settings.py",
    "sbx/web/pages/guide.py", "sbx/web/view/filters.py", "sinks/preview/scratch.py", "sources/client.py",
    "sources/probing/questions.py",
}  # fmt: skip
"""Modules whose expressions see what operators type or our own texts, or match a bounded form."""
TESTED = {
    "contracts/events/envelope.py", "contracts/events/fields.py", "contracts/events/invalid.py",
    "contracts/events/reader.py", "contracts/messages.py", "contracts/reasons/__init__.py",
    "log_projection/offsets.py", "log_projection/paging.py", "mappers/texts.py",
    "runtime/outgoing/proxies.py", "runtime/secrets.py", "sbx/actions/source.py", "sbx/cli/event_faults.py",
    "sbx/web/addresses.py", "sbx/web/view/fix_links.py", "sinks/drift/compare.py",
    "sinks/planner/contact_lookups.py", "sinks/resolve/contacts.py", "sinks/xero/errors.py",
    "sinks/xero/responses.py", "sources/hints.py", "sources/problems.py",
    "sources/salesbinder/transactions.py", "sources/salesbinder/values.py",
    "sources/salesbinder/verdicts.py",
}  # fmt: skip
PACKAGES = ("contracts", "runtime", "mappers", "connections", "sinks", "log_projection", "sources", "streams",
            "sbx")  # fmt: skip


def _with_expressions() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import) and any(alias.name == "re" for alias in node.names):
                    yield str(path.relative_to(ROOT))


def test_each_module_with_expressions_is_tested_above_or_sees_no_foreign_text() -> None:
    assert set(_with_expressions()) == OURS | TESTED

"""What answers to about 20 questions tell of the forms of lists and records, and of the edges of the API.

The findings hold forms, counts and names of fields and statuses: no names, amounts or texts of the shop's.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.events.types import CONTEXTS
from sources.probing.measured import status_part
from sources.probing.questions import Finding, plain_name
from sources.problems import Unreadable
from sources.salesbinder.accounts import read_account
from sources.salesbinder.answers import listed, read_detail, read_json, read_list
from sources.salesbinder.deleted import LIST_NAMES
from sources.salesbinder.statuses import is_known
from sources.salesbinder.transactions import read_transactions
from sources.salesbinder.values import amount_of, is_true, moment_or_none, text
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question

Ask = Callable[[Question], Awaitable[Answer]]
EntitiesOf = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
_DETAILS: Final = 5
_ROWS: Final = "50"


@dataclass(slots=True)
class _Report:
    findings: list[Finding] = field(default_factory=list)

    def note(self, question: str, answer: str, number: int = 0, part: str = "") -> None:
        self.findings.append(Finding(question, answer, number, part))


async def shapes(ask: Ask, entities_of: EntitiesOf) -> list[Finding]:
    """Ask about 20 questions and return what the answers tell. ``entities_of`` says what records are by their
    ids, as far as they are known.

    Raises:
        NoAnswer: SalesBinder does not answer.
    """
    report = _Report()
    invoices = await _list(ask, report, "documents.json", "documents", CONTEXTS["invoice"])
    orders = await _list(ask, report, "documents.json", "documents", CONTEXTS["purchase_order"])
    customers = await _list(ask, report, "customers.json", "customers", CONTEXTS["customer"])
    await _list(ask, report, "customers.json", "customers", CONTEXTS["supplier"])
    _statuses(report, "invoice", invoices)
    _statuses(report, "purchase_order", orders)
    _order(report, "documents", invoices, "document_number")
    _order(report, "accounts", customers, "customer_number")
    await _since(ask, report, invoices)
    await _edges(ask, report)
    await _details(ask, report, invoices)
    await _account(ask, report, customers)
    await _log(ask, report, entities_of)
    return report.findings


async def _list(ask: Ask, report: _Report, path: str, name: str, context: int) -> list[Mapping[str, Any]]:
    asked = {"contextId": str(context), "page": "1", "pageLimit": _ROWS}
    answer = await ask(Question(path, asked))
    what = f"{path} with contextId={context}"
    if answer.verdict != "answered":
        part = "a missing permission" if answer.verdict in ("key_refused", "not_permitted") else ""
        report.note(what, _refusal(answer), 9, part)
        return []
    try:
        page = read_list(answer.body, (name, name.removesuffix("s")))
    except Unreadable as wrong:
        report.note(what, f"cannot be read: {wrong.problem}")
        return []
    envelope = read_json(answer.body)
    rows = [row for row in page.rows if isinstance(row, Mapping)]
    shape = _shape(next((value for key, value in envelope.items() if key.startswith(name[:-1])), None))
    numbers = type(envelope.get("count")).__name__
    contexts = dict(Counter(str(row.get("context_id")) for row in rows))
    report.note(what, f"{page.count} rows; as {shape}; count is {numbers}; contexts of the rows: {contexts}")
    if rows:
        report.note(f"fields of a row, {what}", ", ".join(sorted(map(plain_name, rows[0]))))
    return rows


def _shape(rows: Any) -> str:
    outer = listed(rows)
    if not outer:
        return "no list" if outer is None else "[]"
    inner = [listed(row) for row in outer]
    if all(each is None for each in inner):
        return "[row, row]"
    return "[[row, row]]" if len(outer) == 1 else "[[row], [row]]"


def _statuses(report: _Report, entity: str, rows: Sequence[Mapping[str, Any]]) -> None:
    found: dict[str, str] = {}
    for row in rows:
        status = row.get("status")
        if isinstance(status, Mapping):
            name = str(status.get("name"))
            plain = " ".join(name.split()).casefold()
            known = "" if is_known(entity, plain) else " (not known)"
            found[f"{status.get('id')} {name}{known}"] = plain
    what = f"statuses of {entity.replace('_', ' ')}s"
    report.note(what, ", ".join(sorted(found)) or "none seen", 3)
    for said, plain in sorted(found.items()):
        if part := status_part(entity, plain):
            report.note(f"{what}, {part}", said, 3, part)


def _order(report: _Report, what: str, rows: Sequence[Mapping[str, Any]], name: str) -> None:
    numbers = [int(str(row[name])) for row in rows if str(row.get(name)).isdigit()]
    is_said = len(numbers) > 1
    if not is_said:
        answer = "too few rows"
    elif numbers == sorted(numbers, reverse=True):
        answer = "newest number first"
    else:
        answer = "oldest number first" if numbers == sorted(numbers) else "not by number"
    part = "order of accounts" if what == "accounts" and is_said else ""
    report.note(f"order of {what}", answer, 7, part)


async def _since(ask: Ask, report: _Report, rows: Sequence[Mapping[str, Any]]) -> None:
    """Ask for what was modified since the very second of a row, and one second later."""
    stamps = [(found, row) for row in rows if (found := moment_or_none(row.get("modified"))) is not None]
    if not stamps:
        report.note("modifiedSince", "no row to try it with", 5)
        return
    newest, row = max(stamps, key=lambda each: each[0])
    for off in (0, 1, 3600):
        asked = {"contextId": str(CONTEXTS["invoice"]), "page": "1", "pageLimit": "200"}
        asked["modifiedSince"] = str(int(newest.timestamp()) + off)
        answer = await ask(Question("documents.json", asked))
        try:
            shown = {text(each.get("id")) for each in read_list(answer.body, ("documents", "document")).rows}
        except (Unreadable, AttributeError):
            report.note(f"modifiedSince, {off} s after the row", _refusal(answer), 5)
            continue
        said = "in" if text(row.get("id")) in shown else "out"
        report.note(f"modifiedSince, {off} s after the row", said, 5, "the very second, and one later")


async def _edges(ask: Ask, report: _Report) -> None:
    context = str(CONTEXTS["invoice"])
    for what, asked in (
        ("a page after the last one", {"contextId": context, "page": "9999", "pageLimit": "200"}),
        ("pageLimit=500", {"contextId": context, "page": "1", "pageLimit": "500"}),
        ("no contextId", {"page": "1", "pageLimit": "20"}),
    ):
        answer = await ask(Question("documents.json", asked))
        try:
            page = read_list(answer.body, ("documents", "document"))
        except Unreadable:
            report.note(what, _refusal(answer), 7, what)
            continue
        contexts = Counter(str(row.get("context_id")) for row in page.rows if isinstance(row, Mapping))
        said = f"answered {answer.status}, {len(page.rows)} rows, contexts {dict(contexts)}"
        report.note(what, said, 7, what)
    report.note("Date header", "there" if answer.date is not None else "missing")
    limits = ", ".join(f"{name}: {value}" for name, value in answer.limits) or "none"
    report.note("headers of limits", limits, 8, "headers of limits")


async def _details(ask: Ask, report: _Report, rows: Sequence[Mapping[str, Any]]) -> None:
    """Look at invoices with payments first: how refunds look, and whether the sums agree."""
    paid = [row for row in rows if row.get("total_transactions") not in (None, 0, "0", "0.00")]
    names: set[str] = set()
    fields: set[str] = set()
    has_archived = 0
    seen: Counter[str] = Counter()
    for row in [*paid, *rows][:_DETAILS]:
        answer = await ask(Question(f"documents/{text(row.get('id'))}.json", {}))
        try:
            record = read_detail(answer.body, "document")
            transactions = read_transactions(record.get("transactions"), str(text(record.get("id"))))
            total = amount_of(record.get("total_transactions"), "total_transactions")
        except Unreadable as wrong:
            seen[f"cannot be read: {wrong.field}: {wrong.problem}"] += 1
            continue
        for shown in listed(record.get("transactions")) or []:
            names |= set(map(plain_name, shown)) if isinstance(shown, Mapping) else set()
        seen["details"] += 1
        seen["payments"] += sum(each.amount > 0 for each in transactions)
        seen["rows below zero"] += sum(each.amount < 0 for each in transactions)
        seen["marked rows"] += sum(each.says is not None for each in transactions)
        seen["sums that agree"] += sum((each.amount for each in transactions), total - total) == total
        lines = listed(record.get("document_items")) or []
        seen["lines taken out"] += sum(
            is_true(line.get("delete")) for line in lines if isinstance(line, Mapping)
        )
        seen["lines with an item"] += sum(
            bool(line.get("item")) for line in lines if isinstance(line, Mapping)
        )
        seen["rows with as many lines"] += len(listed(row.get("document_items")) or []) == len(lines)
        fields |= {name for line in lines if isinstance(line, Mapping) for name in map(plain_name, line)}
        has_archived += "archived" in record
    report.note("details of invoices", ", ".join(f"{count} {what}" for what, count in seen.items()) or "none")
    report.note("fields of a transaction", ", ".join(sorted(names)) or "none seen", 2)
    if fields:
        said = f"{seen['lines with an item']} of them have one; fields of a line: {', '.join(sorted(fields))}"
        part = "item in lines of a detail" if seen["lines with an item"] else ""
        report.note("item in lines of details", said, 10, part)
    if seen["details"]:
        report.note("details with a field archived", f"{has_archived} of {seen['details']}", 6)


async def _account(ask: Ask, report: _Report, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    answer = await ask(Question(f"customers/{text(rows[0].get('id'))}.json", {}))
    try:
        whole = read_account(read_detail(answer.body, "customer"), "customer", "probe")
        row = read_account(rows[0], "customer", "probe")
    except Unreadable as wrong:
        report.note("a customer's detail", f"cannot be read: {wrong.field}: {wrong.problem}")
        return
    missing = sorted(set(whole.told) - set(row.told))
    report.note("fields that a customer's detail has and its row has not", ", ".join(missing) or "none")


async def _log(ask: Ask, report: _Report, entities_of: EntitiesOf) -> None:
    answer = await ask(Question("deleted_log.json", {"page": "1", "pageLimit": _ROWS}))
    try:
        page = read_list(answer.body, LIST_NAMES)
    except Unreadable:
        report.note("the deleted log", _refusal(answer), 4)
        return
    rows = [row for row in page.rows if isinstance(row, Mapping)]
    contexts = dict(Counter(str(row.get("context_id")) for row in rows))
    stamps = [found for row in rows if (found := moment_or_none(row.get("created"))) is not None]
    order = "newest first" if stamps == sorted(stamps, reverse=True) else "oldest first"
    oldest = f", the oldest on this page of {min(stamps):%F}" if stamps else ""
    report.note("the deleted log", f"{page.count} rows, {order}{oldest}; contexts: {contexts}", 4)
    entities = await entities_of([str(text(row.get("record_id"))).lower() for row in rows])
    known = Counter(
        (entity, str(row.get("context_id")))
        for row in rows
        if (entity := entities.get(str(text(row.get("record_id"))).lower())) is not None
    )
    for (entity, context), count in sorted(known.items()):
        part = "the context of a deleted invoice" if entity == "invoice" else ""
        what = f"the log's rows of {entity.replace('_', ' ')}s that we know"
        report.note(what, f"{count} with context {context}", 4, part)


def _refusal(answer: Answer) -> str:
    return f"answered {answer.status}, {form_of(answer.body)}"


def form_of(body: bytes) -> str:
    """Return the form of an answer's body without what it says: nobody knows what a text of it names."""
    plain = body.strip()
    if not plain:
        return "no body"
    if plain.startswith(b"<"):
        return "HTML"
    try:
        found = read_json(plain)
    except Unreadable:
        return f"{len(plain)} bytes of text"
    if not isinstance(found, Mapping):
        return "JSON, but no object"
    return f"JSON with {', '.join(sorted(map(plain_name, found))) or 'nothing in it'}"

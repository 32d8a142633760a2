"""Our objects in Xero, as the ledger has them, and everything else that must be known to compare them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from connections.facts import OrganisationFacts
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.drift.compare import CompareContext, Sent, fields_of, merged
from sinks.drift.record import record_of
from sinks.ledger import store as ledger
from sinks.ledger.packing import unpack
from sinks.xero.elements import Link, StepKey


def by_record(puts: Sequence[Sent]) -> dict[str, list[Sent]]:
    """Return these objects by the record that they belong to."""
    found: defaultdict[str, list[Sent]] = defaultdict(list)
    for put in puts:
        found[put.link.target.record_id].append(put)
    return found


async def of_documents(
    connection: ledger.Connection, account: str, puts: Sequence[Sent], asked_at: datetime | None
) -> dict[str, list[Sent]]:
    """Return all that is linked for the documents that these belong to, by record id."""
    records = {record_of(p.link.target)[1] for p in puts if p.link.target.kind != "contact"}
    if not records:
        return {}
    return by_record(await puts_of(connection, account, asked_at, records=sorted(records)))


async def puts_of(
    connection: ledger.Connection,
    account: str,
    asked_at: datetime | None,
    xero_ids: Sequence[str] = (),
    records: Sequence[str] = (),
) -> list[Sent]:
    """Return our objects by Xero's ids, and all links of these documents.

    Args:
        asked_at: when Xero was asked for what these are compared with.
    """
    parameters = {
        "account": account,
        "xero_ids": list(xero_ids),
        "records": list(records),
        "asked_at": asked_at,
    }
    return [_put(row) for row in await fetch_all(connection, _SQL["puts"], parameters)]


def _put(row: Row) -> Sent:
    link = ledger.link_of_row(row)
    bodies = [msgspec.json.decode(unpack(bytes(body))) for body in row["bodies"] or ()]
    body = {"fields": sorted(fields_of(bodies))} if link.target.kind == "contact" else merged(bodies)
    return Sent(link, body, bool(row["ended"]), bool(row["busy"]))


async def context_of(
    connection: ledger.Connection,
    account: str,
    facts: OrganisationFacts,
    puts: Sequence[Sent],
    linked: Mapping[str, Sequence[Sent]],
) -> Callable[[Sent], CompareContext]:
    """Return a function from one of our objects to everything else that must be known about it."""
    kind_of_money = {"invoice": "payment", "credit_note": "refund"}
    documents = [p.link.target.record_id for p in puts if p.link.target.kind not in ("contact", "payment")]
    money: defaultdict[tuple[str, str], list[Sent]] = defaultdict(list)
    contacts: defaultdict[str, set[str]] = defaultdict(set)
    merges: dict[str, str] = {}
    if documents:
        for put in (put for record in set(documents) for put in linked.get(record, ())):
            target = put.link.target
            if target.kind in ("payment", "refund") and put.link.xero_id:
                money[target.kind, target.record_id].append(put)
        parameters = {"account": account, "records": documents}
        for row in await fetch_all(connection, _SQL["right_contacts"], parameters):
            contacts[row["record_id"]].add(row["xero_id"])
        rows = await fetch_all(connection, _SQL["merged_contacts"], parameters)
        merges = {row["xero_id"]: row["xeros"] for row in rows}
    of_others = await _rivals(connection, account, [p for p in puts if p.link.target.kind == "contact"])

    def context(put: Sent) -> CompareContext:
        kind, record, transaction = put.link.target
        if kind == "contact":
            same = [
                p.link
                for p in puts
                if p.link.xero_id == put.link.xero_id and p.link.target != put.link.target
            ]
            return CompareContext(facts, rivals=[*same, *of_others.get(put.link.xero_id, ())])
        payments = money.get((kind_of_money.get(kind, ""), record), [])
        if kind == "credit_note":
            payments = [p for p in payments if p.link.target.transaction_id == transaction]
        sent = str((put.body.get("Contact") or {}).get("ContactID") or "")
        other = (put.body.get("Contact") or {}).get("other", False)
        return CompareContext(facts, payments, {*(() if other else contacts[record]), merges.get(sent, sent)})

    return context


async def _rivals(
    connection: ledger.Connection, account: str, contacts: Sequence[Sent]
) -> Mapping[str, Sequence[Link]]:
    """Return, by ContactID, the records of other accounts of the organisation that are linked to the contact,
    too.
    """
    found: defaultdict[str, list[Link]] = defaultdict(list)
    if contacts:
        parameters = {"account": account, "xero_ids": [put.link.xero_id for put in contacts]}
        for row in await fetch_all(connection, _SQL["rivals"], parameters):
            target = StepKey("contact", row["record_id"])
            link = Link(target, row["xero_id"], row["xero_number"], row["seq"], facts=row["facts"])
            found[row["xero_id"]].append(link)
    return found


_SQL = load_queries(__file__)

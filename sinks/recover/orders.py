"""Match a purchase order and its bill by marks with Xero's, and settle what that shows. Pure."""

from contracts.commands import DocumentSnapshot
from sinks.ledger.entries import Entry
from sinks.planner.documents import link_of_invoice
from sinks.planner.orders import link_of_order
from sinks.recover.documents import choose, link_of_document
from sinks.recover.record import Findings, Found, Record, is_gone, is_open, last_word
from sinks.resolve import ResolvedDocument, resolve_bill, resolve_order
from sinks.resolve.documents import document_url
from sinks.xero.elements import Link


def match_order(record: Record) -> Findings:
    """Return what Xero has of a purchase order, and the actions that this settles."""
    findings = Findings()
    found = _order(record, findings)
    if findings.entries:
        return findings
    _bill(record, findings)
    link = findings.links.get(record.target("purchase_order")) or record.link("purchase_order")
    if link is not None and found is not None and is_gone(found):
        _settle_removed(record, findings, link)
    return findings


def _order(record: Record, findings: Findings) -> Found | None:
    target = record.target("purchase_order")
    own = record.links.get(target)
    mark = f"#{record.record_id[:8]}"
    candidates = [
        one
        for one in record.free("PurchaseOrders", "PurchaseOrderID", own)
        if last_word(one) == mark or (own is not None and one["PurchaseOrderID"] == own.xero_id)
    ]
    snapshots = record.documents()
    if not snapshots:
        return None

    def resolve(_: Entry, document: DocumentSnapshot) -> ResolvedDocument:
        return resolve_order(document, record.settings, record.facts, own.facts if own else None)

    def whole(found: Found) -> Link:
        return link_of_document(record, target, found, snapshots, resolve, link_of_order)

    found = choose(record, findings, target, candidates, "PurchaseOrderID", whole)
    if found is not None:
        findings.links[target] = whole(found)
    return found


def _bill(record: Record, findings: Findings) -> None:
    """Find the bill by its link to the order in SalesBinder. If a receipt was sent twice, it is the first
    one's.
    """
    received = [(e, d) for e, d in record.documents() if e.command.action == "received"]
    order = findings.links.get(record.target("purchase_order")) or record.link("purchase_order")
    target = record.target("bill")
    own = record.links.get(target)
    if not received:
        return
    url = document_url(record.record_id, record.account, record.settings)
    candidates = [
        one
        for one in record.free("Invoices", "InvoiceID", own)
        if one.get("Type") == "ACCPAY"
        and (one.get("Url") == url or (own is not None and one["InvoiceID"] == own.xero_id))
    ]

    def resolve(entry: Entry, document: DocumentSnapshot) -> ResolvedDocument:
        day = entry.command.received_on or entry.command.event.time.date()
        posted = order.facts if order is not None else None
        return resolve_bill(document, record.settings, record.facts, record.account, day, posted)

    first = received[:1]

    def whole(found: Found) -> Link:
        made = link_of_document(record, target, found, first, resolve, link_of_invoice)
        lines = {"received_lines": first[0][1].lines_digest}
        return Link(
            made.target, made.xero_id, made.xero_number, made.seq, made.removed, {**lines, **made.facts}
        )

    found = choose(record, findings, target, candidates, "InvoiceID", whole)
    if found is not None:
        findings.links[target] = whole(found)


def _settle_removed(record: Record, findings: Findings, link: Link) -> None:
    """Handle an order removed in Xero: actions before its deletion were done, or are settled."""
    removal = findings.removal(record, link, ("deleted",))
    if any(e.command.action == "deleted" and e.command_id not in record.flagged for e in record.entries):
        return
    for entry in record.entries:
        before = removal is not None and entry.seq < removal.seq
        if is_open(entry) and (before or (removal is None and entry.seq == link.seq)):
            findings.settle(record, entry, "already_there", link)

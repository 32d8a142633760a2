"""The lines of a document and the ids that Xero gave them, with which an update keeps people's additions."""

from dataclasses import replace

from contracts.json import Body, JsonObject
from sinks.planner.situation import Learn, Situation
from sinks.resolve import ROUNDING_LINE_ID, ResolvedDocument, posted_of
from sinks.xero.elements import Link, Step


def lines_of(link: Link) -> dict[str, str]:
    """Return Xero's ids by SalesBinder's ids of the lines, for the lines that Xero had when the document was
    sent.
    """
    return {pair[0]: pair[1] for pair in link.document.get("lines") or ()}


def with_line_ids(link: Link, resolved: ResolvedDocument) -> Body:
    """Return the body with the LineItemID of each line that Xero has, so that people's additions to it
    stay.
    """
    known = lines_of(link)
    lines = [
        {**line, "LineItemID": known[line_id]} if line_id in known else line
        for line_id, line in zip(resolved.line_ids, resolved.body["LineItems"], strict=True)
    ]
    return {**resolved.body, "LineItems": lines}


def rounding_item(link: Link) -> str:
    """Return the LineItemID of the line with the cents of net of the document as posted; ``""`` if it has
    none.

    Links of documents that were posted long ago do not name the line separately.
    """
    known = lines_of(link)
    kept = link.document.get("money")
    return str(known.get(posted_of(link.facts).rounding_line if kept else ROUNDING_LINE_ID) or "")


def lines_refused(s: Situation, step: Step) -> bool:
    """Return True if Xero refused this step perhaps because somebody took a line out that the body names."""
    return s.refusal is not None and s.refusal.step == step and s.refusal.code == "xero_refused"


def lines_lost(situation: Situation, link: Link, found: JsonObject | None) -> Learn | None:
    """Forget the lines that the document, as just read, no longer has; None if it has them all."""
    here = {str(line.get("LineItemID")) for line in (found or {}).get("LineItems") or ()}
    before = list(link.document.get("lines") or ())
    kept = [pair for pair in before if pair[1] in here]
    if not here or len(kept) == len(before):
        return None
    return Learn((replace(link, facts={**link.facts, "lines": kept}),), afresh=situation.refusal is not None)

"""The item that every line names: there before the first document, and never one whose stock Xero counts."""

from contracts.json import JsonObject
from contracts.reasons import Refused
from sinks.planner.situation import Send, Situation
from sinks.xero.elements import Element, StepKey


def plan_item(situation: Situation) -> Send | None:
    """Return the call that makes the item; None if Xero has it.

    Raises:
        Refused: ``item_tracked``, or Xero's refusal of the item.
    """
    code = situation.settings.item_code
    refuse_tracked(situation, code)
    if situation.facts.item_codes is None or situation.facts.has_item(code):
        return None
    if situation.refusal is not None and situation.refusal.step == "item":
        raise Refused(situation.refusal.code, **situation.refusal.details)
    body = {"Code": code, "Name": code, "Description": "SalesBinder item"}
    return Send(Element("items.create", "item", StepKey("item", code), body, shared=True))


def refuse_tracked(s: Situation, code: str) -> None:
    """Raise ``item_tracked`` if Xero counts the stock of this item: it would count SalesBinder's sales a
    second time.
    """
    if s.facts.is_tracked(code):
        raise Refused("item_tracked", code=code)


def refuse_tracked_lines(s: Situation, body: JsonObject) -> None:
    """Raise ``item_tracked`` if a line of the document names such an item."""
    for line in body.get("LineItems") or ():
        refuse_tracked(s, str(line.get("ItemCode") or ""))

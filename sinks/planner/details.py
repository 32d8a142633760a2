"""Details of a reason's sentence that the refusing code did not know. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from contracts.money import to_cents
from sinks.planner.payees import STEPS as NOTE_STEPS
from sinks.planner.situation import Situation
from sinks.planner.told import TAKEN_OFF_BY
from sinks.xero.elements import Link

_UNNAMED = "not named"


def known_details(situation: Situation) -> dict[str, str]:
    """Return the details for the sentence of any reason why this command failed; the refusal's own take
    precedence.
    """
    found = {
        "setting": _setting(situation),
        "code": situation.settings.purchases_account
        if _is_purchase(situation)
        else situation.settings.sales_account,
        "list": "they are listed in Xero",
        "contact": "unknown",
        "message": "no words of explanation",
        "reference": "an unnamed method",
        "date": "in that period",
        "lock_date": "a day that Xero does not name"
        if situation.facts.lock_date is None
        else str(situation.facts.lock_date),
        "tax_type": _UNNAMED,
        "currency": situation.command.currency or situation.facts.base_currency,
        "total": str(situation.command.amount or 0),
        "xero_total": "something else in Xero",
        "tried": "what Xero was sent",
    }
    return found | _of_contact(situation) | _of_document(situation) | _of_money(situation)


def half_way(situation: Situation) -> dict[str, str]:
    """Return what this command has taken off before it failed, and which of our objects remain; empty if it
    has not touched anything.
    """
    links = (
        *situation.payment_links.values(),
        *situation.credit_note_links.values(),
        *situation.refund_links.values(),
    )
    off = [link for link in links if link.removed and link.text(TAKEN_OFF_BY) == str(situation.seq)]
    if not off:
        return {}
    standing = [link for link in links if not link.removed and link.xero_id]
    return {"taken_off": _list(off), "standing": _list(standing) or "nothing of ours"}


def _list(links: Sequence[Link]) -> str:
    return ", ".join(_named(link) for link in sorted(links, key=lambda link: (link.seq, link.target)))


def _named(link: Link) -> str:
    amount = to_cents(link.amount("amount"))
    match link.target.kind:
        case "credit_note":
            return f"credit note {link.xero_number} of {amount}"
        case "refund":
            return f"the {amount} paid out on credit note {link.xero_number}"
        case _:
            return f"the payment of {amount}"


def _setting(situation: Situation) -> str:
    """Return the setting that a refused account code or tax type most likely came from."""
    code = situation.refusal.details.get("code", "") if situation.refusal else ""
    tax_type = situation.refusal.details.get("tax_type", "") if situation.refusal else ""
    about_lines = situation.refusal is not None and situation.refusal.step in NOTE_STEPS
    if situation.command.transaction is not None and situation.invoice_link is not None and not about_lines:
        return situation.settings.payment_account_for(situation.command.transaction.reference)[0]
    side, taxes = "sales", situation.settings.sales_tax
    if _is_purchase(situation):
        side, taxes = "purchase", situation.settings.purchase_tax
    if situation.refusal is not None and situation.refusal.code == "number_taken":
        return "purchase_order_number_format" if _is_purchase(situation) else "invoice_number_format"
    for rate, named in taxes.items():
        if tax_type and named == tax_type:
            return f"{side}_tax.{rate}"
    if code == situation.settings.rounding_account:
        return "rounding_account"
    return "purchases_account" if _is_purchase(situation) else "sales_account"


def _is_purchase(s: Situation) -> bool:
    return s.command.entity == "purchase_order"


def _of_contact(s: Situation) -> dict[str, str]:
    if s.contact is None:
        return {}
    return {"name": s.contact.name, "email": s.contact.email or _UNNAMED}


def _of_document(situation: Situation) -> dict[str, str]:
    link = situation.invoice_link or situation.order_link
    number = situation.command.record_number or (link.xero_number if link else "")
    found = {"number": number} if number else {}
    if situation.command.entity in ("customer", "supplier"):
        return {"number": situation.command.record_id}
    if number:
        found["document"] = f"{situation.command.entity.replace('_', ' ')} {number}"
    if situation.document is not None:
        found["date"] = (situation.command.received_on or situation.document.issue_date).isoformat()
    if (
        situation.refusal is not None
        and situation.refusal.code == "contact_number_taken"
        and situation.contact is not None
    ):
        found["number"] = situation.contact.record_id
    return found


def _of_money(situation: Situation) -> dict[str, str]:
    link, transaction = situation.invoice_link, situation.command.transaction
    if transaction is None:
        return {}
    found = {"amount": str(transaction.amount)}
    if situation.refusal is not None and situation.refusal.step in ("payment", "refund", *NOTE_STEPS):
        found["date"] = transaction.date.isoformat()
    if link is not None:
        paid = sum(
            (p.amount("amount") for p in situation.payment_links.values() if not p.removed), Decimal(0)
        )
        found |= {"due": str(link.amount("total") - paid), "paid": str(paid)}
    return found

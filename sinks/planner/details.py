"""What a reason's sentence may name although whoever refused did not know it. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from contracts.money import to_cents
from sinks.planner.payees import STEPS as NOTE_STEPS
from sinks.planner.situation import Situation
from sinks.planner.told import TAKEN_OFF_BY
from sinks.xero.elements import Link

_UNNAMED = "not named"


def known_details(s: Situation) -> dict[str, str]:
    """Details for the sentence of any reason why this command failed; the refusal's own go before."""
    found = {
        "setting": _setting(s),
        "code": s.settings.purchases_account if _is_purchase(s) else s.settings.sales_account,
        "list": "they are listed in Xero",
        "contact": "unknown",
        "message": "no words of explanation",
        "reference": "an unnamed method",
        "date": "in that period",
        "lock_date": "a day that Xero does not name" if s.facts.lock_date is None else str(s.facts.lock_date),
        "tax_type": _UNNAMED,
        "currency": s.command.currency or s.facts.base_currency,
        "total": str(s.command.amount or 0),
        "xero_total": "something else in Xero",
        "tried": "what Xero was sent",
    }
    return found | _of_contact(s) | _of_document(s) | _of_money(s)


def half_way(s: Situation) -> dict[str, str]:
    """What this command has taken off before it failed, and what of ours stands still; empty when it has not
    touched anything.
    """
    links = (*s.payment_links.values(), *s.credit_note_links.values(), *s.refund_links.values())
    off = [link for link in links if link.removed and link.text(TAKEN_OFF_BY) == str(s.seq)]
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


def _setting(s: Situation) -> str:
    """The setting that a refused account code or tax type most likely came from."""
    code = s.refusal.details.get("code", "") if s.refusal else ""
    tax_type = s.refusal.details.get("tax_type", "") if s.refusal else ""
    about_lines = s.refusal is not None and s.refusal.step in NOTE_STEPS
    if s.command.transaction is not None and s.invoice_link is not None and not about_lines:
        return s.settings.payment_account_for(s.command.transaction.reference)[0]
    side, taxes = "sales", s.settings.sales_tax
    if _is_purchase(s):
        side, taxes = "purchase", s.settings.purchase_tax
    if s.refusal is not None and s.refusal.code == "number_taken":
        return "purchase_order_number_format" if _is_purchase(s) else "invoice_number_format"
    for rate, named in taxes.items():
        if tax_type and named == tax_type:
            return f"{side}_tax.{rate}"
    if code == s.settings.rounding_account:
        return "rounding_account"
    return "purchases_account" if _is_purchase(s) else "sales_account"


def _is_purchase(s: Situation) -> bool:
    return s.command.entity == "purchase_order"


def _of_contact(s: Situation) -> dict[str, str]:
    if s.contact is None:
        return {}
    return {"name": s.contact.name, "email": s.contact.email or _UNNAMED}


def _of_document(s: Situation) -> dict[str, str]:
    link = s.invoice_link or s.order_link
    number = s.command.record_number or (link.xero_number if link else "")
    found = {"number": number} if number else {}
    if s.command.entity in ("customer", "supplier"):
        return {"number": s.command.record_id}
    if number:
        found["document"] = f"{s.command.entity.replace('_', ' ')} {number}"
    if s.document is not None:
        found["date"] = (s.command.received_on or s.document.issue_date).isoformat()
    if s.refusal is not None and s.refusal.code == "contact_number_taken" and s.contact is not None:
        found["number"] = s.contact.record_id
    return found


def _of_money(s: Situation) -> dict[str, str]:
    link, transaction = s.invoice_link, s.command.transaction
    if transaction is None:
        return {}
    found = {"amount": str(transaction.amount)}
    if s.refusal is not None and s.refusal.step in ("payment", "refund", *NOTE_STEPS):
        found["date"] = transaction.date.isoformat()
    if link is not None:
        paid = sum((p.amount("amount") for p in s.payment_links.values() if not p.removed), Decimal(0))
        found |= {"due": str(link.amount("total") - paid), "paid": str(paid)}
    return found

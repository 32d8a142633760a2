"""Classify Xero's error texts: from texts to a code of the catalogue and the details that the text names.

Xero sends no stable error codes, only sentences whose punctuation, case and endings vary, and one element may
have several. So texts are compared in a normal form (letters and digits only), and the first rule of
``_RULES`` that matches any of the messages decides: more specific rules come first. The texts are those of
Xero's OpenAPI description and of integrators' reports.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.json import JsonObject
from contracts.reasons import ReasonCode
from runtime.secrets import mask_head

_MOST = 20_000
"""Characters of a message that are looked at."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """All ``phrases`` must occur in the normal form of one message; ``details`` reads names out of it."""

    code: ReasonCode
    phrases: tuple[str, ...]
    details: re.Pattern[str] | None = None


def _rule(code: ReasonCode, *phrases: str, details: str = "") -> _Rule:
    return _Rule(code, phrases, re.compile(details, re.IGNORECASE | re.DOTALL) if details else None)


# Each part is bounded: what repeats the beginning of one would else take the square of its length, or worse.
_CODE = r"['\"‘“]{1,3}(?P<code>[^'\"‘“’”]{1,100})['\"’”]"
_ACCOUNT = rf"account code {_CODE}"
_TAX_TYPE = r"['\"‘“]{1,3}(?P<tax_type>[^'\"‘“’”]{1,100})['\"’”]"
_NAME_TAKEN = r"contact name (?P<name>.{1,600}) is already assigned"

_DUPLICATE_CONTACT_NUMBER = (
    _rule("contact_number_taken", "another contact has this contact number"),
    _rule(
        "contact_number_taken",
        "contact number",
        "already assigned to another contact",
        details=r"contact number (?P<number>.{1,600}) is already assigned",
    ),
    _rule("contact_number_taken", "contact number", "already exists"),
    _rule("contact_number_taken", "contactnumber", "already"),
)

_RULES = (
    # Contacts. Names first: a contact's name can hold any of the words that other rules look for.
    _rule(
        "contact_name_taken",
        "unique across all active contacts",
        details=_NAME_TAKEN,
    ),
    _rule(
        "contact_name_taken",
        "contact name",
        "already assigned to another contact",
        details=_NAME_TAKEN,
    ),
    _rule("contact_name_taken", "contact name", "already exists"),
    _rule("contact_name_taken", "contactname", "already"),
    _rule("contact_name_taken", "contact name", "must be unique"),
    *_DUPLICATE_CONTACT_NUMBER,
    _rule("contact_gone", "contact with the specified", "could not be found"),
    _rule("contact_archived", "contact", "has been archived"),
    _rule("contact_archived", "contact", "must be un archived"),
    _rule("contact_email_invalid", "email address must be valid"),
    _rule("contact_email_invalid", "email address", "not valid"),
    _rule("contact_name_invalid", "contact name must be specified"),
    _rule("contact_name_invalid", "contact name cannot contain"),
    # Money on a document.
    _rule("foreign_payments", "status voided cannot be applied", "payments or credit notes"),
    _rule("foreign_payments", "status deleted cannot be applied", "payments or credit notes"),
    _rule("paid_not_editable", "cannot be edited as it has a payment or credit note"),
    _rule("paid_not_editable", "cannot be changed on", "payment or credit note"),
    _rule("exceeds_amount_due", "payment amount exceeds"),
    _rule("exceeds_amount_due", "exceeds the amount outstanding"),
    _rule("exceeds_amount_due", "payment", "exceeds the"),
    _rule("exceeds_amount_due", "payment", "greater than the amount"),
    _rule("amount_not_positive", "payment amount must be greater than zero"),
    _rule("payment_reconciled", "reconciled"),
    _rule("payment_already_removed", "payment not of valid status for modification"),
    _rule("document_not_authorised", "payments can only be made against authorised"),
    # Books closed, plan, currency.
    _rule(
        "period_locked",
        "lock date",
        details=r"lock date[^0-9]{0,100}(?P<lock_date>[0-9][0-9A-Za-z /.-]{0,40}[0-9])",
    ),
    _rule("period_locked", "locked period"),
    _rule("period_locked", "period is locked"),
    _rule("xero_plan_limit", "reached the limit of invoices"),
    _rule("xero_plan_limit", "reached the limit of", "approve"),
    _rule(
        "currency_not_enabled",
        "not subscribed to currency",
        details=r"subscribed to currency (?P<currency>[A-Za-z]{3})",
    ),
    # Numbers.
    _rule("number_taken", "invoice", "must be unique"),
    _rule("number_taken", "order number must be unique"),
    _rule("number_taken", "credit note", "must be unique"),
    _rule(
        "item_code_taken",
        "item with code",
        "already exists",
        details=rf"code {_CODE}",
    ),
    _rule("item_code_taken", "item code", "already exists"),
    *(
        _rule("number_taken", number, "already", taken)
        for number in ("invoice", "order number", "ordernumber", "credit note", "creditnote")
        for taken in ("exists", "in use", "been used")
    ),
    # Accounts, taxes and items.
    _rule("account_code_archived", "account code", "archived", details=_ACCOUNT),
    _rule("account_code_unknown", "account code", "is not a valid code", details=_ACCOUNT),
    _rule("account_code_unknown", "account code", "removed as it does not match", details=_ACCOUNT),
    _rule(
        "tax_type_unfit",
        "taxtype code",
        "cannot be used with account code",
        details=rf"taxtype code {_TAX_TYPE}.{{0,200}}?{_ACCOUNT}",
    ),
    _rule(
        "tax_type_unknown",
        "taxtype code",
        "does not exist",
        details=r"taxtype code ['\"‘“]{0,3}(?P<tax_type>\w{1,100})",
    ),
    _rule(
        "item_code_invalid",
        "item code",
        "is not valid",
        details=rf"item code {_CODE}",
    ),
    # Totals and lines.
    _rule("total_mismatch", "total does not equal the sum of the lines"),
    _rule("total_negative", "total", "must not be less than zero"),
    _rule("total_negative", "total", "cannot be negative"),
    _rule("total_negative", "total cannot be less than zero"),
    _rule("total_negative", "total", "greater than or equal to zero"),
    _rule("lines_missing", "one or more line items must be specified"),
    _rule("lines_missing", "at least one line item"),
    # Identity and state: short texts that often come along with one of the above.
    _rule("document_not_in_xero", "specified", "could not be found"),
    _rule("document_not_in_xero", "supplied id was not found"),
    _rule("document_not_editable", "not of valid status for modification"),
    # Errors that only a bug in this program can cause.
    _rule("our_error", "not of valid status for creation"),
    _rule("our_error", "payments cannot be modified"),
    _rule("our_error", "idempotency key", "is used with a different request"),
    _rule("our_error", "contact must be specified"),
    _rule("our_error", "contact must contain at least 1"),
    _rule("our_error", "duedate field must be specified"),
    _rule("our_error", "account code must be specified"),
    _rule("our_error", "account code or id must be specified"),
    _rule("our_error", "line total", "does not match the expected line total"),
    _rule("our_error", "quantity", "must not be less than zero"),
    _rule("our_error", "discount must not be greater than the line total"),
    _rule("our_error", "may have senttocontact updated"),
)


def classify(messages: Sequence[str]) -> tuple[ReasonCode, dict[str, str]]:
    """Return the code and details for Xero's texts about one element.

    Details hold the values that the text names (``code``, ``tax_type``, ``name``, …), and ``message``: Xero's
    words. An unknown text is ``xero_refused``.
    """
    said = [mask_head(message, _MOST) for message in messages if message.strip()]
    words = {"message": " ".join(said)}
    found = _first(_RULES, said)
    if found is None:
        return "xero_refused", words
    rule, message = found
    match = rule.details.search(message) if rule.details else None
    named = {name: value for name, value in match.groupdict().items() if value} if match else {}
    return rule.code, {**words, **named}


def is_duplicate_contact_number(messages: Sequence[str]) -> bool:
    """Return True if Xero refuses a contact because another contact has its ContactNumber."""
    return _first(_DUPLICATE_CONTACT_NUMBER, messages) is not None


def is_key_reuse(messages: Sequence[str]) -> bool:
    """Return True if Xero knows the idempotency key from another request: it never looked at this one.

    The text begins so; inside another one the words are somebody's name.
    """
    normal = [_normal(message) for message in messages]
    return any(text.startswith("idempotency key") and "different request" in text for text in normal)


def messages_of(element: JsonObject) -> list[str]:
    """Return why Xero refused an element of a response; empty if it took it.

    Reads ``ValidationErrors`` of the element and of what is inside it (an invoice's contact, its lines), or
    the whole answer of a refused call, whose only text may be its ``Message`` (``Detail`` of a 5xx).
    """
    found = list(dict.fromkeys(_validation_errors(element)))
    if found or element.get("StatusAttributeString") == "OK":
        return found
    return [str(element[key]) for key in ("Message", "Detail") if element.get(key)][:1]


def warnings_of(element: JsonObject) -> list[str]:
    """Return Xero's warnings about an element that it took."""
    return [
        mask_head(str(warning["Message"]), _MOST)
        for warning in element.get("Warnings") or ()
        if warning.get("Message")
    ]


def _validation_errors(element: JsonObject) -> list[str]:
    """Return the texts of this element first, then those of the elements inside it."""
    own = [str(error["Message"]) for error in element.get("ValidationErrors") or () if error.get("Message")]
    for value in element.values():
        inside = value if isinstance(value, list) else [value]
        for child in inside:
            if isinstance(child, Mapping):
                own += _validation_errors(child)
    return own


def _first(rules: Sequence[_Rule], messages: Sequence[str]) -> tuple[_Rule, str] | None:
    normal = [(message, _normal(message)) for message in messages]
    for rule in rules:
        for message, text in normal:
            if all(phrase in text for phrase in rule.phrases):
                return rule, message
    return None


def _normal(message: str) -> str:
    """Return letters and digits in lower case: ``Invoice # must be unique.`` is ``invoice must be
    unique``.
    """
    return " ".join(re.sub(r"[\W_]+", " ", message.casefold()).split())

"""The meaning of Xero's statuses. A status that nobody knows yet is taken for the ordinary one. Pure."""

from contracts.json import JsonObject

_NOT_USABLE = ("ARCHIVED", "GDPRREQUEST")


def is_archived(contact: JsonObject) -> bool:
    """Return True for a contact that Xero takes on no new document.

    Source: Xero's Accounting API, ``ContactStatus``.
    """
    return str(contact.get("ContactStatus") or "") in _NOT_USABLE


def is_away(contact: JsonObject) -> bool:
    """Return True for an archived contact, and for one that was merged into another."""
    return is_archived(contact) or bool(contact.get("MergedToContactID"))

"""The meaning of Xero's statuses. An unknown status counts as the ordinary one. Pure."""

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

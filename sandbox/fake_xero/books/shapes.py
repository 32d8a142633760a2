"""Whether a body can be read at all. All of it is parsed before the first element is looked at, so one value
of the wrong type refuses the whole request, without saying which element it was in."""

from collections.abc import Callable
from typing import Any

from .errors import BadBody
from .reading import day, number

_NUMBERS = frozenset({
    "Quantity", "UnitAmount", "TaxAmount", "LineAmount", "DiscountRate", "DiscountAmount", "Amount",
    "BankAmount", "CurrencyRate", "SubTotal", "TotalTax", "Total", "UnitPrice",
})  # fmt: skip
_DAYS = frozenset({
    "Date", "DueDate", "DeliveryDate", "ExpectedArrivalDate", "ExpectedPaymentDate", "PlannedPaymentDate",
})  # fmt: skip
_OBJECTS = frozenset({"Contact", "Invoice", "CreditNote", "Account", "SalesDetails", "PurchaseDetails"})
_LISTS = frozenset({"LineItems", "Addresses", "Phones", "ContactPersons", "Tracking"})
_TEXTS = frozenset({
    "Name", "Description", "Reference", "AccountCode", "TaxType", "ItemCode", "Code", "ContactNumber",
    "InvoiceNumber", "CreditNoteNumber", "PurchaseOrderNumber", "EmailAddress", "Url",
})  # fmt: skip
_DOCUMENT = frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"})
_STATUSES = {
    "Invoices": _DOCUMENT,
    "CreditNotes": _DOCUMENT,
    "PurchaseOrders": frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"}),
    "Payments": frozenset({"AUTHORISED", "DELETED"}),
}
_ENUMS = {
    "LineAmountTypes": frozenset({"Exclusive", "Inclusive", "NoTax"}),
    "ContactStatus": frozenset({"ACTIVE", "ARCHIVED", "GDPRREQUEST"}),
    "AddressType": frozenset({"POBOX", "STREET", "DELIVERY"}),
    "PhoneType": frozenset({"DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"}),
}


def check(plural: str, elements: list[dict[str, Any]]) -> None:
    """Raise BadBody when any value in any element has a type or enum value that Xero cannot read."""
    statuses = _STATUSES.get(plural)
    for element in elements:
        status = element.get("Status")
        if statuses is not None and status is not None and status not in statuses:
            raise BadBody(f"Error converting value {status!r} to type Status of {plural}")
        _walk(element)


def _walk(element: dict[str, Any]) -> None:
    for name, value in element.items():
        if value is None:
            continue
        if (checker := _CHECKS.get(name)) is not None:
            checker(element, name)
        elif (allowed := _ENUMS.get(name)) is not None and value not in allowed:
            raise BadBody(f"Error converting value {value!r} to type {name}")


def _check_object(element: dict[str, Any], name: str) -> None:
    if not isinstance(element[name], dict):
        raise BadBody(f"{name} must be an object")
    _walk(element[name])


def _check_list(element: dict[str, Any], name: str) -> None:
    value = element[name]
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise BadBody(f"{name} must be a list of objects")
    for part in value:
        _walk(part)


def _check_text(element: dict[str, Any], name: str) -> None:
    if isinstance(element[name], dict | list | bool):
        raise BadBody(f"{name} must be a string")


_CHECKS: dict[str, Callable[[dict[str, Any], str], object]] = {
    **dict.fromkeys(_NUMBERS, number),
    **dict.fromkeys(_DAYS, day),
    **dict.fromkeys(_OBJECTS, _check_object),
    **dict.fromkeys(_LISTS, _check_list),
    **dict.fromkeys(_TEXTS, _check_text),
}

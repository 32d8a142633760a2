"""Records of the books as Xero writes them in its answers."""

from datetime import date
from decimal import Decimal
from typing import Any

from .books import payments
from .books.ledger import Books
from .books.model import Account, Allocation, Contact, Document, Item, ItemDetails, Line, Payment, TaxRate
from .wire import day_string, ms_day, ms_time, utc_string

_ADDRESS_ORDER = ("STREET", "POBOX")
_PHONE_ORDER = ("DEFAULT", "DDI", "FAX", "MOBILE")
_NO_ADDRESS = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
_NO_PHONE = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
_CENTS = Decimal("0.00")
_SIX = Decimal("0.000001")


def contact(found: Contact, detail: bool = True) -> dict[str, Any]:
    """Return a contact; MergedToContactID and persons come only when paged or fetched by id (`detail`)."""
    shown: dict[str, Any] = {
        "ContactID": found.contact_id,
        "ContactStatus": found.status,
        "Name": found.name,
        "EmailAddress": "",
        "BankAccountDetails": "",
        **found.texts,
        "Addresses": [
            {
                "AddressType": kind,
                **{name: value for name, value in parts.items() if value or name in _NO_ADDRESS},
            }
            for kind in _ADDRESS_ORDER
            for parts in (found.addresses.get(kind, _NO_ADDRESS),)
        ],
        "Phones": [
            {"PhoneType": kind, **found.phones.get(kind, _NO_PHONE)}
            for kind in (*_PHONE_ORDER, *(("OFFICE",) if "OFFICE" in found.phones else ()))
        ],
        "UpdatedDateUTC": ms_time(found.updated),
        "ContactGroups": [],
        "IsSupplier": found.is_supplier,
        "IsCustomer": found.is_customer,
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    if found.contact_number:
        shown["ContactNumber"] = found.contact_number
    if found.default_currency:
        shown["DefaultCurrency"] = found.default_currency
    if detail:
        shown["ContactPersons"] = found.persons
        shown["SalesTrackingCategories"] = shown["PurchasesTrackingCategories"] = []
        if found.merged_to:
            shown["MergedToContactID"] = found.merged_to
    return shown


def contact_stub(found: Contact) -> dict[str, Any]:
    """Return the contact inside a listed document."""
    return {
        "ContactID": found.contact_id, "Name": found.name, "Addresses": [], "Phones": [], "ContactGroups": [],
        "ContactPersons": [], "HasValidationErrors": False,
    }  # fmt: skip


def line(found: Line) -> dict[str, Any]:
    """Return a line item; fields that Xero leaves out when empty are left out."""
    shown: dict[str, Any] = {
        "LineItemID": found.line_item_id,
        "Description": found.description,
        "Tracking": found.tracking,
        "ValidationErrors": [],
    }
    if found.quantity is not None:
        shown["Quantity"] = found.quantity
        shown["UnitAmount"] = found.unit_amount
        shown["LineAmount"] = found.line_amount
    shown["TaxAmount"] = found.tax_amount
    for name, value in (
        ("ItemCode", found.item_code), ("AccountCode", found.account_code), ("TaxType", found.tax_type),
        ("DiscountRate", found.discount_rate), ("DiscountAmount", found.discount_amount),
    ):  # fmt: skip
        if value is not None:
            shown[name] = value
    return shown


def _document(found: Document, detail: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Type": found.type,
        "CurrencyRate": found.currency_rate.quantize(_SIX),
        "CurrencyCode": found.currency,
        "HasErrors": False,
        "HasAttachments": False,
        "IsDiscounted": any(part.discount_rate or part.discount_amount for part in found.lines),
        "SentToContact": found.sent_to_contact,
        "Contact": contact(found.contact) if detail else contact_stub(found.contact),
        "Date": ms_day(found.date),
        "DateString": day_string(found.date),
        "Status": found.status,
        "LineAmountTypes": found.line_amount_types,
        "LineItems": [line(part) for part in found.lines] if detail else [],
        "SubTotal": found.sub_total + _CENTS,
        "TotalTax": found.total_tax + _CENTS,
        "Total": found.total + _CENTS,
        "UpdatedDateUTC": ms_time(found.updated),
        "UpdatedDateUTCString": utc_string(found.updated),
    }
    if found.due_date:
        shown["DueDate"] = ms_day(found.due_date)
        shown["DueDateString"] = day_string(found.due_date)
    if found.fully_paid_on:
        shown["FullyPaidOnDate"] = ms_day(found.fully_paid_on)
    for name, value in found.extra.items():
        if value is not None and value != "":
            shown[name] = ms_day(value) if isinstance(value, date) else value
    return shown


def invoice(books: Books, found: Document, detail: bool = True) -> dict[str, Any]:
    """Return an invoice or bill. Without `detail`, as in an unpaged list, it has no lines."""
    shown = _document(found, detail)
    shown["InvoiceID"] = found.document_id
    shown["InvoiceNumber"] = found.number
    shown["Reference"] = found.reference
    shown["AmountDue"] = found.amount_due + _CENTS
    shown["AmountPaid"] = found.amount_paid + _CENTS
    shown["AmountCredited"] = found.amount_credited + _CENTS
    shown["Payments"] = [_payment_stub(part) for part in found.payments.values()]
    shown["CreditNotes"] = [
        {
            "CreditNoteID": part.credit_note.document_id,
            "CreditNoteNumber": part.credit_note.number,
            "ID": part.credit_note.document_id,
            "HasErrors": False,
            "AppliedAmount": part.amount,
            "Date": ms_day(part.date),
            "LineItems": [],
            "Total": part.credit_note.total,
        }
        for part in found.allocations.values()
    ]
    shown["Prepayments"] = shown["Overpayments"] = []
    return shown


def credit_note(books: Books, found: Document, detail: bool = True) -> dict[str, Any]:
    """Return a credit note with its allocations and refunds."""
    shown = _document(found, detail)
    shown["CreditNoteID"] = shown["ID"] = found.document_id
    shown["CreditNoteNumber"] = found.number
    shown["Reference"] = found.reference
    shown["RemainingCredit"] = found.amount_due + _CENTS
    shown["Payments"] = [_payment_stub(part) for part in found.payments.values()]
    shown["Allocations"] = [allocation(part) for part in found.allocations.values()]
    return shown


def purchase_order(books: Books, found: Document, detail: bool = True) -> dict[str, Any]:
    """Return a purchase order."""
    shown = _document(found, detail)
    shown["PurchaseOrderID"] = found.document_id
    shown["PurchaseOrderNumber"] = found.number
    shown["Reference"] = found.reference
    return shown


def allocation(found: Allocation, deleted: bool = False) -> dict[str, Any]:
    """Return an allocation as seen from its credit note."""
    return {
        "AllocationID": found.allocation_id,
        "Amount": found.amount,
        "Date": ms_day(found.date),
        "Invoice": {
            "InvoiceID": found.invoice.document_id,
            "InvoiceNumber": found.invoice.number,
            "Type": found.invoice.type,
            "HasErrors": False,
            "LineItems": [],
        },
        "CreditNote": {"CreditNoteID": found.credit_note.document_id, "ID": found.credit_note.document_id},
        "IsDeleted": deleted,
    }


def _payment_stub(found: Payment) -> dict[str, Any]:
    return {
        "PaymentID": found.payment_id, "Date": ms_day(found.date), "Amount": found.amount,
        "Reference": found.reference, "CurrencyRate": found.currency_rate.quantize(_SIX), "HasAccount": False,
        "HasValidationErrors": False,
    }  # fmt: skip


_PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT", "ACCPAY": "ACCPAYPAYMENT", "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}  # fmt: skip


def payment_type(found: Payment) -> str:
    """Return Xero's PaymentType, which follows from the document."""
    return _PAYMENT_TYPES[found.document.type]


def payment(books: Books, found: Payment, detail: bool = True) -> dict[str, Any]:
    """Return a payment. Lists show a refund's credit note under `Invoice`, as Xero does; details
    name both.
    """
    document = found.document
    account: dict[str, Any] = {"AccountID": found.account.account_id}
    if found.account.code:
        account["Code"] = found.account.code
    stub = {
        "Type": document.type,
        "InvoiceID": document.document_id,
        "InvoiceNumber": document.number,
        "Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": [],
        "HasErrors": False,
        "IsDiscounted": False,
        "Contact": contact_stub(document.contact),
        "LineItems": [],
        "CurrencyCode": document.currency,
    }  # fmt: skip
    if detail:
        account["Name"] = found.account.name
        stub |= {
            "AmountDue": document.amount_due + _CENTS, "AmountPaid": document.amount_paid + _CENTS,
            "AmountCredited": document.amount_credited + _CENTS, "Status": document.status,
            "Total": document.total + _CENTS,
        }  # fmt: skip
    shown: dict[str, Any] = {
        "PaymentID": found.payment_id,
        "Date": ms_day(found.date),
        "BankAmount": payments.bank_amount(books, found),
        "Amount": found.amount,
        "Reference": found.reference,
        "CurrencyRate": found.currency_rate.quantize(_SIX),
        "PaymentType": payment_type(found),
        "Status": found.status,
        "UpdatedDateUTC": ms_time(found.updated),
        "UpdatedDateUTCString": utc_string(found.updated),
        "HasAccount": True,
        "IsReconciled": found.is_reconciled,
        "Account": account,
        "Invoice": stub,
        "HasValidationErrors": False,
    }
    if detail and document.type.endswith("CREDIT"):
        shown["CreditNote"] = {
            "CreditNoteID": document.document_id, "CreditNoteNumber": document.number, "Type": document.type,
            "ID": document.document_id, "LineItems": [], "HasErrors": False,
        }  # fmt: skip
    return shown


def item(found: Item) -> dict[str, Any]:
    """Return an item of the price list."""
    return {
        "ItemID": found.item_id,
        "Code": found.code,
        "Name": found.name,
        "Description": found.description,
        "PurchaseDescription": found.purchase_description,
        "IsTrackedAsInventory": found.tracked,
        "IsSold": found.is_sold,
        "IsPurchased": found.is_purchased,
        "SalesDetails": _item_details(found.sales),
        "PurchaseDetails": _item_details(found.purchase),
        "UpdatedDateUTC": ms_time(found.updated),
    }


def _item_details(found: ItemDetails) -> dict[str, Any]:
    pairs = (
        ("UnitPrice", found.unit_price),
        ("AccountCode", found.account_code),
        ("TaxType", found.tax_type),
    )
    return {name: value for name, value in pairs if value is not None}


def account(found: Account) -> dict[str, Any]:
    """Return an account of the chart."""
    shown: dict[str, Any] = {
        "AccountID": found.account_id,
        "Name": found.name,
        "Status": found.status,
        "Type": found.type,
        "TaxType": found.tax_type,
        "Class": found.account_class,
        "EnablePaymentsToAccount": found.enable_payments,
        "ShowInExpenseClaims": False,
        "HasAttachments": False,
        "UpdatedDateUTC": ms_time(found.updated),
    }
    if found.code:
        shown["Code"] = found.code
    if found.currency:
        shown["CurrencyCode"] = found.currency
    if found.type == "BANK":
        shown["BankAccountType"] = "BANK"
        shown["BankAccountNumber"] = ""
    if found.system_account:
        shown["SystemAccount"] = found.system_account
    return shown


def tax_rate(found: TaxRate) -> dict[str, Any]:
    """Return a tax rate with the classes of account that it fits."""
    return {
        "Name": found.name,
        "TaxType": found.tax_type,
        "Status": found.status,
        "CanApplyToAssets": "ASSET" in found.applies_to,
        "CanApplyToEquity": "EQUITY" in found.applies_to,
        "CanApplyToExpenses": "EXPENSE" in found.applies_to,
        "CanApplyToLiabilities": "LIABILITY" in found.applies_to,
        "CanApplyToRevenue": "REVENUE" in found.applies_to,
        "DisplayTaxRate": found.rate,
        "EffectiveRate": found.rate,
        "TaxComponents": [
            {"Name": name, "Rate": rate, "IsCompound": False, "IsNonRecoverable": False}
            for name, rate in found.components
        ],
    }


def organisation(books: Books) -> dict[str, Any]:
    """Return the organisation itself."""
    shown: dict[str, Any] = {
        "OrganisationID": books.organisation_id,
        "Name": books.name,
        "LegalName": books.name,
        "PaysTax": True,
        "Version": "GLOBAL",
        "OrganisationType": "COMPANY",
        "OrganisationEntityType": "COMPANY",
        "BaseCurrency": books.base_currency,
        "CountryCode": "US",
        "IsDemoCompany": True,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "SalesTaxBasis": "ACCRUALS",
        "CreatedDateUTC": ms_time(books.created),
        "Timezone": "UTC",
        "ShortCode": f"!{books.organisation_id[:5]}",
        "Edition": "BUSINESS",
        "Class": "DEMO",
        "Addresses": [], "Phones": [], "ExternalLinks": [], "PaymentTerms": {},
    }  # fmt: skip
    if books.period_lock_date:
        shown["PeriodLockDate"] = ms_day(books.period_lock_date)
    if books.year_lock_date:
        shown["EndOfYearLockDate"] = ms_day(books.year_lock_date)
    return shown

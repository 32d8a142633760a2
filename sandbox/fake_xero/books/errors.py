"""The exceptions of the books. The HTTP layer turns each into the answer that Xero gives."""


class Refused(Exception):
    """One element of a request breaks a rule of Xero's; `messages` are Xero's texts for it."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)


class BadBody(Exception):
    """The body cannot be read at all (Xero: PostDataInvalidException), so no element of it is applied."""


class BadQuery(Exception):
    """A `where`, `order` or id filter cannot be understood (Xero: QueryParseException)."""


class NotFound(Exception):
    """The address names a record that does not exist (404)."""


NOT_VALID_FOR_MODIFICATION = "{} not of valid status for modification"
NOT_VALID_FOR_CREATION = "{} not of valid status for creation"
HAS_MONEY_APPLIED = "This document cannot be edited as it has a payment or credit note allocated to it."
VOID_WITH_MONEY = (
    "The status VOIDED cannot be applied to the {} because it has payments or credit notes allocated to it."
)
DATE_WITH_MONEY = "Date cannot be changed on an invoice that has payment or credit notes allocated to it."
PERIOD_LOCKED = "The document date cannot be before the period lock date"
YEAR_LOCKED = "The document date cannot be before the end of year lock date"
CONTACT_ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
CONTACT_MISSING = "A Contact must be specified for this type of transaction"
CONTACT_UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
CONTACT_NAME_TAKEN = (
    "The contact name {} is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)
CONTACT_NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
ID_NOT_FOUND = "An existing {} with the specified {} could not be found"
ACCOUNT_INVALID = "Account code '{}' is not a valid code for this document."
ACCOUNT_ARCHIVED = (
    "Account code '{}' has been archived, or has been deleted. Each line item must reference a valid account."
)
ACCOUNT_MISSING = "Account code must be specified"
PAYMENT_ACCOUNT_MISSING = "The account code or ID must be specified"
TAX_UNKNOWN = "The TaxType code {} does not exist or cannot be used for this type of transaction."
TAX_MISMATCH = "The TaxType code '{}' cannot be used with account code '{}'."
ITEM_INVALID = "Item code '{}' is not valid"
NO_LINES = "One or more line items must be specified"
DUE_DATE_MISSING = "The document DueDate field must be specified"
OVERPAID = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
PAYMENT_IMMUTABLE = "Payments cannot be modified, only created and deleted."
CURRENCY_NOT_SUBSCRIBED = "Organisation is not subscribed to currency {}"
DOCUMENT_TOTAL_WRONG = "The {} total does not equal the sum of the lines."
LINE_TOTAL_WRONG = "The line total {} does not match the expected line total {}"
QUANTITY_NEGATIVE = "The quantity value '{:.4f}' is invalid. Quantity must not be less than zero."
DISCOUNT_TOO_LARGE = "The discount rate '{}' is invalid. Discount must not be greater than the line total."
TOO_LONG = "The field {} must be at most {} characters long"

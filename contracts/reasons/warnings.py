"""Things that a bookkeeper should know although the action completed."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who

_DONE = "Nothing more is done: the entry is completed."


def _warning(code: ReasonCode, sentence: str, cause: str, remedy: str, who: Who = "salesbinder") -> Reason:
    return Reason(code, "warning", sentence, cause, remedy, who, _DONE)


REASONS = (
    _warning(
        "contact_shared",
        "the Xero contact '{contact}' is shared by several records in SalesBinder.",
        "Xero allows only one active contact with a name; each record then changes only the fields that it "
        "changed itself.",
        "if these are different people, give them different names in SalesBinder.",
    ),
    _warning(
        "contact_not_updated",
        "the contact '{contact}' stays as it was in Xero, because its own change was not accepted: {message}",
        "A document does not wait for a contact change that Xero refuses.",
        "resolve the failed entry of the customer or supplier, or change the record in SalesBinder.",
        "xero",
    ),
    _warning(
        "invoice_stays_paid",
        "the invoice stays paid in Xero; the refund of {amount} is a separate credit note there.",
        "A refund is booked as a credit note with the money paid out, so that the invoice itself is "
        "not changed.",
        "nothing.",
        "xero",
    ),
    _warning(
        "refund_tax_by_proportion",
        "the refund of {amount} was split over its tax rates in proportion.",
        "SalesBinder does not say which lines were refunded.",
        "nothing; if the tax return needs exact figures, correct the credit note in Xero.",
        "xero",
    ),
    _warning(
        "text_cut",
        "the {field} was too long for Xero and was cut to {length} characters.",
        "Xero limits the length of its fields.",
        "shorten it in SalesBinder if the end matters.",
    ),
    _warning(
        "text_changed",
        "the {field} '{value}' was written as '{sent}': Xero accepts no repeated blanks or line breaks.",
        "Xero would refuse the field, or change it itself.",
        "nothing.",
    ),
    _warning(
        "email_left_out",
        "the e-mail address '{value}' was left out, because Xero does not accept it.",
        "It is not a valid address, or is longer than 255 characters.",
        "correct the e-mail address in SalesBinder.",
    ),
    _warning(
        "phone_left_out",
        "the {field} '{value}' was left out: Xero accepts at most 50 characters.",
        "Xero limits the length of its fields.",
        "shorten it in SalesBinder.",
    ),
    _warning(
        "website_left_out",
        "the website '{value}' was left out, because Xero does not accept it.",
        "Xero limits the format of web addresses.",
        "correct the web address in SalesBinder.",
    ),
    _warning(
        "country_changed",
        "the country '{value}' was written as '{sent}': Xero accepts only plain letters there.",
        "Xero's country field allows no accents, digits or dots.",
        "nothing.",
    ),
    _warning(
        "date_moved",
        "the date in Xero is {sent} instead of {value}, because the books are locked up to {lock_date}.",
        "The connection is set to date documents from a locked period on the first open day.",
        "nothing.",
        "xero",
    ),
    _warning(
        "due_before_date",
        "the due date {due} is before the invoice date in Xero, {date}: the invoice is overdue at once.",
        "SalesBinder's due date is sent as it is, even if the invoice itself was moved out of a locked "
        "period.",
        "nothing if that is intended; otherwise correct the due date in SalesBinder or in Xero.",
    ),
    _warning(
        "date_unusual",
        "the {field} {value} is far from {day}, the day of the change.",
        "It was sent as it is. Such a date is often a typing error, and puts amounts into another year.",
        "check the date, and correct it in SalesBinder if it is wrong.",
    ),
    _warning(
        "event_from_future",
        "the change is said to have happened at {time}, which is in the future.",
        "The clock of the program that publishes the changes is wrong. Later changes with a correct time "
        "will count as older than this one.",
        "correct that clock, and save the record again in SalesBinder once that time has passed.",
        "us",
    ),
    _warning(
        "status_says_cancelled",
        "the document's own status in SalesBinder is cancelled, but no cancelled event was published.",
        "The event said that it was created or edited, and that was done. Only a cancelled event removes a "
        "document from Xero.",
        "cancel the document in SalesBinder again, or void it in Xero.",
    ),
    _warning(
        "lines_say_in_part",
        "SalesBinder's status says that the order is received, but its lines say that part is missing: "
        "{list}. All of it was billed.",
        "The status takes precedence: an order marked as fully received keeps the quantities counted line "
        "by line before.",
        "nothing if everything has arrived; otherwise correct the bill in Xero.",
    ),
    _warning(
        "cents_moved",
        "Rounding of {cents} was added to {place}, so that net, tax and total match SalesBinder.",
        "Xero rounds every line and its tax, SalesBinder the whole document.",
        "nothing.",
        "xero",
    ),
    _warning(
        "tax_rate_inferred",
        "the tax rate {rate} % was treated as {mapped} % ({tax_type} in Xero), which gives the document's "
        "own tax.",
        "Some publishers calculate rates from rounded amounts, so they are slightly off.",
        "nothing, if that is the rate; otherwise map the rate under Settings, and correct the document.",
        "settings",
    ),
    _warning(
        "amount_from_price",
        "prices were used instead of costs: the cost of {lines} of the lines is 0, and the total is that of "
        "the prices.",
        "An order's amount is its cost; some publishers fill in only the price.",
        "nothing, if the prices are what you pay; otherwise enter the costs in SalesBinder.",
    ),
    _warning(
        "currency_rate_ignored",
        "the exchange rate {rate} of {currency} was left out, so Xero used its own rate for the day.",
        "A rate says how many units of the document's currency equal one unit of the organisation's; 0, or "
        "1 for a foreign currency, means no rate at all.",
        "check the rate in Xero; if the day's rate is not suitable, publish the right one.",
        "xero",
    ),
    _warning(
        "currency_rate_unusual",
        "the exchange rate {rate} of {currency} is far from {last}, the last one used here.",
        "It is more than twice or less than half of it. It may be inverted: it must be units of the "
        "document's currency per unit of the organisation's.",
        "check the document's rate in Xero, and the program that publishes it.",
        "xero",
    ),
    _warning(
        "line_as_one",
        "line '{line}' was sent as quantity 1 with its total amount; its text gives the quantity of "
        "{quantity}.",
        "Its net price has more than the four decimals that Xero accepts.",
        "nothing.",
        "xero",
    ),
    _warning(
        "bank_currency_differs",
        "the payment of {amount} {currency} went to an account in {account_currency}; Xero converted it.",
        "The setting names an account in a currency other than the document's.",
        "for this reference, set an account in the document's currency, if there is one.",
        "settings",
    ),
    _warning(
        "date_kept",
        "the date stays {value} in Xero; SalesBinder now says {sent}.",
        "Xero does not allow the date of an invoice to change once money is applied to it.",
        "nothing, unless the date matters for your books.",
        "xero",
    ),
    _warning(
        "skipped",
        "{actor} skipped it: {note}",
        "Somebody decided that this should not be done in Xero, or did it there by hand.",
        "nothing.",
        "us",
    ),
    _warning(
        "adopted",
        "{actor} decided that it is the object in Xero with the id {xero_id}: {amount} on {date}.",
        "A response from Xero was lost, and the object found there matched only in part, or existed twice.",
        "nothing.",
        "us",
    ),
    _warning(
        "modified_in_future",
        "SalesBinder says that it was changed at {value}, which is later than {time}, the time of the event.",
        "A clock is wrong, or the publisher writes the wrong time zone; the earlier of the two times is "
        "used to tell which of two changes is newer.",
        "correct the clock or the time zone where the change was made or published.",
    ),
    _warning(
        "payment_replaced",
        "the existing entry in Xero for this transaction ({before}) was removed; it is now {amount} there.",
        "SalesBinder sent the same transaction again with a different amount, date or reference.",
        "nothing; if it was reconciled with the bank meanwhile, reconcile it again.",
        "xero",
    ),
    _warning(
        "xero_warned",
        "Xero accepted it with a warning: {message}",
        "The message is Xero's own.",
        "look at the document in Xero.",
        "xero",
    ),
)

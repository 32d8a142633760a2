"""What a bookkeeper should know although the action completed."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who

_DONE = "Nothing more is done: the entry is completed."


def _warning(code: ReasonCode, sentence: str, cause: str, remedy: str, who: Who = "salesbinder") -> Reason:
    return Reason(code, "warning", sentence, cause, remedy, who, _DONE)


REASONS = (
    _warning(
        "contact_shared",
        "the Xero contact '{contact}' stands for several records in SalesBinder.",
        "Xero knows one active contact of a name; each record then changes only the fields that it "
        "changed itself.",
        "if these are different people, give them different names in SalesBinder.",
    ),
    _warning(
        "contact_not_updated",
        "the contact '{contact}' stays as it was in Xero, because its own change was not taken: {message}",
        "A document does not wait for a change of its contact that Xero refuses.",
        "see to the failed entry of the customer or supplier, or change the record in SalesBinder.",
        "xero",
    ),
    _warning(
        "invoice_stays_paid",
        "the invoice stays paid in Xero; the refund of {amount} stands there as a credit note of its own.",
        "A refund is booked as a credit note with the money paid out, so that the invoice itself is "
        "not changed.",
        "nothing.",
        "xero",
    ),
    _warning(
        "refund_tax_by_proportion",
        "the refund of {amount} was split over its tax rates in proportion.",
        "SalesBinder does not say which lines were refunded.",
        "nothing; where the tax return needs it exact, correct the credit note in Xero.",
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
        "the {field} '{value}' was written as '{sent}': Xero takes no repeated blanks or line breaks.",
        "Xero would refuse the field, or change it in a way of its own.",
        "nothing.",
    ),
    _warning(
        "email_left_out",
        "the e-mail address '{value}' was left out, because Xero does not take it.",
        "It is not a valid address, or is longer than 255 characters.",
        "correct the e-mail address in SalesBinder.",
    ),
    _warning(
        "phone_left_out",
        "the {field} '{value}' was left out: Xero takes at most 50 characters.",
        "Xero limits the length of its fields.",
        "shorten it in SalesBinder.",
    ),
    _warning(
        "website_left_out",
        "the website '{value}' was left out, because Xero does not take it.",
        "Xero limits what a web address may look like.",
        "correct the web address in SalesBinder.",
    ),
    _warning(
        "country_changed",
        "the country '{value}' was written as '{sent}': Xero takes only plain letters there.",
        "Xero's field for the country has no accents, digits or dots.",
        "nothing.",
    ),
    _warning(
        "date_moved",
        "the date in Xero is {sent} instead of {value}, because the books are locked up to {lock_date}.",
        "The connection is set to date documents of a locked period on the first open day.",
        "nothing.",
        "xero",
    ),
    _warning(
        "due_before_date",
        "the due date {due} is before the date of the invoice in Xero, {date}: it counts as overdue at once.",
        "SalesBinder's due date is sent as it is, also where the invoice itself was moved out of a locked "
        "period.",
        "nothing where it is meant; else correct the due date in SalesBinder, or in Xero.",
    ),
    _warning(
        "date_unusual",
        "the {field} {value} is far from {day}, the day of the change.",
        "It was sent as it is. Such a date is often a slip of the pen, and puts amounts into another year.",
        "check the date, and correct it in SalesBinder where it is wrong.",
    ),
    _warning(
        "event_from_future",
        "the change is told to have happened at {time}, which lies ahead.",
        "The clock of the program that publishes the changes is wrong. Changes that come later with a right "
        "time count as older than this one.",
        "set that clock right, and save the record again in SalesBinder once the time has come.",
        "us",
    ),
    _warning(
        "status_says_cancelled",
        "the document's own status in SalesBinder is cancelled, but nobody has told that it was cancelled.",
        "What was told is that it was created or edited, and that was done. Only a cancelled event takes a "
        "document out of Xero.",
        "cancel the document in SalesBinder again, or void it in Xero.",
    ),
    _warning(
        "lines_say_in_part",
        "SalesBinder's status says that the order is received, its lines say that some is missing: {list}. "
        "All of it was billed.",
        "The status counts: an order that is marked as received as a whole keeps what was counted line by "
        "line before.",
        "nothing where all has come in; else correct the bill in Xero.",
    ),
    _warning(
        "cents_moved",
        "{cents} of rounding were put on {place}, so that net, tax and total are the same as in SalesBinder.",
        "Xero rounds every line and its tax, SalesBinder the whole document.",
        "nothing.",
        "xero",
    ),
    _warning(
        "tax_rate_inferred",
        "the tax rate {rate} % was taken for {mapped} % ({tax_type} in Xero), with which the document's own "
        "tax comes out.",
        "Some publishers work rates out of rounded amounts, so that they are off by a little.",
        "nothing, if that is the rate; else pair the rate under Settings, and correct the document.",
        "settings",
    ),
    _warning(
        "amount_from_price",
        "prices count, not costs: the cost of {lines} of the lines is 0, and the total is of the prices.",
        "An order's amount is its cost; some publishers fill in the price alone.",
        "nothing, if the prices are what you pay; else enter the costs in SalesBinder.",
    ),
    _warning(
        "currency_rate_ignored",
        "the exchange rate {rate} of {currency} was left out, so that Xero took its own rate of the day.",
        "A rate says how many units of the document's currency one unit of the organisation's is; 0, or 1 "
        "for a foreign currency, stands for no rate at all.",
        "look at the rate in Xero; where that of the day will not do, publish the right one.",
        "xero",
    ),
    _warning(
        "currency_rate_unusual",
        "the exchange rate {rate} of {currency} is far from {last}, the last one here.",
        "It is more than twice or less than half of it. Perhaps it is the other way round: it must be units "
        "of the document's currency for one unit of the organisation's.",
        "check the rate of the document in Xero, and what publishes it.",
        "xero",
    ),
    _warning(
        "line_as_one",
        "line '{line}' was sent as quantity 1 with its amount; its text names the quantity of {quantity}.",
        "Its net price has more than the four decimals that Xero takes.",
        "nothing.",
        "xero",
    ),
    _warning(
        "bank_currency_differs",
        "the payment of {amount} {currency} went to an account in {account_currency}; Xero converted it.",
        "The setting names an account in another currency than the document's.",
        "name an account of that currency by reference, if there is one.",
        "settings",
    ),
    _warning(
        "date_kept",
        "the date stays {value} in Xero; SalesBinder says {sent} now.",
        "Xero does not let the date of an invoice change once money is applied to it.",
        "nothing, unless the date matters for your books.",
        "xero",
    ),
    _warning(
        "skipped",
        "{actor} skipped it: {note}",
        "Somebody decided that this is not to be done in Xero, or has done it there by hand.",
        "nothing.",
        "us",
    ),
    _warning(
        "adopted",
        "{actor} decided that it is what stands in Xero with the id {xero_id}: {amount} on {date}.",
        "An answer of Xero was lost, and what Xero has agreed only in part, or was there twice.",
        "nothing.",
        "us",
    ),
    _warning(
        "modified_in_future",
        "SalesBinder says that it was changed at {value}, which is later than {time}, when that was told.",
        "A clock is wrong, or the publisher writes a time zone that is not its own; the earlier of the two "
        "times is taken to tell which of two changes is the newer.",
        "correct the clock or the time zone where the change was made or published.",
    ),
    _warning(
        "payment_replaced",
        "what stood in Xero for this transaction ({before}) was taken off; it has {amount} there now.",
        "SalesBinder told the same transaction again with another amount, date or reference.",
        "nothing; where it was reconciled with the bank meanwhile, reconcile it again.",
        "xero",
    ),
    _warning(
        "xero_warned",
        "Xero took it with a warning: {message}",
        "The words are Xero's own.",
        "look at the document in Xero.",
        "xero",
    ),
)

"""Reasons found in a document, in its state in Xero, or in this program."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who

ON_RETRY = "Nothing more happens until somebody retries the entry."
ON_NEXT_EDIT = (
    "The next change to the record in SalesBinder is sent automatically; when it succeeds, this entry "
    "becomes completed."
)


def _failed(
    code: ReasonCode,
    sentence: str,
    cause: str,
    remedy: str,
    who: Who,
    retry: str = ON_RETRY,
    *,
    by: tuple[str, ...] = (),
) -> Reason:
    return Reason(code, "failed", sentence, cause, remedy, who, retry, by)


REASONS = (
    _failed(
        "authorised_not_editable",
        "{document} is approved in Xero, and the connection is set not to change approved invoices.",
        "Changing an approved invoice changes the books, so it is refused unless the connection allows it.",
        "make the change in Xero by hand and skip this entry; or allow such changes, on the page under "
        "Settings or with 'sbx settings set {account} edit_authorised=push', and retry.",
        "settings",
    ),
    _failed(
        "paid_not_editable",
        "the amounts of {document} were changed in SalesBinder, but payments or credits are already applied "
        "to it in Xero.",
        "Xero does not allow the amounts, lines or date of an invoice to change once money is applied to "
        "it. No part of this change was sent.",
        "reset the invoice in SalesBinder, which removes its payments, then retry this entry and enter the "
        "payments again; or correct it in Xero with a credit note, and skip this entry.",
        "salesbinder",
    ),
    _failed(
        "document_not_editable",
        "Xero does not allow {document} to be changed in its current state.",
        "It was approved, paid, voided or deleted in Xero in the meantime.",
        "look at the document in Xero; retry once it can be changed, or skip this entry.",
        "xero",
    ),
    _failed(
        "document_not_authorised",
        "Xero takes payments only on approved documents, and {document} is not approved there.",
        "It was set back to draft, or nobody has approved it yet.",
        "approve the document in Xero, then retry.",
        "xero",
    ),
    _failed(
        "document_not_in_xero",
        "{document} is not in Xero, so there is nothing to change there.",
        "It was never sent, sending it failed, or it belongs to another Xero organisation.",
        "retry the failed entry that should have created it, or if there is none, save the document in "
        "SalesBinder; then retry this entry.",
        "xero",
    ),
    _failed(
        "document_removed",
        "{document} was voided, deleted or cancelled earlier, so nothing more can be done with it in Xero.",
        "A voided or deleted document cannot be brought back in Xero, whether this program removed it or "
        "somebody did by hand; and a document cancelled or deleted in SalesBinder before it reached Xero is "
        "not created there.",
        "create a new document in SalesBinder, or skip this entry.",
        "salesbinder",
    ),
    _failed(
        "event_id_reused",
        "the event {event_id} arrived a second time, with different content.",
        "Every change must have its own id; one id for two changes would hide one of them.",
        "the program that publishes the changes must give each change its own id; publish this change again "
        "with a new id, and skip this entry.",
        "us",
        "The first content stays in effect; the second is never sent.",
    ),
    _failed(
        "foreign_payments",
        "{document} cannot be removed: it has payments or credits in Xero that did not come from "
        "SalesBinder ({list}).",
        "Removing it would mean removing payments that somebody else entered.",
        "remove those payments or credits in Xero by hand, then retry.",
        "xero",
    ),
    _failed(
        "tax_rate_unmapped",
        "the connection does not say which Xero tax rate stands for the tax rate {rate} % on {document}.",
        "Every tax rate used in SalesBinder must be mapped to a Xero tax rate, once.",
        "choose the Xero tax rate, on the page under Settings or with 'sbx settings set {account} "
        "{setting}=TAXTYPE' ('sbx settings check {account}' lists the tax types); then retry.",
        "settings",
        by=("setting",),
    ),
    _failed(
        "total_mismatch",
        "{document} is {total} in SalesBinder, but its lines come to {xero_total}. Tried: {tried}.",
        "A few cents of rounding are evened out automatically; a larger difference means that a line, a "
        "discount or a tax rate is not the one that SalesBinder's total was calculated from.",
        "open the document in SalesBinder, check prices (for an order, costs), discounts and tax rates, and "
        "save it again. If they are right, check on the page under Settings which Xero tax rate each rate "
        "is mapped to, and retry.",
        "salesbinder",
        ON_NEXT_EDIT,
    ),
    _failed(
        "amount_too_large",
        "{what} of {document} is {amount}; Xero holds at most {limit}.",
        "Such an amount is usually a typing error, or a number in the wrong field.",
        "correct the quantity or price in SalesBinder; a document that really is this large must be split.",
        "salesbinder",
        ON_NEXT_EDIT,
    ),
    _failed(
        "total_negative",
        "{document} comes to {total}; Xero accepts no invoice, bill or order below zero.",
        "In Xero a credit is a credit note, not a negative invoice.",
        "separate the credit from the document in SalesBinder, or enter a credit note in Xero and skip this "
        "entry.",
        "salesbinder",
        ON_NEXT_EDIT,
    ),
    _failed(
        "lines_missing",
        "{document} has no lines; Xero needs at least one.",
        "The document was saved without items.",
        "add a line in SalesBinder and save.",
        "salesbinder",
        ON_NEXT_EDIT,
    ),
    _failed(
        "number_taken",
        "Xero already has another document with the number {number} (contact: {contact}).",
        "Numbers are unique in Xero, even those of voided documents. Documents that did not come from "
        "SalesBinder are never overwritten.",
        "change the number of one of the two, or set a number format that keeps them apart, such as 'sbx "
        "settings set {account} {setting}=SB-{{number}}'; then retry.",
        "xero",
        by=("setting",),
    ),
    _failed(
        "contact_name_taken",
        "Xero already has another contact whose name it treats as '{name}'.",
        "Two active contacts in Xero can never share a name, even with different case or accents.",
        "merge the two contacts in Xero, or change one of the names; then retry.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_name_unseen",
        "Xero says that another contact has the name '{name}', but shows no contact with that name.",
        "All active contacts of the organisation were searched, ignoring case, accents and blanks. The "
        "other contact may have been renamed meanwhile, or Xero compares names in a way that is not known "
        "here.",
        "retry; if it fails again, look for the name in Xero and change it there, or change it in "
        "SalesBinder, then retry.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_number_taken",
        "Xero already has another contact with the contact number {number}.",
        "The contact number holds SalesBinder's id of the customer or supplier; somebody copied it "
        "to another contact.",
        "clear the contact number of the other contact in Xero, then retry.",
        "xero",
        by=("number",),
    ),
    _failed(
        "contact_archived",
        "the contact '{name}' is archived in Xero, and Xero accepts no documents for archived contacts.",
        "Somebody archived the contact after it was linked to SalesBinder.",
        "restore the contact in Xero, then retry.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_gone",
        "the contact '{name}', which SalesBinder's record is linked to, is no longer in this Xero "
        "organisation.",
        "The organisation was reset or is a different one, or the contact was removed permanently.",
        "retry: the contact is looked up by its number and its name, and created again if Xero has none.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_name_invalid",
        "Xero does not accept the name '{name}': {problem}.",
        "A contact's name must not be empty, must not contain < or >, and may have at most 255 characters.",
        "correct the name of the customer or supplier in SalesBinder.",
        "salesbinder",
        ON_NEXT_EDIT,
        by=("name",),
    ),
    _failed(
        "contact_email_invalid",
        "Xero does not accept the e-mail address '{email}'.",
        "The address has a format that Xero refuses.",
        "correct the e-mail address of the customer or supplier in SalesBinder.",
        "salesbinder",
        ON_NEXT_EDIT,
        by=("email",),
    ),
    _failed(
        "exceeds_amount_due",
        "the payment of {amount} on {document} is more than Xero still counts as due ({due}).",
        "Xero accepts no payment above the amount due. Often somebody has already entered the payment in "
        "Xero.",
        "compare the payments in Xero with those in SalesBinder; remove the extra one and retry, or skip "
        "this entry.",
        "xero",
    ),
    _failed(
        "amount_not_positive",
        "the payment on {document} has the amount {amount}; Xero accepts only amounts above zero.",
        "A negative payment is a refund.",
        "enter it in SalesBinder as a refund, and skip this entry.",
        "salesbinder",
    ),
    _failed(
        "no_matching_payment",
        "no payment of {amount} from SalesBinder was found on {document} for this refund to remove.",
        "The connection is set to remove the matching payment, which must have the same amount (and "
        "reference, if one is given).",
        "remove the payment in Xero by hand and skip this entry, or have refunds booked as credit notes with "
        "'sbx settings set {account} refund_as=credit_note' and retry.",
        "xero",
    ),
    _failed(
        "refund_changed",
        "the refund of {before} on {document} removed a payment; SalesBinder now says {amount}.",
        "The connection is set to remove the matching payment, and a payment that was removed cannot be "
        "changed.",
        "correct the document's payments in Xero by hand and skip this entry.",
        "xero",
    ),
    _failed(
        "payment_refunded",
        "the payment of {before} on {document} was removed by a refund, and SalesBinder now says {amount} "
        "for it.",
        "The connection is set to remove the matching payment, so this payment is no longer in Xero.",
        "correct the document's payments in Xero by hand and skip this entry.",
        "xero",
    ),
    _failed(
        "newer_version_refused",
        "{document} was not created, because a newer version sent with it was refused: {newer}",
        "An approved document can no longer be changed, so an older version is not sent if there is a newer "
        "one.",
        "fix what the newer version was refused for, then retry either entry: both send the newest version.",
        "salesbinder",
    ),
    _failed(
        "xero_stumbles",
        "Xero answers with an internal error ({status}) every time {document} is sent, but accepts others.",
        "Something in this document causes the error; Xero does not say what.",
        "retry it later; if the error persists, change it in SalesBinder, or enter it in Xero by hand and "
        "skip this entry.",
        "xero",
    ),
    _failed(
        "refund_exceeds_paid",
        "the refund of {amount} on {document} is more than was paid on it ({paid}).",
        "Only money that was received can be refunded.",
        "check the payments and refunds of the document in SalesBinder; retry once the missing "
        "payment is in Xero.",
        "salesbinder",
    ),
    _failed(
        "payment_reconciled",
        "a payment on {document} is reconciled with the bank in Xero and cannot be removed ({list}).",
        "Xero protects payments that are matched with a bank statement.",
        "undo the reconciliation in Xero, then retry; or skip this entry.",
        "xero",
    ),
    _failed(
        "payment_already_removed",
        "the payment on {document} was already removed in Xero.",
        "Somebody removed it by hand.",
        "nothing, if that was intended; skip this entry.",
        "xero",
    ),
    _failed(
        "period_locked",
        "{document} is dated {date}, but the books in Xero are locked up to {lock_date}.",
        "The period was closed in Xero, so nothing in it can be added, changed or removed.",
        "move the lock date in Xero and retry. Documents that are only added or changed can be dated on the "
        "first open day instead, with 'sbx settings set {account} locked_period=first_open_day'; removing "
        "something from a locked period requires moving the lock date.",
        "xero",
        by=("lock_date",),
    ),
    _failed(
        "order_billed",
        "{document} is already billed in Xero for {xero_total}, so it can no longer be changed to {total}, "
        "received differently or deleted.",
        "The goods were received, and the order became a bill.",
        "change the bill in Xero by hand and skip this entry.",
        "xero",
    ),
    _failed(
        "received_in_part",
        "{document} is marked as received in full, but according to its lines it is not: {list}.",
        "A receipt becomes a bill for the whole order. Goods that have not arrived yet would be billed "
        "along with the rest.",
        "mark the order as received in full in SalesBinder when the rest has arrived (its status, or every "
        "line's received quantity, must say so); this entry then completes automatically. If less will "
        "arrive, first edit the order down to what has arrived.",
        "salesbinder",
        "The next receipt of the order is sent automatically; when it succeeds, this entry becomes "
        "completed.",
    ),
    _failed(
        "overtaken",
        "{document} was reset, cancelled or deleted before {later}, which is already done; doing it now "
        "would undo that.",
        "Actions on one document are done in the order in which they happened in SalesBinder.",
        "skip this entry; if the document must be removed, cancel or delete it in SalesBinder again.",
        "salesbinder",
        "Nothing: the later action stays in effect.",
    ),
    _failed(
        "needs_review",
        "Xero's response to '{step}' for {document} was lost, and looking it up gave no clear result. "
        "Found: {candidates}.",
        "The connection broke while Xero was working, and the objects with our mark in Xero match only in "
        "part, or exist twice.",
        "look at them in Xero, then decide on the entry's page, or with 'sbx decide {entry} --adopt ID' if "
        "it is one of them, or 'sbx decide {entry} --send' if it is none; add --yes to do what they show.",
        "xero",
        "Nothing, on purpose: doing it twice would be worse. Later actions on the same record wait for this "
        "one.",
    ),
    _failed(
        "xero_plan_limit",
        "Xero did not approve {document}: the organisation has reached the limit of its Xero plan.",
        "Small Xero plans limit how many invoices and bills may be approved in a month.",
        "upgrade the Xero plan, or wait for the next month; then retry.",
        "xero",
    ),
    _failed(
        "not_supported_yet",
        "this kind of change ({entity} {action}) cannot be sent to Xero yet.",
        "This version of the program does not support it.",
        "make the change in Xero by hand and skip this entry, or retry with a newer version.",
        "us",
        by=("entity", "action"),
    ),
    _failed(
        "not_connected",
        "the SalesBinder account '{account}' is not connected to Xero.",
        "Nobody has connected it, or the connection was made under another name.",
        "connect it on the page, or with 'sbx connect {account}' (for a custom connection, with its "
        "--client-id); then retry.",
        "settings",
    ),
    _failed(
        "xero_refused",
        "Xero refused {document}: {message}",
        "The message is Xero's own; this refusal is not in the catalogue.",
        "fix what Xero names, then retry.",
        "xero",
        by=("message",),
    ),
    _failed(
        "our_error",
        "an internal error occurred while processing {document}: {message}",
        "This is a fault in this program, not in your data.",
        "report it with this entry's id; retry after an update.",
        "us",
        by=("message",),
    ),
)

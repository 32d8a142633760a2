"""Reasons that lie in a document, in its state in Xero, or in ourselves."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who

ON_RETRY = "Nothing more is tried until somebody retries the entry."
ON_NEXT_EDIT = (
    "The next change of the record in SalesBinder is sent by itself; when it succeeds, this entry turns "
    "to completed."
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
        "make the change in Xero by hand and skip this entry; or allow such changes on the page under "
        "Settings, or with 'sbx settings set {account} edit_authorised=push', and retry.",
        "settings",
    ),
    _failed(
        "paid_not_editable",
        "the amounts of {document} were changed in SalesBinder, but payments or credits already "
        "stand on it in Xero.",
        "Xero does not let the amounts, lines or date of an invoice change once money is applied to it. "
        "Nothing of this change was sent.",
        "reset the invoice in SalesBinder, which takes its payments off, then retry this entry and enter the "
        "payments again; or correct it in Xero with a credit note, and skip this entry.",
        "salesbinder",
    ),
    _failed(
        "document_not_editable",
        "Xero does not let {document} be changed in the state that it has there.",
        "It was approved, paid, voided or deleted in Xero in the meantime.",
        "look at the document in Xero; retry once it can be changed, or skip this entry.",
        "xero",
    ),
    _failed(
        "document_not_authorised",
        "Xero takes payments only on approved documents, and {document} is not approved there.",
        "It was set back to draft, or somebody is still to approve it.",
        "approve the document in Xero, then retry.",
        "xero",
    ),
    _failed(
        "document_not_in_xero",
        "{document} is not in Xero, so there is nothing there to work on.",
        "It was never sent, its sending failed, or it belongs to another Xero organisation.",
        "retry the failed entry that should have created it, or where there is none, save the document in "
        "SalesBinder; then retry this entry.",
        "xero",
    ),
    _failed(
        "document_removed",
        "{document} was voided, deleted or cancelled before, so nothing more can be done with it in Xero.",
        "Xero never brings a voided or deleted document back, whether we removed it or somebody did by hand; "
        "and what was cancelled or deleted in SalesBinder before it came to Xero is not brought there.",
        "make a new document in SalesBinder, or skip this entry.",
        "salesbinder",
    ),
    _failed(
        "event_id_reused",
        "the event {event_id} came a second time with other content than the first time.",
        "Every change must have an id of its own; one id for two changes would hide one of them.",
        "the program that publishes the changes must give each change its own id; publish this "
        "change again with one, and skip this entry.",
        "us",
        "The first content stays in force; the second is never sent.",
    ),
    _failed(
        "foreign_payments",
        "{document} cannot be removed: it has payments or credits in Xero that did not come from "
        "SalesBinder ({list}).",
        "Removing it would need money records removed that somebody else entered.",
        "remove those payments or credits in Xero by hand, then retry.",
        "xero",
    ),
    _failed(
        "tax_rate_unmapped",
        "the connection does not say which Xero tax stands for the tax rate {rate} % on {document}.",
        "Every tax rate that SalesBinder uses must be paired with a tax rate of Xero, once.",
        "say which tax of Xero it is, on the page under Settings or with 'sbx settings set {account} "
        "{setting}=TAXTYPE' ('sbx settings check {account}' lists the tax types); then retry.",
        "settings",
        by=("setting",),
    ),
    _failed(
        "total_mismatch",
        "{document} is {total} in SalesBinder, but its lines come to {xero_total}. Tried: {tried}.",
        "A few cents of rounding are evened out by themselves; a larger difference means that a "
        "line, a discount or a "
        "tax rate is not what SalesBinder's total was made of.",
        "open the document in SalesBinder, check prices (of an order its costs), discounts and tax rates, "
        "and save it again. If they are right, check on the page under Settings which tax of Xero each rate "
        "is paired with, and retry.",
        "salesbinder",
        ON_NEXT_EDIT,
    ),
    _failed(
        "amount_too_large",
        "{what} of {document} is {amount}; Xero holds at most {limit}.",
        "Such an amount is mostly a slip of the keyboard, or a number that stands in the wrong field.",
        "correct quantity or price in SalesBinder; a document that is as large as that must be split.",
        "salesbinder",
        ON_NEXT_EDIT,
    ),
    _failed(
        "total_negative",
        "{document} comes to {total}; Xero takes no invoice, bill or order below zero.",
        "In Xero a credit is a credit note, not a negative invoice.",
        "split the credit from the document in SalesBinder, or enter a credit note in Xero and skip "
        "this entry.",
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
        "Numbers are unique in Xero, also those of voided documents. A document that is not ours is "
        "never overwritten.",
        "give one of the two another number, or set a number format that keeps them apart, such as "
        "'sbx settings set {account} {setting}=SB-{{number}}'; then retry.",
        "xero",
        by=("setting",),
    ),
    _failed(
        "contact_name_taken",
        "Xero already has another contact whose name it takes for '{name}'.",
        "Two active contacts of Xero never share a name, whatever its case and accents.",
        "merge the two contacts in Xero, or change one of the names; then retry.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_name_unseen",
        "Xero says that another contact has the name '{name}', and shows no contact of that name.",
        "All active contacts of the organisation were gone through, with case, accents and blanks left "
        "aside. Whoever has the name may have lost it in between, or Xero compares names in a way that we do "
        "not know.",
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
        "the contact '{name}' is archived in Xero, and Xero takes no documents on archived contacts.",
        "Somebody archived the contact after it was linked to SalesBinder.",
        "restore the contact in Xero, then retry.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_gone",
        "the contact '{name}', which SalesBinder's record is linked to, is not in this Xero organisation any "
        "more.",
        "The organisation was reset or is another one than it was, or the contact was removed for good.",
        "retry: the contact is looked for by its number and its name, and made again where Xero has none.",
        "xero",
        by=("name",),
    ),
    _failed(
        "contact_name_invalid",
        "Xero does not take the name '{name}': {problem}.",
        "A contact's name must not be empty, must not contain < or >, and has at most 255 characters.",
        "correct the name of the customer or supplier in SalesBinder.",
        "salesbinder",
        ON_NEXT_EDIT,
        by=("name",),
    ),
    _failed(
        "contact_email_invalid",
        "Xero does not take the e-mail address '{email}'.",
        "The address has a form that Xero refuses.",
        "correct the e-mail address of the customer or supplier in SalesBinder.",
        "salesbinder",
        ON_NEXT_EDIT,
        by=("email",),
    ),
    _failed(
        "exceeds_amount_due",
        "the payment of {amount} on {document} is more than Xero still counts as due ({due}).",
        "Xero takes no payment above what is due. Often somebody has entered the payment in Xero already.",
        "compare the payments in Xero with those in SalesBinder; remove the one that is too many and "
        "retry, or skip "
        "this entry.",
        "xero",
    ),
    _failed(
        "amount_not_positive",
        "the payment on {document} has the amount {amount}; Xero takes only amounts above zero.",
        "A negative payment is a refund.",
        "enter it in SalesBinder as a refund, and skip this entry.",
        "salesbinder",
    ),
    _failed(
        "no_matching_payment",
        "no payment of {amount} of ours was found on {document} that this refund could take back.",
        "The connection is set to take the matching payment back, which needs one of the same amount"
        " (and reference, where one is given).",
        "remove the payment in Xero by hand and skip this entry, or have refunds booked as credit notes with "
        "'sbx settings set {account} refund_as=credit_note' and retry.",
        "xero",
    ),
    _failed(
        "refund_changed",
        "the refund of {before} on {document} took a payment back; now SalesBinder says {amount}.",
        "The connection is set to take the matching payment back, and one that was taken back cannot be "
        "changed.",
        "put the payments of the document right in Xero by hand and skip this entry.",
        "xero",
    ),
    _failed(
        "payment_refunded",
        "the payment of {before} on {document} was taken back by a refund, and now SalesBinder says {amount} "
        "for it.",
        "The connection is set to take the matching payment back, so this payment is in Xero no more.",
        "put the payments of the document right in Xero by hand and skip this entry.",
        "xero",
    ),
    _failed(
        "newer_version_refused",
        "{document} was not created, since a newer version that came with it was refused: {newer}",
        "An approved document can no longer be changed, so an older version is not sent when there is a "
        "newer one.",
        "put right what the newer version was refused for, then retry this entry or that one: either sends "
        "the newest version.",
        "salesbinder",
    ),
    _failed(
        "xero_stumbles",
        "Xero answers with an error of its own ({status}) each time that {document} is sent, and takes "
        "others.",
        "Something in this document is too much for Xero, which does not say what.",
        "retry it later; if Xero still stumbles over it, change it in SalesBinder, or enter it in Xero by "
        "hand and skip this entry.",
        "xero",
    ),
    _failed(
        "refund_exceeds_paid",
        "the refund of {amount} on {document} is more than was paid on it ({paid}).",
        "Only money that came in can be paid back.",
        "check the payments and refunds of the document in SalesBinder; retry once the missing "
        "payment is in Xero.",
        "salesbinder",
    ),
    _failed(
        "payment_reconciled",
        "a payment on {document} is reconciled with the bank in Xero and cannot be removed ({list}).",
        "Xero protects what has been matched with a bank statement.",
        "undo the reconciliation in Xero, then retry; or skip this entry.",
        "xero",
    ),
    _failed(
        "payment_already_removed",
        "the payment on {document} was already removed in Xero.",
        "Somebody removed it by hand.",
        "nothing, if that was meant; skip this entry.",
        "xero",
    ),
    _failed(
        "period_locked",
        "{document} is dated {date}, and the books in Xero are locked up to {lock_date}.",
        "The period was closed in Xero, so nothing in it can be added, changed or removed.",
        "move the lock date in Xero and retry. What is only to be added or changed can be dated on the first "
        "open day instead, with 'sbx settings set {account} locked_period=first_open_day'; what is to be "
        "taken out of a locked period needs the lock date moved.",
        "xero",
        by=("lock_date",),
    ),
    _failed(
        "order_billed",
        "{document} is already billed in Xero with {xero_total}, so it can no longer be changed to {total}, "
        "received otherwise or deleted.",
        "The goods were received, and the order became a bill.",
        "change the bill in Xero by hand and skip this entry.",
        "xero",
    ),
    _failed(
        "received_in_part",
        "{document} is said to be received in full, but by its own lines it is not: {list}.",
        "A receipt becomes a bill for the whole order. What has not come in yet would be billed along with "
        "the rest.",
        "mark the order as received in full in SalesBinder when the rest has come in (its status, or every "
        "line's received quantity, must say so); this entry ends by itself then. An order that ends with "
        "less is to be edited down to what has come in first.",
        "salesbinder",
        "The next receipt of the order is sent by itself; when it succeeds, this entry turns to completed.",
    ),
    _failed(
        "overtaken",
        "{document} was reset, cancelled or deleted before {later}, which is done already; doing it now "
        "would undo that.",
        "Actions on one document are done in the order in which they happened in SalesBinder.",
        "skip this entry; where the document must go, cancel or delete it in SalesBinder again.",
        "salesbinder",
        "Nothing: what came later stays in force.",
    ),
    _failed(
        "needs_review",
        "Xero's answer to '{step}' for {document} was lost, and looking it up did not settle it. "
        "Found: {candidates}.",
        "The connection broke while Xero was at work, and what bears our mark in Xero agrees only in part, "
        "or is there twice.",
        "look at them in Xero, then decide on the entry's page, or with 'sbx decide {entry} --adopt ID' "
        "where one of them is it, 'sbx decide {entry} --send' where none is; --yes does what they show.",
        "xero",
        "Nothing, on purpose: doing it twice would be worse. Later actions on the same record wait "
        "for this one.",
    ),
    _failed(
        "xero_plan_limit",
        "Xero did not approve {document}: the organisation has reached the number that its Xero plan allows.",
        "Small Xero plans limit how many invoices and bills may be approved in a month.",
        "upgrade the Xero plan, or wait for the next month; then retry.",
        "xero",
    ),
    _failed(
        "not_supported_yet",
        "this kind of change ({entity} {action}) is not sent to Xero yet.",
        "This version does not know it.",
        "make the change in Xero by hand and skip this entry, or retry with a newer version.",
        "us",
        by=("entity", "action"),
    ),
    _failed(
        "not_connected",
        "the SalesBinder account '{account}' is not connected to Xero.",
        "Nobody has connected it, or the connection was made for another name.",
        "connect it on the page, or with 'sbx connect {account}' (of a custom connection, with its "
        "--client-id); then retry.",
        "settings",
    ),
    _failed(
        "xero_refused",
        "Xero refused {document}: {message}",
        "The words are Xero's own; this refusal is not one that we know.",
        "put right what Xero names, then retry.",
        "xero",
        by=("message",),
    ),
    _failed(
        "our_error",
        "something went wrong in our own program while it worked on {document}: {message}",
        "A fault of this program, not of your data.",
        "report it with this entry's id; retry after an update.",
        "us",
        by=("message",),
    ),
)

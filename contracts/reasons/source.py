"""Reasons why something of SalesBinder's own API could not be read, and nothing was made of it."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who

_AGAIN = "The record is read again after 30 seconds, later each time up to an hour; everything else goes on."
_LISTS = "The list is read again within ten minutes; all others go on. Nothing is deleted or reset meanwhile."


def _source(
    code: ReasonCode,
    sentence: str,
    cause: str,
    remedy: str = "{remedy}",
    *,
    who: Who = "salesbinder",
    retry: str = _AGAIN,
) -> Reason:
    return Reason(code, "source", sentence, cause, remedy, who, retry)


REASONS = (
    _source(
        "salesbinder_key_refused",
        "SalesBinder refuses the API key of '{account}'.",
        "A user's new API key replaces the old one, and a user who is removed loses theirs.",
        "give the key that SalesBinder shows on the user's Profile page: 'sbx source connect {account}'.",
        retry="Tried again every ten minutes, and at once with a new key. Nothing is lost meanwhile.",
    ),
    _source(
        "salesbinder_key_unproven",
        "it is not sure that the API key of '{account}' is of this company: {problem}.",
        "With the key of another company all of its records would be synced as new ones of this one, so a "
        "new key must show one of the records that are known before anything is read with it.",
        "nothing if it passes; else give the key of a user of this company who sees its customers and "
        "documents: 'sbx source connect {account}'. If all of these were archived, bring one back.",
        retry="Asked again as soon as SalesBinder answers, and every ten minutes. Nothing is read meanwhile.",
    ),
    _source(
        "salesbinder_blocked",
        "SalesBinder does not answer '{account}' for a while: too many calls.",
        "SalesBinder allows 50 calls a minute. This program makes 40 at most, so another one uses the same "
        "key or account.",
        "give this program a user and API key of its own in SalesBinder, and slow the other program down.",
        retry="The block is waited out: 75 seconds, doubled each time up to an hour.",
    ),
    _source(
        "salesbinder_unavailable",
        "SalesBinder gives no answer that can be used for '{account}': {problem}.",
        "SalesBinder is down, or cannot be reached from here, or the account's name is wrong.",
        "nothing if it passes; else open https://{account}.salesbinder.com in a browser.",
        retry="Retried after 5 seconds, doubled each time up to ten minutes.",
    ),
    _source(
        "salesbinder_account_gone",
        "SalesBinder does not know the account '{account}' any more: it has none of its lists.",
        "The account was closed, or its sub-domain was changed, or its plan has no API.",
        "open https://{account}.salesbinder.com in a browser; if it has another name now, connect that: "
        "'sbx source connect NAME'. What was synced stays as it is.",
        retry="Tried again every ten minutes. Nothing is deleted or reset meanwhile.",
    ),
    _source(
        "list_refused",
        "SalesBinder does not show the list {document} of '{account}': {problem}.",
        "The user of the API key lacks a permission, or the plan or the account's name is another.",
        retry=_LISTS,
    ),
    _source(
        "list_odd",
        "the list {document} of '{account}' contradicts itself: {problem}.",
        "Rows move while pages are read, or the user of the key suddenly sees less than before.",
        retry=_LISTS,
    ),
    _source(
        "rows_not_shown",
        "SalesBinder does not show some rows of the list {document} of '{account}': {problem}.",
        "Something about a record there is more than SalesBinder's API, or this program, can handle.",
        retry="Each later reading of the list asks for them again. All other rows are read; nothing is "
        "deleted or reset meanwhile, and what was there before the connection is not told as new later.",
    ),
    _source(
        "clock_off",
        "the clock of SalesBinder's server for '{account}' differs: {problem}.",
        "A server's or this computer's clock is off, or something between them answers with old answers.",
        who="us",
        retry="Reading goes on: what is asked for goes by SalesBinder's clock, what is due by the one here.",
    ),
    _source(
        "record_refused",
        "SalesBinder does not show {document}, though a list has it: {problem}.",
        "The user of the API key may read the list and not the record; or it is in the archive.",
        retry="The record is read again after 30 seconds, later each time up to an hour, daily if it is not "
        "there (404), and at once with a new key; everything else goes on.",
    ),
    _source(
        "history_left_out",
        "{document} was left out when documents from before the connection were sent on: {problem}.",
        "It was there when its list was read first: it was archived or deleted since, or the user of the API "
        "key may not see it.",
        retry="It is read again within 30 days, and sent on then if it is there; everything else goes on.",
    ),
    _source(
        "answer_unreadable",
        "SalesBinder's answer about {document} cannot be read: {problem}.",
        "It is a page for people, or cut off, or not what its API describes.",
    ),
    _source(
        "record_unclear",
        "{document} cannot be read: {field} is {value}; {problem}.",
        "SalesBinder shows the record without something that is needed, or in another form.",
    ),
    _source(
        "record_foreign",
        "the answer about {document} is about something else: {field} is {value}; {problem}.",
        "SalesBinder answered with another record or another type of record.",
    ),
    _source(
        "field_vanished",
        "{document} is shown without {field}, which it had before.",
        "SalesBinder's API has changed, or the answer is incomplete. A missing field is no change.",
    ),
    _source(
        "event_refused",
        "{document} cannot be sent on: {field} is {value}; {problem}.",
        "An event has a largest size.",
    ),
    _source(
        "transactions_missing",
        "the payments of {document} cannot be read: {problem}.",
        "The answer has no list of payments.",
    ),
    _source(
        "transaction_marked",
        "nothing of the payments of {document} is synced: {field} says '{value}', and {problem}.",
        "A payment is marked as a refund, returned or void, and the sum paid says something else.",
    ),
    _source(
        "transaction_sign_changed",
        "nothing of the payments of {document} is synced: {field} is {value}; {problem}.",
        "A payment became a refund, or a refund a payment.",
    ),
    _source(
        "sums_disagree",
        "nothing of the payments of {document} is synced: SalesBinder says that {value} is paid, but "
        "{problem}.",
        "Documents that were converted or imported may have a sum paid without payments.",
    ),
    _source(
        "payments_before_start_unknown",
        "payments of {document} from before the connection are not known: {problem}.",
        "When an account is connected, the sum paid of each invoice is read, not its payments.",
    ),
    _source(
        "status_unknown",
        "{document} has the status '{value}', which is not known; it changes nothing.",
        "SalesBinder's statuses are not documented; only some of their names are known.",
    ),
    _source(
        "cancelled_live_again",
        "{document} was cancelled and is now '{value}'.",
        "No event says that a cancelled invoice is live again.",
    ),
    _source(
        "received_in_part_again",
        "{document} was received in full and is now '{value}'.",
        "No event says that goods went back.",
    ),
    _source(
        "deleted_yet_visible",
        "{document} was deleted, yet SalesBinder shows it.",
        "A deleted record does not come back under its id.",
    ),
)

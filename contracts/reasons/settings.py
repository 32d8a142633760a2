"""Reasons found in a connection's settings, or in the Xero organisation's choices for them."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason

_SET = "on the page under Settings, or with 'sbx settings set {account} {setting}=CODE'"
_SET_TAX = (
    "on the page under Settings, or with 'sbx settings set {account} {setting}=TAXTYPE' ('sbx settings check "
    "{account}' lists the tax types)"
)
_RETRY = (
    "Failed entries stay failed until somebody retries them; later entries use the new settings "
    "automatically."
)


def _setting(code: ReasonCode, sentence: str, cause: str, remedy: str, *, by: tuple[str, ...] = ()) -> Reason:
    return Reason(code, "settings", sentence, cause, remedy, "settings", _RETRY, by)


REASONS = (
    _setting(
        "payment_account_missing",
        "the connection does not say which Xero account the payment by '{reference}' goes to.",
        "There is no safe guess for the account that received the money, so there is no default.",
        "choose a bank account for payments, on the page under Settings or with 'sbx settings set {account} "
        "payment_account=CODE' (its code or AccountID); then retry.",
    ),
    _setting(
        "payment_account_unknown",
        "Xero has no account '{code}', which {setting} names for payments.",
        "The account code has a typing error, or belongs to another organisation.",
        f"choose another account {_SET} (code or AccountID; 'sbx settings check {{account}}' lists them); "
        f"then retry.",
        by=("setting", "code"),
    ),
    _setting(
        "payment_account_not_payable",
        "Xero accepts no payments to the account '{code}', which {setting} names.",
        "Payments can go to bank accounts and to accounts with 'enable payments to this account', if they "
        "are not archived.",
        f"turn on 'enable payments to this account' in Xero's chart of accounts, or choose a bank account "
        f"{_SET}; then retry.",
        by=("setting", "code"),
    ),
    _setting(
        "account_code_unknown",
        "Xero does not accept the account code '{code}', which {setting} names, on {document}.",
        "The code is not in the chart of accounts, or this type of account cannot be used on such a "
        "document.",
        f"choose an account from Xero's chart of accounts {_SET}; then retry.",
        by=("setting", "code"),
    ),
    _setting(
        "account_code_archived",
        "the account '{code}', which {setting} names, is archived or deleted in Xero.",
        "Somebody archived the account after the connection was set up.",
        f"restore the account in Xero, or choose another one {_SET}; then retry.",
        by=("setting", "code"),
    ),
    _setting(
        "tax_type_unknown",
        "Xero has no tax rate '{tax_type}', which {setting} names, or it is no longer in use.",
        "The TaxType has a typing error, or its tax rate was deleted in Xero.",
        f"choose another tax rate {_SET_TAX}; then retry.",
        by=("setting", "tax_type"),
    ),
    _setting(
        "tax_type_unfit",
        "Xero does not accept the tax rate '{tax_type}' together with the account '{code}' on {document}.",
        "Tax rates are for sales or for purchases, and some accounts allow only some of them.",
        f"choose a tax rate that fits {_SET_TAX}; then retry.",
        by=("setting", "tax_type", "code"),
    ),
    _setting(
        "item_code_invalid",
        "Xero does not accept the item code '{code}'.",
        "This program creates the item that every line carries; it was deleted in Xero, or the code has "
        "more than 30 characters.",
        "choose another item code, on the page under Settings or with 'sbx settings set {account} "
        "item_code=SB-LINE' (the item is created in Xero if it is missing); then retry.",
        by=("code",),
    ),
    _setting(
        "item_tracked",
        "the item '{code}', which every line would carry, is tracked as inventory in Xero: nothing was "
        "posted with it, because Xero would count the stock that SalesBinder already counts.",
        "The item was created in Xero as a tracked item, or its code was chosen for the setting item_code.",
        "choose a code that no tracked item has, on the page under Settings or with 'sbx settings set "
        "{account} item_code=SB-LINE' (the item is created in Xero if it is missing); then retry.",
        by=("code",),
    ),
    _setting(
        "item_code_taken",
        "Xero already has an item with the code '{code}'.",
        "Somebody created an item with that code at the same time.",
        "retry: the existing item will be used.",
        by=("code",),
    ),
    _setting(
        "currency_not_enabled",
        "{document} is in {currency}, which is not enabled in the Xero organisation.",
        "Other currencies need a Xero plan with multi-currency, and each one must be added.",
        "add the currency in Xero's settings, then retry; or correct the currency in SalesBinder.",
        by=("currency",),
    ),
)

"""Where Xero shows things to people."""

_LOGIN = "https://go.xero.com/organisationlogin/default.aspx?shortcode={code}&redirecturl="
# Xero's page "Deep link to Xero" and its own MCP server (XeroAPI/xero-mcp-server, src/consts/deeplinks.ts).
_XERO_PAGES = {
    "contact": "https://go.xero.com/app/{code}/contacts/contact/{id}",
    "invoice": "https://go.xero.com/app/{code}/invoicing/view/{id}",
    "payment": _LOGIN + "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
    "credit_note": _LOGIN + "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}",
    "bill": _LOGIN + "/AccountsPayable/Edit.aspx?InvoiceID={id}",
    "purchase_order": _LOGIN + "/Accounts/Payable/PurchaseOrders/View/{id}/",
}


def xero_page(kind: str, xero_id: str, short_code: str) -> str:
    """Return the address at which Xero shows it; ``""`` if no page is known.

    Args:
        short_code: Xero's for the organisation; ``""`` when not known.
    """
    page = _XERO_PAGES.get(kind, "") if xero_id and short_code else ""
    return page.format(code=short_code, id=xero_id)

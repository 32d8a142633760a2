"""Build the addresses at which SalesBinder shows a record, for Xero's ``Url`` and for the log."""

from dataclasses import dataclass
from urllib.parse import quote

from connections.settings import DEFAULT_ACCOUNT_URL, DEFAULT_DOCUMENT_URL, Settings
from contracts.urls import split_address

_KINDS = {"customer": "customers", "supplier": "suppliers"}
"""The text that replaces ``{kind}`` in the setting ``account_url``."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a connection, as its settings have them; without a connection the defaults."""

    document_url: str = DEFAULT_DOCUMENT_URL
    account_url: str = DEFAULT_ACCOUNT_URL
    short_code: str = ""
    """Xero's code for the organisation, for links to Xero's pages; ``""`` if not known."""

    @classmethod
    def of(cls, settings: Settings, short_code: str = "") -> "Addresses":
        """Return those of a connection."""
        return cls(settings.document_url, settings.account_url, short_code)

    def record(self, account: str, entity: str, record_id: str) -> str:
        """Return the address at which SalesBinder shows the record: an invoice or order as a document, a
        customer or supplier on its own page. ``""`` if no record is known.

        Args:
            account: SalesBinder's sub-domain.
            entity: ``invoice``, ``purchase_order``, ``customer``, ``supplier``; ``""`` counts as a document.
        """
        if not account or not record_id:
            return ""
        kind = _KINDS.get(entity)
        template = self.account_url if kind else self.document_url
        filled = template.replace("{account}", quote(account, safe="")).replace("{kind}", kind or "documents")
        return filled.replace("{id}", quote(record_id, safe=""))

    def shown(self, account: str, entity: str, record_id: str) -> str:
        """Return the same for the log, whose pages lead there: ``""`` where it can be no address, since an id
        that stands in its host may make it one.
        """
        address = self.record(account, entity, record_id)
        return address if split_address(address) is not None else ""

"""The official SDK as these tests drive it: real HTTP, no hidden retries, answers as plain JSON."""

import json
from decimal import Decimal
from typing import Any

import urllib3
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException
from xero_python.identity import IdentityApi

from sandbox.fake_xero import FakeXeroAdmin, FakeXeroServer

# collection -> (name in JSON, SDK's singular)
_NAMES = {
    "contacts": ("Contacts", "contact"),
    "invoices": ("Invoices", "invoice"),
    "credit_notes": ("CreditNotes", "credit_note"),
    "purchase_orders": ("PurchaseOrders", "purchase_order"),
    "payments": ("Payments", "payment"),
    "items": ("Items", "item"),
}
_UNIT_PLACES = {"invoices", "credit_notes", "items"}


class Xero:
    """Writes elements and returns what Xero says of each (`summarizeErrors=false` unless told otherwise)."""

    def __init__(self, server: FakeXeroServer, client_id: str = "", client_secret: str = "") -> None:
        self.server = server
        self.tenant_id = server.tenant_id
        self.token: dict[str, Any] = {}
        TokenApi.client_credentials_token_url = f"{server.identity_url}/connect/token"
        TokenApi.refresh_token_url = TokenApi.client_credentials_token_url
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token(
            client_id or server.client_id, client_secret or server.client_secret
        )
        self.client = ApiClient(
            configuration, oauth2_token_getter=lambda: self.token, oauth2_token_saver=self.token.update
        )
        pool = self.client.rest_client.pool_manager
        pool.clear()
        pool.connection_pool_kw["retries"] = urllib3.Retry(total=False)
        self.http = pool
        self.client.get_client_credentials_token()
        self.api = AccountingApi(self.client, base_url=server.api_url)
        self.identity = IdentityApi(self.client, base_url=server.url)

    @property
    def admin(self) -> FakeXeroAdmin:
        return self.server.admin

    def write(self, verb: str, collection: str, *elements: dict[str, Any], **settings: Any) -> list[Any]:
        """PUT or POST of a batch through the SDK; the elements of the answer."""
        plural, singular = _NAMES[collection]
        settings.setdefault("summarize_errors", False)
        if collection in _UNIT_PLACES:
            settings.setdefault("unitdp", 4)
        if collection == "payments" and verb == "post":
            method, settings = self.api.create_payment, {}
            body: Any = elements[0]
        else:
            prefix = "create" if verb == "put" else "update_or_create"
            method, body = getattr(self.api, f"{prefix}_{singular}s"), {plural: list(elements)}
        answer = method(self.tenant_id, body, _preload_content=False, **settings)
        return list(parse(answer.data)[plural])

    def put(self, collection: str, element: dict[str, Any], **settings: Any) -> Any:
        """PUT of one element."""
        return self.write("put", collection, element, **settings)[0]

    def post(self, collection: str, element: dict[str, Any], **settings: Any) -> Any:
        """POST of one element to the collection."""
        return self.write("post", collection, element, **settings)[0]

    def update(self, collection: str, record_id: str, element: dict[str, Any]) -> Any:
        """POST /{id}. A refusal (400) is given as the failed element."""
        plural, singular = _NAMES[collection]
        method = getattr(self.api, f"update_{singular}" if collection != "payments" else "delete_payment")
        body = {plural: [element]} if collection != "payments" else element
        try:
            answer = method(self.tenant_id, record_id, body, _preload_content=False)
        except AccountingBadRequestException as error:
            return parse(error.http_resp.data)["Elements"][0]
        return parse(answer.data)[plural][0]

    def get(self, collection: str, record_id: str) -> Any:
        """GET by id or number."""
        plural, singular = _NAMES[collection]
        answer = getattr(self.api, f"get_{singular}")(self.tenant_id, record_id, _preload_content=False)
        return parse(answer.data)[plural][0]

    def list(self, collection: str, **query: Any) -> list[Any]:
        """GET of the collection."""
        plural, singular = _NAMES[collection]
        answer = getattr(self.api, f"get_{singular}s")(self.tenant_id, _preload_content=False, **query)
        return list(parse(answer.data)[plural])

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request without the SDK, for what the SDK cannot say. Names of headers with _ for -."""
        sent = {
            "Authorization": f"Bearer {self.token['access_token']}",
            "xero-tenant-id": self.tenant_id,
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.http.request(method, f"{self.server.api_url}/{path}", body=data, headers=sent)


def parse(data: bytes) -> Any:
    """JSON with exact numbers."""
    return json.loads(data, parse_float=Decimal)


def messages(element: dict[str, Any]) -> list[str]:
    """What Xero says is wrong with an element; it must be marked as failed."""
    if "StatusAttributeString" in element:
        assert element["StatusAttributeString"] == "ERROR", element
    return [error["Message"] for error in element["ValidationErrors"]]


def line(**changes: Any) -> dict[str, Any]:
    """A line over 100.00 on the sales account, 8 % tax."""
    fields = {
        "Description": "Work Shirt",
        "Quantity": 1,
        "UnitAmount": 100,
        "AccountCode": "200",
        "TaxType": "OUTPUT",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def invoice(contact_id: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An authorised sales invoice of 108.00 unless changed; None takes a field out."""
    fields = {
        "Type": "ACCREC",
        "Contact": {"ContactID": contact_id},
        "Date": "2026-03-02",
        "DueDate": "2026-04-01",
        "Status": "AUTHORISED",
        "LineItems": list(lines) or [line()],
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def bill(contact_id: str, **changes: Any) -> dict[str, Any]:
    """An authorised bill of 108.00 unless changed."""
    lines = [line(AccountCode="300", TaxType="INPUT")]
    return invoice(contact_id, **{"Type": "ACCPAY", "LineItems": lines, **changes})


def payment(invoice_id: str, amount: Any, **changes: Any) -> dict[str, Any]:
    """A payment to the first bank account."""
    return {
        "Invoice": {"InvoiceID": invoice_id},
        "Account": {"Code": "090"},
        "Date": "2026-03-05",
        "Amount": amount,
        **changes,
    }

"""Users and their API keys: what a key may see (reference §1)."""

from dataclasses import dataclass, field

from .records import CUSTOMER, ESTIMATE, INVOICE, ORDER, PROSPECT, SUPPLIER
from .switches import Switches

_BILLING = "Billing Management"
PERMISSIONS = (
    "View Customers",
    "View Prospects",
    "View Suppliers",
    _BILLING,
    "View Invoices",
    "View Estimates",
    "View Purchase Orders",
    "Modify",
)
_NEEDED = {
    CUSTOMER: {"View Customers"},
    PROSPECT: {"View Prospects"},
    SUPPLIER: {"View Suppliers"},
    ESTIMATE: {_BILLING, "View Estimates"},
    INVOICE: {_BILLING, "View Invoices"},
}


@dataclass(slots=True)
class User:
    """Somebody with an API key. `assigned_only`: sees only records that are assigned to them."""

    id: str
    key: str
    first_name: str = "Sam"
    last_name: str = "Keeper"
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    assigned_only: bool = False
    lost_access: bool = False
    """After too many blocks."""


def allowed(user: User, context_id: int, switches: Switches) -> bool:
    """Return whether the user may see records of this context."""
    needed = {_BILLING, switches.orders_permission} if context_id == ORDER else _NEEDED.get(context_id, set())
    return needed <= user.permissions

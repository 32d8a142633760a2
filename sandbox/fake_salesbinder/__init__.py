"""A stand-in for SalesBinder to test and demonstrate with: stateful, real HTTP, in memory. See README.md."""

from sandbox.admin_client import FakeAdminError

from .admin_client import FakeSalesBinderAdmin
from .server import FakeSalesBinderServer
from .shop import Shop
from .shopkeeper import Shopkeeper
from .switches import SWITCHES, Switches, all_pairs
from .truth import EVENT_KINDS, Change, TrueDocument, TrueParty, Truth
from .visible import Visible, visible
from .world import World

__all__ = [
    "EVENT_KINDS",
    "SWITCHES",
    "Change",
    "FakeAdminError",
    "FakeSalesBinderAdmin",
    "FakeSalesBinderServer",
    "Shop",
    "Shopkeeper",
    "Switches",
    "TrueDocument",
    "TrueParty",
    "Truth",
    "Visible",
    "World",
    "all_pairs",
    "visible",
]

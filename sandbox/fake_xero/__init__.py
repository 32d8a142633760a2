"""A stand-in for Xero to test and demonstrate with: stateful, over real HTTP, in memory. See README.md."""

from .admin_client import FakeAdminError, FakeXeroAdmin
from .server import FakeXeroServer

__all__ = ["FakeAdminError", "FakeXeroAdmin", "FakeXeroServer"]

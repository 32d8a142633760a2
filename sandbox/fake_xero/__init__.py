"""A stand-in for Xero to test and demonstrate with: stateful, over real HTTP, in memory. See README.md."""

from sandbox.admin_client import FakeAdminError

from .admin_client import FakeXeroAdmin
from .server import FakeXeroServer

__all__ = ["FakeAdminError", "FakeXeroAdmin", "FakeXeroServer"]

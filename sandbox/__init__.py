"""Everything the product needs around it, on one machine: Kafka, PostgreSQL, a fake Xero.

Nothing in here knows the product; only the command line and the tests use it.
"""

from sandbox.errors import DataDirInUse, DataDirUnusable, DownloadFailed, SandboxError, ServiceFailed
from sandbox.paths import cache_dir, default_data_dir, too_full
from sandbox.process import Progress
from sandbox.stack import EmbeddedStack, Endpoints, find_running

__all__ = [
    "DataDirInUse",
    "DataDirUnusable",
    "DownloadFailed",
    "EmbeddedStack",
    "Endpoints",
    "Progress",
    "SandboxError",
    "ServiceFailed",
    "cache_dir",
    "default_data_dir",
    "find_running",
    "too_full",
]

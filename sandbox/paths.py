"""Where the sandbox keeps its things."""

import os
import stat
from pathlib import Path

import platformdirs

from sandbox.errors import DataDirUnusable

MIN_FREE_BYTES = 300 * 1024 * 1024
"""Less free space than this and Kafka or PostgreSQL would stop in the middle of something."""


def default_data_dir() -> Path:
    """Return ``SBX_DATA_DIR``, else the user's data directory (``~/.local/share/sbx`` on Linux).

    Not the working directory: the same data must be found from wherever ``sbx`` is called.
    """
    configured = os.environ.get("SBX_DATA_DIR")
    return (
        Path(configured).expanduser() if configured else platformdirs.user_data_path("sbx", appauthor=False)
    )


def cache_dir() -> Path:
    """Return ``SBX_CACHE_DIR``, else the user's cache directory (``~/.cache/sbx`` on Linux).

    Holds downloads only: it is shared between data directories and may be deleted at any time.
    """
    configured = os.environ.get("SBX_CACHE_DIR")
    return (
        Path(configured).expanduser() if configured else platformdirs.user_cache_path("sbx", appauthor=False)
    )


def prepare(directory: Path) -> Path:
    """Create ``directory`` (mode 0700) if it is missing, check that it can be written; return it resolved.

    Raises DataDirUnusable.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory = directory.resolve()
        probe = directory / f".writable-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
        full = too_full(directory)
    except OSError as error:
        raise DataDirUnusable(
            f"The data directory {directory} cannot be used: {error.strerror or error}. "
            "Make it writable for this user, or name another one with SBX_DATA_DIR."
        ) from error
    if full:
        raise DataDirUnusable(
            f"{full}. Free some space, or name a directory on another disk with SBX_DATA_DIR."
        )
    return directory


def too_full(directory: Path) -> str:
    """Return how little room there is on the disk of an existing directory; blank if there is enough.

    Raises OSError.
    """
    space = os.statvfs(directory)
    free = space.f_bavail * space.f_frsize
    if free >= MIN_FREE_BYTES:
        return ""
    return f"The disk of {directory} has {free // 2**20} MB left; {MIN_FREE_BYTES // 2**20} MB are needed"


def open_to_all(path: Path) -> bool:
    """Return whether any user can reach and read ``path`` (an existing file or directory)."""
    resolved = path.resolve()
    needed = stat.S_IROTH | stat.S_IXOTH if resolved.is_dir() else stat.S_IROTH
    return resolved.stat().st_mode & needed == needed and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in resolved.parents
    )

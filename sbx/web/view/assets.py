"""Files that browsers may cache: addressed by content, so that an upgrade takes effect at once."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(FOLDER.iterdir()))).hexdigest()[:12]
"""Part of each file's address: it changes when any of them does."""

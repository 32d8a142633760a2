"""Files that browsers may keep: addressed by their content, so that an upgrade is seen at once."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(FOLDER.iterdir()))).hexdigest()[:12]
"""Part of the address of each file: it changes with any of them."""

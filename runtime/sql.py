"""SQL out of the ``.sql`` file next to the module that runs it."""

import re
from pathlib import Path
from typing import LiteralString, cast

_SECTION = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def load_queries(module_file: str) -> dict[str, LiteralString]:
    """The statements of ``{module}.sql`` by the names of their ``-- name: …`` lines."""
    text = Path(module_file).with_suffix(".sql").read_text(encoding="utf-8")
    parts = _SECTION.split(text)[1:]
    return {
        name: cast("LiteralString", statement.strip())
        for name, statement in zip(parts[::2], parts[1::2], strict=True)
    }

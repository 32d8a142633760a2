"""Load SQL from the ``.sql`` file next to the module that runs it."""

import re
from pathlib import Path
from typing import LiteralString, cast

_SECTION = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_INCLUDE = re.compile(r"^[ ]*-- include: (\S+)$", re.MULTILINE)


def load_queries(module_file: str) -> dict[str, LiteralString]:
    """Return the statements of ``{module}.sql`` by the names of their ``-- name: …`` lines.

    A line ``-- include: {path}`` stands for the text of that file, beside the one that names it.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = Path(module_file).with_suffix(".sql")
    text = _INCLUDE.sub(lambda found: _read(path.parent / found[1]).rstrip(), _read(path))
    parts = _SECTION.split(text)[1:]
    return {
        name: cast("LiteralString", statement.strip())
        for name, statement in zip(parts[::2], parts[1::2], strict=True)
    }


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")

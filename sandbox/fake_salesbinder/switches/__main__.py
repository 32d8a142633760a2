"""`python -m sandbox.fake_salesbinder.switches`: print the switches as Markdown tables."""

import sys

from . import GROUPS
from .definition import Switch, described


def tables() -> str:
    """Return a table per group: name, settings (the default first), meaning, source."""
    parts = []
    for title, group in GROUPS.items():
        rows = [_row(told) for told in described(group)]
        parts.append(
            "\n".join(
                [f"### {title}", "", "| switch | settings | meaning | source |", "|---|---|---|---|", *rows]
            )
        )
    return "\n\n".join(parts) + "\n"


def _row(told: Switch) -> str:
    settings = ", ".join(f"`{word}`" for word in told.settings)
    return f"| `{told.name}` | {settings} | {told.meaning} | {told.source} |"


if __name__ == "__main__":
    sys.stdout.write(tables())

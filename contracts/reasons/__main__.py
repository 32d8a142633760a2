"""Print the catalogue as ``docs/reasons.md``."""

import sys

from contracts.reasons import CATALOGUE, Kind, Reason, Who, sentence_case

_TITLES: dict[Kind, str] = {
    "failed": "Failed: the document, or its state in Xero",
    "settings": "Failed: the connection's settings",
    "waiting": "Waiting",
    "warning": "Warnings on completed entries",
    "event": "Events that could not be read (dead letters)",
    "source": "Reading SalesBinder",
}
_WHO: dict[Who, str] = {
    "salesbinder": "in SalesBinder",
    "xero": "in Xero",
    "settings": "in the connection's settings",
    "us": "in the operation of this program",
}


def document() -> str:
    """Return ``docs/reasons.md``."""
    parts = [
        "# Reasons",
        "",
        "Every entry of the Integrations Log that failed, waits, or completed with a warning names "
        "one of these codes.",
        "Words in braces stand for the document's own numbers, names and amounts.",
        "",
        "<!-- Generated: python -m contracts.reasons > docs/reasons.md -->",
    ]
    for kind, title in _TITLES.items():
        parts += ["", f"## {title}"]
        for reason in CATALOGUE.values():
            if reason.kind == kind:
                parts += ["", *_entry(reason)]
    return "\n".join(parts) + "\n"


def _entry(reason: Reason) -> list[str]:
    lines = [
        f"### `{reason.code}`",
        "",
        f"**{reason.title}**",
        "",
        f"> {sentence_case(reason.sentence)}",
        "",
        f"- **Why:** {reason.cause}",
        f"- **What to do:** {sentence_case(reason.remedy)}",
        f"- **Where to fix it:** {_WHO[reason.who]}",
        f"- **Automatically:** {reason.retry}",
    ]
    if reason.cause_args:
        lines.append(f"- **One issue per:** {', '.join(reason.cause_args)}")
    return lines


if __name__ == "__main__":
    sys.stdout.write(document())

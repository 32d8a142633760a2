"""Texts in the nearest form that Xero takes."""

from contracts.reasons import warning
from contracts.results import Warning

ELLIPSIS = "…"


def cut(text: str, limit: int, field: str, warnings: list[Warning]) -> str:
    """Return ``text`` cut to ``limit`` characters with ``…`` at its end; a cut adds a warning."""
    if len(text) <= limit:
        return text
    warnings.append(warning("text_cut", field=field, length=limit))
    return text[: limit - len(ELLIPSIS)].rstrip() + ELLIPSIS


def tidy(text: str, field: str, warnings: list[Warning]) -> str:
    """Return ``one_line`` of a text; if that changes more than surrounding blanks, a warning says so."""
    sent = one_line(text)
    if sent != text.strip():
        warnings.append(warning("text_changed", field=field, value=text.strip(), sent=sent))
    return sent


def one_line(text: str) -> str:
    """Return ``text`` without line breaks, surrounding and repeated blanks."""
    return " ".join(text.split())

"""Make texts of SalesBinder's records fit for Xero and for the log."""

import re

import msgspec

_NOT_ALLOWED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 does not allow (Xero keeps documents as XML), and DEL."""


LABEL_LENGTH = 255
"""Characters of a label that the log shows and searches; its indexes would not hold much longer texts."""


def label(value: object) -> str:
    """Return a field as a short text of one line, for the log."""
    return " ".join(text(value).split())[:LABEL_LENGTH]


def told(value: object) -> str | None:
    """Return a field as text, blank if it is null; None if its record does not contain it."""
    return None if value is msgspec.UNSET else text(value)


def text(value: object) -> str:
    """Return a field as text: without control characters and surrounding blanks; blank and absent
    are ``""``.
    """
    if value is None:
        return ""
    written = str(value)
    if not written.isprintable():
        written = _NOT_ALLOWED.sub("", written.replace("\r\n", "\n").replace("\r", "\n"))
    return written.strip()

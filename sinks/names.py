"""Names as Xero compares them."""

import unicodedata


def same_name(one: str, other: str) -> bool:
    """True when Xero takes both for one name: surrounding and repeated blanks, case and accents aside."""
    return folded(one) == folded(other)


def folded(name: str) -> str:
    """The name as Xero compares it."""
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))

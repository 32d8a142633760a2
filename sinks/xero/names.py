"""Names as Xero compares them."""

import hashlib
import unicodedata


def same_name(one: str, other: str) -> bool:
    """Return True if Xero takes both for one name: surrounding and repeated blanks, case and
    accents aside.
    """
    return folded(one) == folded(other)


def folded(name: str) -> str:
    """Return the name as Xero compares it."""
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def name_key(name: str) -> str:
    """Return the same short text for all names that Xero takes for one."""
    return hashlib.sha256(folded(name).encode()).hexdigest()[:32]


def alike(one: str, other: str) -> bool:
    """Return True if the two differ only in things that some rules of comparing ignore: letters that resemble
    a plain one (ø, æ), invisible signs, forms of quotes and dashes.
    """
    return _skeleton(one) == _skeleton(other)


def _skeleton(name: str) -> str:
    visible = "".join(c for c in folded(name) if unicodedata.category(c) != "Cf").translate(_PLAIN)
    return " ".join(visible.split())


_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t"}
    | dict.fromkeys("‘’‚‛`´ʼ", "'")
    | dict.fromkeys("“”„‟", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
)

"""Text for spreadsheets, which take some of it for formulas."""

from typing import Final

_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The full-width ones as well: East Asian versions read them as the others
(owasp.org/www-community/attacks/CSV_Injection).
"""


def plain_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: anybody can choose a customer's name."""
    return "'" + text if text.startswith(_BEGINS_FORMULA) else text

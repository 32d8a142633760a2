"""Why something failed, waits or was changed along the way: one catalogue for log, page and commands.

A reason is a code that never changes and a sentence for a bookkeeper. ``Refused`` carries a code and its
details through the program; ``render`` builds the sentence and the remedy. ``python -m contracts.reasons``
prints ``docs/reasons.md``.

Two details are known when rendering, so the code that refuses need not give them: ``account``
(SalesBinder's sub-domain) and ``document`` (``invoice 1042``, ``purchase order 77``, ``customer Bolt & Co``).
Warnings are shown below their entry, and use neither.
"""

import re
from collections.abc import Mapping

from contracts.reasons import events, failed, settings, source, waiting, warnings
from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Kind, Reason, Who
from contracts.results import Warning

__all__ = [
    "CATALOGUE",
    "Kind",
    "Reason",
    "ReasonCode",
    "Refused",
    "Who",
    "cause_of",
    "render",
    "text_shape",
    "warning",
]

CATALOGUE: dict[str, Reason] = {
    reason.code: reason
    for reasons in (
        failed.REASONS,
        settings.REASONS,
        waiting.REASONS,
        warnings.REASONS,
        events.REASONS,
        source.REASONS,
    )
    for reason in reasons
}


class Refused(Exception):
    """An action that cannot be done, with a reason from the catalogue.

    ``code`` is the reason's code, ``details`` the named fields of its texts (values are
    converted to text). The exception's ``args`` hold only the sentence.

    Raises:
        KeyError: the catalogue has no such code.
    """

    def __init__(self, code: ReasonCode, /, **details: object) -> None:
        self.code = CATALOGUE[code].code
        self.details: dict[str, str] = {name: str(value) for name, value in details.items()}
        super().__init__(render(code, self.details)[0])

    @property
    def reason(self) -> Reason:
        """Return the catalogue's entry."""
        return CATALOGUE[self.code]


class _Details(dict[str, str]):
    """Shows ``…`` for a missing or blank detail: a gap in a sentence is better than no sentence."""

    def __missing__(self, name: str) -> str:
        return "…"


def render(code: str, details: Mapping[str, str]) -> tuple[str, str]:
    """Return the sentence and the remedy of ``code`` for these details; a missing or blank one becomes ``…``.

    Raises:
        KeyError: the catalogue has no such code.
    """
    reason = CATALOGUE[code]
    known = _Details({name: value for name, value in details.items() if value.strip()})
    typed = _Details({**known, "setting": _typed(known["setting"])}) if "setting" in known else known
    return sentence_case(reason.sentence.format_map(known)), sentence_case(reason.remedy.format_map(typed))


def _typed(setting: str) -> str:
    """Return a setting's key as typed in a shell: ``payment_account.{reference}`` may hold anything."""
    if re.fullmatch(r"[\w.+-]+", setting, re.ASCII):
        return setting
    return '"' + re.sub(r'([\\"$`])', r"\\\1", setting) + '"'


def cause_of(code: str, details: Mapping[str, str]) -> str:
    """Return the values that failures with this code must share to have one cause, those of its
    ``cause_args``.

    Return ``""`` for a reason that is one cause wherever it happens.

    Raises:
        KeyError: the catalogue has no such code.
    """
    values = [_identity(name, details.get(name, "")) for name in CATALOGUE[code].cause_args]
    return ", ".join(value for value in values if value)


def text_shape(text: str) -> str:
    """Return a text without the parts that differ between documents, so that the same error has the same
    shape.

    Words with a digit become ``#``, quoted text ``'…'``. Only the beginning of a long text counts.
    """
    unquoted = _QUOTED.sub("'…'", text[:_MAX_SHAPED])
    return " ".join(_WITH_DIGIT.sub("#", unquoted).split())[:_MAX_CAUSE]


# Each begins at the beginning of a word alone, or looks ahead a bounded way.
_QUOTED = re.compile(r"(?<!\w)(['\"]{1,3}).{0,600}?\1(?!\w)")
_WITH_DIGIT = re.compile(r"(?<![^\s.,;:])[^\s.,;:]*\d[^\s,;:]*(?<!\.)")


def _identity(name: str, value: str) -> str:
    if name == "message":
        return text_shape(value)
    if name == "field":  # every line of a document has the same fields
        value = re.sub(r"\[\d+\]", "[]", value)
    return " ".join(value.split())[:_MAX_CAUSE]


_MAX_CAUSE = 500
"""Characters; Xero's messages may be long, and a cause is indexed."""
_MAX_SHAPED = 2000
"""Characters examined: a text may quote a publisher's."""


def warning(code: ReasonCode, /, **details: object) -> Warning:
    """Return a warning from the catalogue as a result carries it.

    Raises:
        KeyError: the catalogue has no such code.
    """
    text, _ = render(code, {name: str(value) for name, value in details.items()})
    return Warning(code=code, text=text)


def sentence_case(text: str) -> str:
    """Return ``text`` with its first letter in upper case, because many sentences start with a detail."""
    return text[:1].upper() + text[1:]

"""The report of a probe, for us or for SalesBinder's support. Pure."""

from collections.abc import Sequence

from sources.probing.questions import OPEN, Finding, Origin, not_learnt

_ORIGINS: dict[Origin, str] = {
    "look": "asked now",
    "reader": "measured by the reader",
    "watch": "watched",
}
_HEAD = """\
# What SalesBinder's API answered, and what it left open

What is in it: names of fields and statuses, counts, forms, ids of statuses and contexts, which way sums
went, and by how many seconds stamps moved. What is masked by never being written: names, mail and other texts
of the shop's, amounts, numbers and ids of documents, the account's name, keys and addresses.
"""


def in_words(finding: Finding) -> str:
    """Return a finding as a line."""
    return f"{finding.question}: {finding.answer} ({_ORIGINS[finding.origin]})"


def report(found: Sequence[Finding]) -> str:
    """Return the report in Markdown: each open question with what was learnt, or what to do to learn it."""
    left = not_learnt(found)
    parts = [_HEAD]
    for each in OPEN:
        lines = [f"- {in_words(finding)}" for finding in found if finding.number == each.number]
        lines += [f"- {part.name}: not learnt: {part.experiment}" for one, part in left if one is each]
        parts.append("\n".join([f"## {each.number}. {each.title}", "", *lines, ""]))
    rest = [f"- {in_words(finding)}" for finding in found if not finding.number]
    parts.append("\n".join(["## Also seen", "", *(rest or ["- nothing"]), ""]))
    return "\n".join(parts)

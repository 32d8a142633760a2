"""Calculate amounts as before net and tax were kept apart, for documents that are in Xero in that form."""

from connections.facts import OrganisationFacts
from connections.settings import Settings, tax_key
from contracts.commands import DocumentSnapshot
from contracts.money import CENT
from contracts.reasons import Refused, warning
from contracts.results import Warning
from mappers.totals import totals
from sinks.resolve.cents import xero_total
from sinks.resolve.chart import Side, account_code, known_tax, no_tax
from sinks.resolve.lines import XeroLine, extra_line, xero_line


def lines_as_before(
    document: DocumentSnapshot,
    side: Side,
    code: str,
    settings: Settings,
    facts: OrganisationFacts,
    warnings: list[Warning],
    *,
    discounts: bool,
    rounding_line: str,
) -> list[XeroLine]:
    """Return the lines with all cents on the tax of the largest taxed line, or on a line of their own.

    Raises:
        Refused: they cannot be made so.
    """
    lines = []
    for line in document.lines:
        key = tax_key(line.tax_rate, line.tax2_rate)
        if key not in side.tax_types:
            raise Refused("tax_rate_unmapped", rate=key, setting=f"{side.tax_setting}.{key}")
        setting = f"{side.tax_setting}.{key}"
        tax = known_tax(side.tax_types[key], setting, line.tax_rate + line.tax2_rate, side, facts)
        lines.append(xero_line(line, settings.item_code, code, tax, warnings, discounts=discounts))
    total, found = totals(document).total, xero_total(lines)
    cents = total - found
    if abs(cents) > (len(lines) + 2) * CENT or (cents and not lines):
        raise Refused("total_mismatch", total=total, xero_total=found)
    if not cents:
        return lines
    taxed = [place for place, line in enumerate(lines) if line.rate and line.amount]
    if not taxed:
        warnings.append(warning("cents_moved", cents=cents, place="a rounding line"))
        account = account_code(settings.rounding_account, "rounding_account", facts)
        return [*lines, extra_line(rounding_line, "Rounding", cents, "", account, no_tax(side, facts))]
    largest = max(taxed, key=lambda place: abs(lines[place].amount))
    lines[largest] = lines[largest].with_tax(lines[largest].tax + cents)
    warnings.append(warning("cents_moved", cents=cents, place="the tax of the largest line"))
    return lines

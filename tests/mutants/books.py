"""Mutants of the rules of bookkeeping: the log would say ``completed`` while Xero has it otherwise."""

from tests.mutants.mutant import Mutant

_SINKS = "tests/integration/sinks"


def _one(name: str, file: str, text: str, other: str, tests: str) -> Mutant:
    return Mutant(name, "books", ((file, text, other),), tests)


BOOKS = (
    _one(
        "equal stamps stand for equal content",
        "sinks/planner/documents.py",
        'if link.stamp.equals(document.stamp) and link.text("content") == document.digest:',
        "if link.stamp.equals(document.stamp):",
        "tests/golden/test_money.py -k told_again",
    ),
    _one(
        "a transaction's id stands for its content",
        "sinks/planner/told.py",
        "        now.amount != before.amount\n",
        "        False\n",
        f"{_SINKS}/test_corrections.py -k another_amount_takes",
    ),
    _one(
        "a payment that a reset took off stays off",
        "sinks/planner/told.py",
        "    return reset is None or (s.command.event.time, s.seq) > (reset.time, reset.seq)",
        "    return reset is None",
        f"{_SINKS}/test_corrections.py -k it_is_applied_again",
    ),
    _one(
        "a receipt is billed whatever its lines say",
        "sinks/planner/receipts.py",
        "if s.command.in_part and not s.command.says_received:",
        "if not s.command:",
        "tests/golden/test_receipts.py -k one_after_the_other",
    ),
    _one(
        "rates as floats write them",
        "mappers/totals.py",
        "    return rate.quantize(RATE_PLACES, ROUND_HALF_UP, EXACT)",
        "    return rate",
        "tests/golden/test_numbers.py -k publishers_write",
    ),
    _one(
        "accents make another name",
        "sinks/xero/names.py",
        'return "".join(c for c in decomposed if not unicodedata.combining(c))',
        "return decomposed",
        f"{_SINKS}/test_namesakes.py -k name_spelt_otherwise",
    ),
    _one(
        "a burst of one name asks for each",
        "sinks/planner/contacts.py",
        "if situation.namesake is not None and not _number_refused(situation):",
        "if situation.namesake is not None and _number_refused(situation):",
        f"{_SINKS}/test_namesakes.py -k forty_invoices",
    ),
    _one(
        "an item with stock is sold",
        "sinks/planner/items.py",
        "    if s.facts.is_tracked(code):\n",
        "    if not code:\n",
        "tests/golden/test_organisations.py -k stock",
    ),
    _one(
        "an order's price counts for nothing",
        "sinks/resolve/readings.py",
        '"purchase_order": ("cost", "price", "discounted_price"),',
        '"purchase_order": ("cost",),',
        "tests/golden/test_numbers.py -k publishers_write",
    ),
    _one(
        "cents of net go on the tax",
        "sinks/resolve/amounts.py",
        "return self.wanted.tax + self.wanted.tax2 - xero_tax(self.lines)",
        "return self.wanted.total - xero_total(self.lines)",
        "tests/golden/test_numbers.py -k publishers_write",
    ),
    _one(
        "a rate of one for a foreign currency",
        "sinks/resolve/chart.py",
        "if rate <= 0 or rate == 1:",
        "if rate <= 0:",
        f"{_SINKS}/test_numbers.py -k exchange_rates_that_cannot_be",
    ),
    _one(
        "absent is blank",
        "mappers/contacts.py",
        "        phone=_phone(record),\n        fax=told(record.office_fax),\n",
        '        phone=_phone(record) or "",\n        fax=told(record.office_fax) or "",\n',
        f"{_SINKS}/test_thin_contacts.py -k absent_is_kept_and_null",
    ),
    _one(
        "each account has limits of its own",
        "sinks/lanes/shares.py",
        "        share = self._shares.get(key)\n        if share is None or not share.members:\n",
        "        share = None\n        if share is None:\n",
        f"{_SINKS}/test_one_organisation.py -k limits_are_the_organisations",
    ),
    _one(
        "an edit of a merged contact goes nowhere",
        "sinks/planner/effects.py",
        "    if is_away(found):  # nobody sees",
        '    if is_away(found) and not found.get("MergedToContactID"):  # nobody sees',
        f"{_SINKS}/test_contact_care.py -k goes_to_the_one_that_lives_on",
    ),
    _one(
        "what cannot be undone rests on old facts",
        "sinks/ledger/situations.py",
        "    return facts.fresh_at >= since",
        "    return facts.fresh_at <= now_utc()",
        "tests/golden/test_money.py -k closed_meanwhile",
    ),
    _one(
        "a draft is approved before its payment is checked",
        "sinks/ledger/situations.py",
        "            facts_are_fresh=_are_fresh(facts, job),",
        "            facts_are_fresh=job.entry.command.transaction is not None or _are_fresh(facts, job),",
        f"{_SINKS}/test_care.py -k not_authorised_for_a_payment",
    ),
)

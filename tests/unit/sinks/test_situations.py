"""What the planner needs to know, found for each job among what was read for all of them."""

from sinks.ledger.situations import by_record
from sinks.xero.elements import StepKey


def test_steps_are_found_by_the_record_that_they_are_about() -> None:
    invoice, contact = StepKey("invoice", "i1"), StepKey("contact", "customer/c1")
    payments = [StepKey("payment", "i1", number) for number in ("p1", "p2")]
    assert by_record([invoice, *payments, contact]) == {"i1": {invoice, *payments}, "customer/c1": {contact}}
    assert by_record([]) == {}

"""Records whose rows are shown, and whose details are refused or not there for hours, take few calls."""

from datetime import timedelta

import pytest

from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.test_account_trouble import GONE, MAY_NOT
from tests.unit.sources.test_failing_pages import FAILS, HOUR, Shop

NEW = 12


class Hiding(Shop):
    """A shop that shows rows of some invoices, and not their details."""

    def __init__(self, instead: Answer) -> None:
        super().__init__(FAILS["503"])
        self.instead = instead
        self.hidden: set[str] = set()
        self.vain = 0

    def answer(self, question: Question) -> Answer:
        if question.path[10:-5] in self.hidden:
            self.vain += 1
            return self.instead
        return super().answer(question)

    def vain_in(self, time: timedelta) -> int:
        before = self.vain
        self.reader.run_until(self.reader.now + time)
        return self.vain - before


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("instead", [MAY_NOT, GONE], ids=["refused", "gone"])
def test_a_detail_that_is_not_shown_is_asked_for_seldomer_while_its_row_is_as_before(
    instead: Answer, is_known: bool
) -> None:
    shop = Hiding(instead)
    shop.read(HOUR / 2)
    for name in [*shop.invoices][:NEW] if is_known else ():
        now = shop.reader.now.isoformat()
        shop.hidden.add(name)
        shop.invoices[name] = {**shop.invoices[name], "total_price": 77, "modified": now}
    for _ in () if is_known else range(NEW):
        shop.hidden.add(shop.make("d"))
    assert 4 * NEW <= shop.vain_in(2 * HOUR) <= 6 * NEW
    codes = [each.code for each in shop.reader.problems]
    assert codes == (["record_refused"] * NEW if instead is MAY_NOT else [])
    changed = next(iter(shop.hidden))
    shop.invoices[changed] = {**shop.invoices[changed], "total_price": 78}
    told = len(shop.reader.told)
    shop.hidden.discard(changed)
    shop.read(HOUR / 10)
    assert len(shop.reader.told) > told, "another row is asked about at once"


def test_an_invoice_that_is_listed_and_not_there_for_hours_is_told_within_a_day_of_being_there() -> None:
    shop = Hiding(GONE)
    shop.read(HOUR / 2)
    name = shop.make("d")
    shop.hidden.add(name)
    assert shop.vain_in(3 * HOUR) == 5
    shop.hidden.clear()
    shop.read(24 * HOUR)
    assert name in shop.known

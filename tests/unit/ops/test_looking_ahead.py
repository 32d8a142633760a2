"""The preview of a set-up."""

import pytest

from sbx.actions.setup.looking_ahead import _line


@pytest.mark.parametrize(("rate", "shown"), [("12.5", "12.5"), ("0", ""), ("0.00", ""), (None, "")])
def test_a_discount_is_shown_where_there_is_one(rate: str | None, shown: str) -> None:
    line = _line({"Description": "Fitting", "UnitAmount": "50.00", "DiscountRate": rate})
    assert (line.discount, line.unit_amount) == (shown, "50.00")

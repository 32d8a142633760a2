"""How an act on a shop is written: under its lock, known by name, refused with the field that is wrong."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from ..shop import Shop

Given = ParamSpec("Given")
Result = TypeVar("Result")
ACTS: dict[str, Callable[..., Any]] = {}
"""All acts by name, for the admin interface."""


class Refused(Exception):
    """SalesBinder does not do that: `errors` says why, by field, as a 422 shows it."""

    def __init__(self, field: str, rule: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.errors = {field: {rule: text}}


def act(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Register an act, whose first argument is the shop, and run it under the shop's lock."""

    @wraps(function)
    def locked(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        shop = args[0]
        if not isinstance(shop, Shop):
            raise TypeError(f"{function.__name__} takes a shop first")
        with shop.lock:
            return function(*args, **kwargs)

    ACTS[function.__name__] = locked
    return locked


def amount(given: Any, field: str = "amount") -> Decimal:
    """Return an amount that may come as text or number. Raises Refused."""
    try:
        found = Decimal(str(given))
    except InvalidOperation:
        raise Refused(field, "numeric", "Please enter a number") from None
    if not found.is_finite():
        raise Refused(field, "numeric", "Please enter a number")
    return found


def day(given: Any, default: date, field: str = "transaction_date") -> date:
    """Return a day that may come as `YYYY-MM-DD` or date. Raises Refused."""
    if given is None:
        return default
    try:
        return given if isinstance(given, date) else date.fromisoformat(str(given)[:10])
    except ValueError:
        raise Refused(field, "date", "Please enter a date as YYYY-MM-DD") from None


def text(given: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    """Return a field as text, None where it is null or not given."""
    value = given.get(name, default)
    return None if value is None else str(value)

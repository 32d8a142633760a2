"""How acts are told in a line."""

from typing import Any

import pytest

from sbx.actions.audit import came_of, on_what


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"account": "acme", "entries": ["a", "b"]}, "acme, 2 entries"),
        ({"account": "acme", "settings": {"currency": None, "due_days": "14"}},
         "acme, currency=, due_days=14"),
        ({"filters": {"account": "acme", "reason": "our_error"}}, "acme, reason=our_error"),
        ({"selection": {"topics": ["salesbinder.invoices", "salesbinder.customers"]}, "replay": 3},
         "topics=salesbinder.invoices,salesbinder.customers, replay 3"),
        ({}, ""),
    ],
)  # fmt: skip
def test_what_it_was_on(target: dict[str, Any], said: str) -> None:
    assert on_what({"target": target}) == said


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "not finished"),
        ({}, "done"),
        ({"error": "busy"}, "refused: busy"),
        ({"done": ["a", "b"]}, "done 2"),
    ],
)
def test_what_came_of_it(result: dict[str, Any] | None, said: str) -> None:
    assert came_of({"result": result}) == said

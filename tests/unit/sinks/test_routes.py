"""Routes, and the tables that have a row for each of them."""

from pathlib import Path
from typing import get_args

import pytest

import sinks
from sinks.lanes.queue import ORDER
from sinks.planner.effects import EFFECTS, Effect
from sinks.xero.elements import Step
from sinks.xero.routes import ROUTES, Route, RouteName


@pytest.mark.parametrize("table", [tuple(ROUTES), tuple(EFFECTS), ORDER], ids=["routes", "effects", "order"])
def test_every_route_is_in_every_table(table: tuple[RouteName, ...]) -> None:
    assert sorted(table) == sorted(get_args(RouteName))


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.name)
def test_a_look_up_teaches_and_a_change_is_kept(route: Route) -> None:
    nothing, effect = Effect(), EFFECTS[route.name]
    if route.reads:
        assert effect.learn != nothing.learn
        assert effect.refused == nothing.refused
    elif route.name != "items.create":  # items are among the organisation's facts, and have no link
        assert effect.link != nothing.link


def test_every_step_is_taken_somewhere() -> None:
    [root] = sinks.__path__
    code = "".join(
        path.read_text(encoding="utf-8") for path in Path(root).rglob("*.py") if path.name != "elements.py"
    )
    assert [step for step in get_args(Step) if f'"{step}"' not in code] == []

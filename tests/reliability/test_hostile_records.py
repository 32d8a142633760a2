"""Hundreds of hostile messages go through the real stages, amid events of a shop: its books come out."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker
from tests.record_batches import Wire, batch, record
from tests.reliability.crashing import PATIENCE, assert_survived, history, new_shop
from tests.reliability.hostile import Hostile, to_inner, to_sources
from tests.reliability.stages import STAGES, Stages
from tests.web.office import Client, serving
from tests.web.test_hostile import EVERY, is_stream

pytestmark = pytest.mark.reliability
Place = tuple[str, int, int]


def sent(wire: Wire, one: Hostile, partition: int) -> Place | None:
    """Where the broker put it; None where it did not take it."""
    code, offset = wire.produce(one.topic, partition, batch(record(0, one.key, one.value, one.headers), 1))
    return (one.topic, partition, offset) if code == 0 else None


def entries_at(database_url: str, places: set[Place]) -> dict[Place, list[tuple[str, str]]]:
    """Id and state of each entry of the messages at these places."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            'SELECT topic, partition, "offset", entry_id, state FROM integrations_log.entry'
        ).fetchall()
    found: dict[Place, list[tuple[str, str]]] = {}
    for topic, partition, offset, entry_id, state in rows:
        if (topic, partition, offset) in places:
            found.setdefault((topic, partition, offset), []).append((entry_id, state))
    return found


async def test_each_ends_once_and_the_books_of_others_come_out(
    kafka: str, environment: Environment, fake: FakeXeroServer, stages: Stages, tmp_path: Path
) -> None:
    shop, victim = await new_shop(environment, fake), await new_shop(environment, fake)
    events = history(Maker(shop.account))
    hostile = [*to_sources(victim.account), *to_inner(victim.account)]
    for stage in STAGES:
        stages.start(stage)
    pids = stages.pids()
    wire = Wire(kafka)
    places: dict[Place, str] = {}
    waiting, apart = list(events), len(hostile) // len(events)
    for number, one in enumerate(hostile):
        if number % apart == 0 and waiting:
            stages.publish([waiting.pop(0)])
        place = sent(wire, one, number % 4)
        if place is not None:
            places[place] = one.name
    wire.close()
    stages.survive(shop.account, {"completed": len(events)}, {})
    database_url = str(environment.database_url)
    results = {place for place, name in places.items() if name.startswith("result ")}

    until = time.monotonic() + PATIENCE
    while True:
        found = entries_at(database_url, set(places))
        open_ = [name for place, name in places.items() if place not in found and place not in results]
        if not open_ and all(state in ("completed", "failed") for of in found.values() for _, state in of):
            break
        assert time.monotonic() < until, (open_, Counter(s for of in found.values() for _, s in of))
        await asyncio.sleep(0.2)
    assert {places[place]: of for place, of in found.items() if len(of) != 1} == {}
    assert len({entry_id for of in found.values() for entry_id, _ in of}) == len(found)
    assert stages.pids() == pids
    await assert_survived(shop, len(events))
    print(f"{len(hostile)} hostile messages, {len(places)} taken by the broker, {len(found)} of them shown")
    assert len(places) > 300

    with serving(database_url, tmp_path) as office:
        office.user("ann")
        page, program = office.client("ann"), office.api("ann")
        shown = [row["entry_id"] for row in all_entries(program)]
        assert {entry_id for of in found.values() for entry_id, _ in of} <= set(shown)
        bad = [
            path for entry_id in shown for path in paths_of(entry_id) if answered(page, program, path) >= 500
        ]
        for method, path in EVERY:
            if method == "GET" and "{" not in path and not is_stream(path):
                for query in ("", f"?account={victim.account}", "?state=failed", "?text=h"):
                    if answered(page, program, path + query) >= 500:
                        bad.append(path + query)
        assert bad == []
    stages.stop_all()


def all_entries(program: Client) -> list[dict[str, Any]]:
    """The whole log, page by page."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = program.get("/api/v1/entries", limit=100, **cursor)
        assert answer.status == 200, answer.text
        rows += answer.json["entries"]
        if not answer.json["next"]:
            return rows
        cursor = {"cursor": answer.json["next"]}


def paths_of(entry_id: str) -> list[str]:
    return [f"/entries/{entry_id}", f"/api/v1/entries/{entry_id}", f"/api/v1/entries/{entry_id}/attempts"]


def answered(page: Client, program: Client, path: str) -> int:
    return (program if path.startswith("/api") else page).get(path).status

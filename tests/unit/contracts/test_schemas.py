"""The JSON Schemas in docs/schemas are those of the types, and say the same as the reader."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.schemas import render, schemas

ROOT = Path(__file__).parents[3]
EXAMPLES = (ROOT.parent / "shared" / "examples" / "events.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", schemas())
def test_the_schema_in_the_docs_is_current(name: str) -> None:
    stored = (ROOT / "docs" / "schemas" / name).read_text(encoding="utf-8")
    assert stored == render(schemas()[name]), "run: python -m contracts.schemas docs/schemas"


def test_there_are_no_other_files() -> None:
    assert {path.name for path in (ROOT / "docs" / "schemas").iterdir()} == set(schemas())


@pytest.mark.parametrize("line", EXAMPLES, ids=lambda line: json.loads(line)["type"])
def test_every_example_fits_the_schema(line: str) -> None:
    jsonschema.Draft202012Validator(schemas()["change-event.json"]).validate(json.loads(line))


@pytest.mark.parametrize(
    "path",
    [["subject"], ["data", "document", "customer"], ["data", "document", "document_items", 0, "price"]],
)
def test_what_is_missing_does_not_fit(path: list[str | int]) -> None:
    event = next(json.loads(line) for line in EXAMPLES if "invoice.created" in line)
    target: Any = event
    for step in path[:-1]:
        target = target[step]
    del target[path[-1]]
    assert not jsonschema.Draft202012Validator(schemas()["change-event.json"]).is_valid(event)

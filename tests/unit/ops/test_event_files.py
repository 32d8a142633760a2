"""Files of events: every line is checked, and named when it is bad."""

import json
from pathlib import Path
from typing import Any

import pytest

from sbx.cli.event_files import checked


@pytest.fixture
def examples(shared_dir: Path) -> list[str]:
    return (shared_dir / "examples" / "events.jsonl").read_text(encoding="utf-8").splitlines()


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_all_examples_are_valid_and_keep_their_order(examples: list[str], tmp_path: Path) -> None:
    with checked([write(tmp_path / "a", *examples[:10]), write(tmp_path / "b", *examples[10:])]) as result:
        records = list(result.records())
    assert not result.bad
    assert [json.loads(value) for _, _, value in records] == [json.loads(line) for line in examples]
    subjects = [json.loads(line)["subject"] for line in examples]
    assert [key.decode() for _, key, _ in records] == [f"acme/{subject}" for subject in subjects]
    assert {topic for topic, _, _ in records} == {
        "salesbinder.customers",
        "salesbinder.suppliers",
        "salesbinder.invoices",
        "salesbinder.purchase-orders",
    }


def test_every_bad_line_is_named_and_the_rest_is_kept(examples: list[str], tmp_path: Path) -> None:
    broken: dict[str, Any] = json.loads(examples[2])
    broken["data"]["document"]["total_price"] = "NaN"
    file = write(tmp_path / "mixed", examples[0], "", "not json", json.dumps(broken), examples[1])
    with checked([file]) as result:
        assert len(list(result.records())) == result.events == 2
    assert [(line.line, line.field) for line in result.bad] == [
        (3, "value"),
        (4, "data.document.total_price"),
    ]
    assert str(result.bad[1]).startswith(f"{file}:4: data.document.total_price is NaN: ")


def test_every_fault_of_a_line_is_told(examples: list[str], tmp_path: Path) -> None:
    broken = next(one for one in map(json.loads, examples) if one["type"] == "salesbinder.invoice.created")
    document = broken["data"]["document"]
    document["total_price"] = "NaN"
    document["issue_date"] = "soon"
    del document["document_items"][0]["quantity"]
    del document["customer"]
    with checked([write(tmp_path / "broken", json.dumps(broken))]) as result:
        (bad,) = result.bad
    told = {one.field for one in (bad, *bad.others)}
    assert told == {
        "data.document.total_price",
        "data.document.issue_date",
        "data.document.document_items[0].quantity",
        "data.document.customer",
    }
    assert len(str(bad).splitlines()) == 4


@pytest.mark.parametrize("name", ["", "  "])
def test_a_customer_without_a_name_is_refused(name: str, examples: list[str], tmp_path: Path) -> None:
    nameless = next(one for one in map(json.loads, examples) if one["type"] == "salesbinder.customer.created")
    nameless["data"]["customer"]["name"] = name
    nameless["data"]["customer"]["modified"] = "soon"
    with checked([write(tmp_path / "nameless", json.dumps(nameless))]) as result:
        (bad,) = result.bad
    assert [one.field for one in (bad, *bad.others)] == ["data.customer.modified", "data.customer.name"]


def test_one_id_for_two_changes_is_refused_across_files(examples: list[str], tmp_path: Path) -> None:
    other = examples[0].replace("Widgets & Co", "Gadgets & Co")
    first = write(tmp_path / "first", examples[0], examples[0])
    with checked([first, write(tmp_path / "second", other)]) as result:
        assert result.events == 2, "the same event twice is no mistake"
    (bad,) = result.bad
    assert (bad.line, bad.field) == (1, "id")
    assert f"{first}:1" in bad.problem


@pytest.mark.parametrize("depth", [900, 1000, 100_000])
def test_lines_that_are_nested_too_deeply_are_named_like_others(
    examples: list[str], tmp_path: Path, depth: int
) -> None:
    deep = "[" * depth + "]" * depth
    event = json.loads(examples[0])
    inside = json.dumps(event | {"data": "@"}).replace('"@"', deep)
    with checked([write(tmp_path / "deep", deep, examples[0], inside)]) as result:
        assert len(list(result.records())) == 1
    assert [line.line for line in result.bad] == [1, 3]

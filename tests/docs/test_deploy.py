"""What is handed to Docker, Prometheus and Grafana has their form, and names what there is."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from runtime import metrics
from sbx.cli.command_line import app

ROOT = Path(__file__).parents[2]
_SPAN = re.compile(r"([0-9]+(ms|[smhdwy]))+")
_RULE = {"alert", "expr", "for", "labels", "annotations"}
_OWN = {"process_start_time_seconds", "up"}


class Strict(yaml.SafeLoader):
    """Refuses a key that stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(set(names)) == len(names), f"twice: {names} at {node.start_mark}"
        return dict(super().construct_mapping(node, deep))


def read(path: str) -> Any:
    return yaml.load((ROOT / path).read_text(encoding="utf-8"), Strict)  # noqa: S506 - a SafeLoader


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def balanced(expression: str) -> bool:
    bare = re.sub(r'"[^"]*"', "", expression)
    return all(bare.count(a) == bare.count(b) for a, b in ("()", "[]", "{}"))


def names_in(expression: str) -> set[str]:
    """Names of metrics: what is no word of PromQL, no label and no text."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring) \([^)]*\)', " ", expression)
    return {name for name in re.findall(r"\b[a-z][a-z0-9_]*\b(?!\s*\()", bare) if "_" in name or name == "up"}


def known() -> set[str]:
    found = set(_OWN)
    for metric in metrics.METRICS.values():
        described = next(iter(metric.describe()))
        ends = ("_bucket", "_sum", "_count") if described.type == "histogram" else ("",)
        found |= {metrics.full_name(metric) + end for end in ends}
    return found


def test_alert_rules_have_prometheus_form_and_metrics_that_exist() -> None:
    whole = read("deploy/alerts.yml")
    assert whole.keys() == {"groups"}
    for group in whole["groups"]:
        assert group.keys() <= {"name", "interval", "rules"}
        for rule in group["rules"]:
            assert {"alert", "expr", "labels", "annotations"} <= rule.keys() <= _RULE, rule
            assert re.fullmatch(r"[A-Za-z_]\w*", rule["alert"])
            assert _SPAN.fullmatch(rule.get("for", "1m")), rule
            assert balanced(rule["expr"]), rule
            assert names_in(rule["expr"]) <= known(), names_in(rule["expr"]) - known()
            for text in (*rule["labels"].values(), *rule["annotations"].values()):
                assert isinstance(text, str) and text.count("{{") == text.count("}}")


def test_the_board_has_grafanas_form_and_metrics_that_exist() -> None:
    text = (ROOT / "deploy/grafana/salesbinder-xero.json").read_text(encoding="utf-8")
    board = json.loads(text, object_pairs_hook=no_key_twice)
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= board.keys()
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    asked = 0
    for panel in panels:
        assert {"title", "type", "gridPos", "targets", "datasource"} <= panel.keys(), panel["title"]
        place = panel["gridPos"]
        assert place.keys() == {"x", "y", "w", "h"} and place["x"] + place["w"] <= 24, panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for expression in (target["expr"] for target in panel["targets"] if "expr" in target):
            asked += 1
            assert balanced(expression), expression
            assert names_in(expression) <= known(), names_in(expression) - known()
    assert asked > 5


def test_every_process_has_a_service_with_a_command_that_exists() -> None:
    services = read("docker-compose.yml")["services"]
    commands = {name: one["command"] for name, one in services.items() if "build" in one}
    processes = {"transform", "deliver", "project", "source", "web", "notify"}
    assert processes | {"topics", "migrate"} == commands.keys()
    known_commands = get_command(app).commands  # type: ignore[attr-defined]
    for name, words in commands.items():
        assert words[0] in known_commands, name
    for name in processes:
        variables = services[name]["environment"]
        assert {"SBX_METRICS_HOST", "SBX_METRICS_PORT", "SBX_DATABASE_URL"} <= variables.keys(), name

"""Strict mode: request bodies that are not valid by Xero's OpenAPI description are refused and recorded.

Every fake of a process is strict if the environment variable ``FAKE_XERO_STRICT`` names the description.
"""

import gzip
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from .world import World

VARIABLE = "FAKE_XERO_STRICT"
_KEPT = 1000


@lru_cache(maxsize=4)
def strict_bodies(description: Path) -> "StrictBodies":
    """Return the checks of a description, read once a process: that takes most of a second."""
    return StrictBodies(description)


def description_in_environment() -> Path | None:
    """Return the description that `FAKE_XERO_STRICT` names, if it is set."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


class StrictBodies:
    """Checks bodies against the component schemas of an OpenAPI file (.yaml or .yaml.gz). Needs PyYAML and
    jsonschema, which are there for development only."""

    def __init__(self, description: Path) -> None:
        import jsonschema
        import yaml

        raw = description.read_bytes()
        text = gzip.decompress(raw) if description.suffix == ".gz" else raw
        # the C loader needs 0.4 s for Xero's file, the Python one ten times that
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        schemas = {name: _strict(schema) for name, schema in document["components"]["schemas"].items()}
        self._root = {"components": {"schemas": schemas}}
        self._names = set(schemas)
        self._validators: dict[str, Any] = {}
        self._validator = jsonschema.Draft202012Validator

    def check(self, world: World, method: str, path: str, body: bytes) -> list[str]:
        """Return the errors of one body; they are recorded."""
        if method not in {"PUT", "POST"}:
            return []
        errors = self.errors(path, body)
        if errors and len(world.strict_bodies) < _KEPT:
            world.strict_bodies.append({
                "method": method, "path": path, "errors": errors, "body": body.decode("utf-8", "replace"),
            })  # fmt: skip
        return errors

    def errors(self, path: str, body: bytes) -> list[str]:
        """Return the errors of a body sent to `path`."""
        schema = _schema_for(path)
        if schema not in self._names:
            return [f"no schema for {path}"]
        if schema not in self._validators:
            self._validators[schema] = self._validator(
                {"$ref": f"#/components/schemas/{schema}", **self._root}
            )
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            return [f"not JSON: {error}"]
        if isinstance(value, dict) and schema not in value and schema == "Payments":
            schema = "PaymentDelete" if set(value) == {"Status"} else "Payment"
            self._validators.setdefault(
                schema, self._validator({"$ref": f"#/components/schemas/{schema}", **self._root})
            )
        found = self._validators[schema].iter_errors(value)
        return [f"{error.json_path}: {error.message[:300]}" for error in found]


def _schema_for(path: str) -> str:
    return "Allocations" if "/Allocations" in path else path.partition("/")[0]


def _strict(schema: Any) -> Any:
    """Turn OpenAPI 3.0 into JSON Schema: nullable as a type, no unknown properties."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        name: {key: _strict(part) for key, part in value.items()} if name == "properties" else _strict(value)
        for name, value in schema.items()
        if name not in {"example", "externalDocs", "description", "default", "xml"}
        and not name.startswith("x-")
    }
    if result.pop("nullable", False) and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    if isinstance(result.get("properties"), dict) and "additionalProperties" not in result:
        result["additionalProperties"] = False
    if "$ref" in result:
        return {"$ref": result["$ref"]}
    result.pop("readOnly", None)
    result.pop("format", None)
    return result

"""Make JSON Schemas of everything that travels, from the types: ``python -m contracts.schemas
docs/schemas``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from contracts.commands import Command
from contracts.events.envelope import ACCOUNT, SOURCE_PREFIX
from contracts.events.fields import field_schema
from contracts.events.types import EVENT_TYPES
from contracts.results import AccountResult, EntryResult

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string", "minLength": 1}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas by file name."""
    return {
        "change-event.json": _change_event(),
        "command.json": _of("Command on xero.commands", Command),
        "result.json": _of("Result on integration.results", EntryResult | AccountResult),
    }


def _of(title: str, kind: Any) -> dict[str, Any]:
    return {"$schema": _DIALECT, "title": title, **msgspec.json.schema(kind, schema_hook=field_schema)}


def _change_event() -> dict[str, Any]:
    """Return a CloudEvent in structured mode, whose ``data`` is of the type that belongs to its ``type``."""
    kinds = list({kind.data: None for kind in EVENT_TYPES.values()})
    references, definitions = msgspec.json.schema_components(
        kinds, schema_hook=field_schema, ref_template="#/$defs/{name}"
    )
    data_of = dict(zip(kinds, references, strict=True))
    return {
        "$schema": _DIALECT,
        "title": "Change event on a salesbinder.* topic (CloudEvents 1.0, structured mode)",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                **_TEXT,
                "description": "Unique within source; the same change always carries the same id.",
            },
            "source": {"type": "string", "pattern": f"^{SOURCE_PREFIX}{ACCOUNT.pattern}$"},
            "type": {"enum": list(EVENT_TYPES)},
            "subject": {**_TEXT, "description": "The record's SalesBinder id."},
            "time": {"type": "string", "format": "date-time", "description": "RFC 3339 with an offset."},
            "datacontenttype": {"type": "string"},
            "data": {"type": "object"},
            "data_base64": {
                "type": "string",
                "contentEncoding": "base64",
                "description": "In place of data.",
            },
        },
        "anyOf": [
            {"required": ["data"], "properties": {"data_base64": {"type": "null"}}},
            {"required": ["data_base64"], "properties": {"data": {"type": "null"}}},
        ],
        "oneOf": [
            {
                "title": name,
                "properties": {
                    "type": {"const": name},
                    "data": data_of[kind.data],
                },
            }
            for name, kind in EVENT_TYPES.items()
        ],
        "$defs": definitions,
    }


def write(folder: Path) -> list[Path]:
    """Write every schema into ``folder`` and say which files were written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / name
        path.write_text(render(schema), encoding="utf-8")
        written.append(path)
    return written


def render(schema: dict[str, Any]) -> str:
    """Return the text of a schema's file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m contracts.schemas FOLDER")
    for each in write(Path(sys.argv[1])):
        print(each)

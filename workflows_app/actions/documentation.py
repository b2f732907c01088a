"""The configuration of an action as a table for its page in docs/actions, read from its pydantic model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from workflows_app.actions import ACTIONS
from workflows_app.actions.base import Action

BEGIN = "<!-- Written by `make docs` from the code, up to the end mark: change it there. -->"
END = "<!-- end -->"
WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "object": "object", "array": "list"}
FORMATS = {"date-time": "time"}
HEAD = ("| key | is | default | means |", "| --- | --- | --- | --- |")

Schema = Mapping[str, Any]


class NoPlace(ValueError):
    """A page has no marks to write between."""


def pages() -> dict[str, Action]:
    """Each action that has a page, by its name; an alias that is the same action has none."""
    return {action.name: action for action in ACTIONS.values()}


def filled(page: str, action: Action) -> str:
    """The page with its generated part as it must be. Raises NoPlace."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"the page of '{action.name}' needs a line {BEGIN!r} and after it a line {END!r}")
    return f"{before}{BEGIN}\n\n{configuration(action)}\n{END}{after}"


def configuration(action: Action) -> str:
    """What may stand under `with`, and what else there is to know, as Markdown."""
    schema = action.config.model_json_schema()
    lines = [*_table(schema)] if schema.get("properties") else ["It takes no configuration."]
    for name, part in schema.get("$defs", {}).items():
        lines += ["", f"**{name}**: {part['description']}", "", *_table(part)]
    return "\n".join([*lines, "", *_facts(action), ""])


def _facts(action: Action) -> Iterator[str]:
    if not action.is_instant:
        yield f"Timeout unless the step says otherwise: `{action.timeout_setting.upper()}`."
    secrets = "may be used" if action.takes_secrets else "cannot be used"
    yield f"Stored secrets (`{{{{ secrets.NAME }}}}`) {secrets} here."


def _table(schema: Schema) -> Iterator[str]:
    yield from HEAD
    required = schema.get("required", [])
    for key, field in schema["properties"].items():
        default = "required" if key in required else _default(field.get("default"))
        yield f"| `{key}` | {_kind(field)} | {default} | {field['description']} |"


def _default(value: Any) -> str:
    return "" if value in (None, "", [], {}) else f"`{json.dumps(value)}`"


def _kind(field: Schema) -> str:
    """The type in words, with what the schema says of its values."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(part) for part in field["anyOf"] if part.get("type") != "null"))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    word = FORMATS.get(field.get("format", "")) or WORDS.get(field.get("type", ""), "any JSON")
    return f"{word}{_range(field)}"


def _range(field: Schema) -> str:
    least, above, most = (field.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    lower = f"above {above:g}" if above is not None else f"from {least:,g}" if least is not None else ""
    if most is None:
        return f" {lower}" if lower else ""
    return f" {lower}{' ' if least is not None else ', '}{'to' if least is not None else 'at most'} {most:,.0f}"

"""JSONLogic whose names are fields of the payload at the root, rewritten to the names that a workflow has (CONTRACT.md section 5).

`{"var": "lead.title"}` becomes `{"var": "payload.lead.title"}`. Inside a loop (`map`, `filter`, `reduce`, `all`, `some`, `none`) names
are those of the element and stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows_app.graph.conditions import LOOPS, rule_of

Json = Any
Stays = Callable[[str], bool]
PREFIX = "payload."
ROOTS = frozenset({"params", "payload", "secrets", "steps"})
_ELEMENT: Json = {"var": ""}
_FIELD: Json = {"substr": [_ELEMENT, len(PREFIX)]}


def rewrite(logic: Json, stays: Stays) -> Json:
    """The same logic with the payload's fields under `payload`; `stays` tells which other names are left as they are."""
    rule = rule_of(logic)
    if rule is None:
        return [rewrite(part, stays) for part in logic] if isinstance(logic, list) else logic
    operation, arguments = rule
    if operation == "var":
        return {"var": _var(arguments, stays)}
    if operation == "missing":
        return _missing([], arguments, operation, stays)
    if operation == "missing_some":
        return _missing([rewrite(part, stays) for part in arguments[:1]], arguments[1:2], operation, stays)
    if operation in LOOPS:
        return {operation: [*(rewrite(part, stays) for part in arguments[:1]), *arguments[1:]]}
    return {operation: [rewrite(part, stays) for part in arguments]}


def _var(arguments: list[Json], stays: Stays) -> Json:
    name = _name(arguments[0] if arguments else "", stays)
    defaults = [rewrite(part, stays) for part in arguments[1:]]
    return [name, *defaults] if defaults else name


def _name(name: Json, stays: Stays) -> Json:
    if name is None or name == "":
        return "payload"
    if _is_name(name):
        return _renamed(name, stays)
    return {"cat": [PREFIX, rewrite(name, stays)]}


def _is_name(name: Json) -> bool:
    return isinstance(name, str | int | float) and not isinstance(name, bool)


def _renamed(name: str | float, stays: Stays) -> str:
    text = str(name)
    return text if text.partition(".")[0] in ROOTS or stays(text) else PREFIX + text


def _missing(first: list[Json], arguments: list[Json], operation: str, stays: Stays) -> Json:
    """The names that are missing come out as the author wrote them, without the `payload.` that they are looked up by."""
    names = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
    if not all(map(_is_name, names)):
        fields: Json = {"map": [{"merge": [rewrite(part, stays) for part in arguments]}, {"cat": [PREFIX, _ELEMENT]}]}
        return {"map": [{operation: [*first, fields]}, _FIELD]}
    renamed = [_renamed(name, stays) for name in names]
    fields = [name for name, written in zip(renamed, names, strict=True) if name != str(written)]
    asked = {operation: [*first, renamed]}
    if not fields:
        return asked
    return {"map": [asked, {"if": [{"in": [_ELEMENT, fields]}, _FIELD, _ELEMENT]}]}

"""JSONLogic in words: `region is not "US"`, and why it does not hold for these values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from workflows_app.graph.conditions import ConditionError, holds, rule_of

Json = Any
MOST_CHARACTERS, MOST_DEPTH = 120, 4
COMPARED = {
    "==": "is", "===": "is", "!=": "is not", "!==": "is not", ">": "is above", ">=": "is at least", "<": "is below", "<=": "is at most",
}  # fmt: skip
OPPOSITE = {"==": "!=", "===": "!==", "!=": "==", "!==": "===", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
ROOTS = ("params.", "input.", "payload.")


def words(logic: Json) -> str:
    """What the condition asks for."""
    return _cut(_said(logic, MOST_DEPTH))


def why_not(logic: Json, names: Mapping[str, Json]) -> str:
    """Of a condition that does not hold: what is so instead."""
    return _cut(_denied(logic, names, MOST_DEPTH))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _said(logic: Json, depth: int) -> str:
    rule = rule_of(logic)
    if rule is None or not depth:
        return _value(logic)
    operation, arguments = rule
    say = SAY.get(operation)
    return say(operation, arguments, depth - 1) if say else _json(logic)


def _variable(operation: str, arguments: list[Json], depth: int) -> str:
    path = str(arguments[0]) if arguments else ""
    return next((path.removeprefix(root) for root in ROOTS if path.startswith(root)), path)


def _comparison(operation: str, arguments: list[Json], depth: int) -> str:
    if len(arguments) == 3 and operation in {"<", "<="}:
        middle = _said(arguments[1], depth)
        return f"{middle} is between {_said(arguments[0], depth)} and {_said(arguments[2], depth)}"
    if len(arguments) != 2:
        return _json({operation: arguments})
    return f"{_said(arguments[0], depth)} {COMPARED[operation]} {_said(arguments[1], depth)}"


def _inside(operation: str, arguments: list[Json], depth: int) -> str:
    if len(arguments) != 2:
        return _json({operation: arguments})
    if isinstance(arguments[1], list):
        return f"{_said(arguments[0], depth)} is one of {', '.join(_value(value) for value in arguments[1])}"
    return f"{_said(arguments[1], depth)} contains {_said(arguments[0], depth)}"


def _not(operation: str, arguments: list[Json], depth: int) -> str:
    inner = arguments[0] if arguments else None
    return _opposite(inner, depth) or f"{_said(inner, depth)} is not set"


def _set(operation: str, arguments: list[Json], depth: int) -> str:
    return f"{_said(arguments[0] if arguments else None, depth)} is set"


def _joined(operation: str, arguments: list[Json], depth: int) -> str:
    return f" {operation} ".join(_said(part, depth) for part in arguments)


SAY: Mapping[str, Callable[[str, list[Json], int], str]] = {
    "var": _variable, "in": _inside, "!": _not, "!!": _set, "and": _joined, "or": _joined, **dict.fromkeys(COMPARED, _comparison),
}  # fmt: skip


def _opposite(logic: Json, depth: int) -> str:
    """In words that need no "not (…)"; nothing where there are none."""
    rule = rule_of(logic)
    if rule is None:
        return ""
    operation, arguments = rule
    if operation in OPPOSITE and len(arguments) == 2:
        return _said({OPPOSITE[operation]: arguments}, depth)
    if operation == "in" and len(arguments) == 2:
        return _said(logic, depth).replace(" is one of ", " is none of ", 1).replace(" contains ", " does not contain ", 1)
    if operation in {"!", "!!"} and arguments:
        return _said(arguments[0] if operation == "!" else {"!": arguments}, depth)
    return f"{_said(logic, depth)} is not set" if operation == "var" else ""


def _denied(logic: Json, names: Mapping[str, Json], depth: int) -> str:
    rule = rule_of(logic)
    if rule and depth and rule[0] == "and":
        for part in rule[1]:
            if not _holds(part, names):
                return _denied(part, names, depth - 1)
    if rule and depth and rule[0] == "or":
        return " and ".join(_denied(part, names, depth - 1) for part in rule[1])
    return _opposite(logic, depth) or f"not so: {_said(logic, depth)}"


def _holds(logic: Json, names: Mapping[str, Json]) -> bool:
    try:
        return holds(logic, names, work=10_000)
    except ConditionError:
        return False


def _value(value: Json) -> str:
    return value if isinstance(value, str) and value else _json(value)


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)

"""Forms made from a JSON Schema (a template's parameters, what an approval asks), and what the reader typed turned back into values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.http import QueryDict

from workflows_app.dashboard.forms import NotJson, json_of
from workflows_app.dialects.params import InvalidParams
from workflows_app.dialects.params_schema import in_order

Json = Any
Kind = Literal["text", "long", "number", "checkbox", "choice", "date", "datetime-local", "json"]
PREFIX = "p."
OTHERS = "*"
MAX_DEFAULT_SHOWN = 40
BEYOND, FREE = "an object: what it takes besides these", "an object: it takes whatever it is given"
KINDS: Mapping[str, Kind] = {"integer": "number", "number": "number", "boolean": "checkbox", "object": "json", "array": "json"}
FORMATS: Mapping[str, Kind] = {"date": "date", "date-time": "datetime-local"}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    words: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter as the form shows it. `value` is the text in the field, `limits` what is allowed, in words."""

    key: str
    label: str
    kind: Kind
    is_required: bool
    help: str
    limits: str
    value: str
    is_checked: bool
    choices: tuple[Choice, ...]
    minimum: str
    maximum: str
    step: str
    error: str

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.key}"


def fields(schema: Mapping[str, Json], values: Mapping[str, Json], errors: Mapping[str, str] | None = None) -> list[Field]:
    """`values` are what is filled in: defaults, an earlier workflow's parameters, or what was just typed."""
    required = set(schema.get("required", ()))
    found = errors or {}
    named = [_field(key, rule, key in required, values.get(key), error_at(key, found)) for key, rule in _rules(schema).items()]
    return [*named, _others(values, named, error_at(OTHERS, found))] if _is_open(schema) else named


def error_at(key: str, errors: Mapping[str, str]) -> str:
    """What is wrong with a field, or inside it (`headers.x-team`)."""
    inside = [f"{name[len(key) + 1 :]}: {message}" for name, message in errors.items() if name.startswith(f"{key}.")]
    return "; ".join(([errors[key]] if key in errors else []) + inside)


def problems(shown: list[Field], errors: Mapping[str, str]) -> list[str]:
    """What is wrong and stands at none of these fields."""
    known = {field.key for field in shown}
    return [f"{name}: {message}" if name else message for name, message in errors.items() if name.split(".")[0] not in known]


def defaults(schema: Mapping[str, Json]) -> dict[str, Json]:
    return {key: rule["default"] for key, rule in _rules(schema).items() if "default" in rule}


def read(schema: Mapping[str, Json], posted: QueryDict) -> dict[str, Json]:
    """The parameters that the reader typed. What cannot be read as its type stays text, for the validator to name;
    an empty field that is not a checkbox is left out, so that defaults and `required` mean what they say. NUL, which no database keeps,
    is dropped."""
    found = {}
    for key, rule in _rules(schema).items():
        text = posted.get(f"{PREFIX}{key}", "").replace("\0", "")
        if kind(rule) == "checkbox":
            found[key] = bool(text)
        elif text.strip():
            found[key] = _value(rule, text)
    return _with_others(found, posted.get(f"{PREFIX}{OTHERS}", "")) if _is_open(schema) else found


def _is_open(schema: Mapping[str, Json]) -> bool:
    """Whether it takes more than it names. What we keep says so: a schema that does not is closed (`params_schema.normalise`)."""
    return schema.get("additionalProperties", False) is not False or bool(schema.get("patternProperties"))


def refuse_unread(values: Mapping[str, Json]) -> None:
    """Raises InvalidParams when the field for further values holds no JSON object: no schema could say so."""
    if isinstance(values.get(OTHERS), Unread):
        raise InvalidParams({OTHERS: "must be a JSON object"})


class Unread(str):
    """What was typed for further values, when it is no JSON object."""


def _with_others(named: Mapping[str, Json], text: str) -> dict[str, Json]:
    others = _parsed(text, whole=False) if text.strip() else {}
    return {**others, **named} if isinstance(others, dict) else {**named, OTHERS: Unread(text)}


def _rules(schema: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """Each parameter's schema; `true`, which allows anything, is the empty one."""
    rules = {key: schema["properties"][key] for key in in_order(schema)}
    return {key: rule if isinstance(rule, Mapping) else {} for key, rule in rules.items()}


def kind(rule: Mapping[str, Json]) -> Kind:
    if "enum" in rule:
        return "choice"
    type_ = _type(rule)
    if type_ == "string":
        return FORMATS.get(rule.get("format", ""), "long" if rule.get("maxLength", 0) > 200 else "text")
    return KINDS.get(type_, "json")


def _type(rule: Mapping[str, Json]) -> str:
    """The one type of a rule, or the one besides null; several make the field JSON."""
    type_ = rule.get("type", "")
    types = [name for name in type_ if name != "null"] if isinstance(type_, list) else [type_]
    return types[0] if len(types) == 1 else ""


def _value(rule: Mapping[str, Json], text: str) -> Json:
    found = kind(rule)
    if found == "choice":
        return next((option for option in rule["enum"] if _text(option) == text), text)
    if found == "datetime-local":
        return f"{text}:00Z" if len(text) == 16 else f"{text}Z" if text[-1].isdigit() else text
    if found in {"number", "json"}:
        return _parsed(text, whole=_type(rule) == "integer")
    return text.replace("\r\n", "\n")


def _parsed(text: str, *, whole: bool) -> Json:
    try:
        value = json_of(text)
    except NotJson:
        return text
    return int(value) if whole and isinstance(value, float) and value.is_integer() else value


def _field(key: str, rule: Mapping[str, Json], is_required: bool, value: Json, error: str) -> Field:
    found = kind(rule)
    return Field(
        key=key,
        label=str(rule.get("title") or key),
        kind=found,
        is_required=is_required,
        help=str(rule.get("description", "")),
        limits=_limits(rule, found),
        value=_typed(value, found),
        is_checked=value is True,
        choices=tuple(Choice(_text(option), str(option), _text(option) == _text(value)) for option in rule.get("enum", ())),
        minimum=str(rule.get("minimum", "")),
        maximum=str(rule.get("maximum", "")),
        step="1" if _type(rule) == "integer" else "any",
        error=error,
    )


def _others(values: Mapping[str, Json], named: list[Field], error: str) -> Field:
    """For a schema that takes more than it names: one field for all of that."""
    known, typed = {field.key for field in named}, values.get(OTHERS)
    rest = typed if isinstance(typed, Unread) else {key: value for key, value in values.items() if key not in known}
    rule = {"type": "object", "title": "Other values" if named else "Values", "description": BEYOND if named else FREE}
    return _field(OTHERS, rule, False, rest or None, error)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _typed(value: Json, kind: Kind) -> str:
    """The value as text of its field."""
    if value is None:
        return ""
    if kind == "datetime-local":
        return str(value)[:16]
    return json.dumps(value, indent=2, ensure_ascii=False) if kind == "json" and not isinstance(value, str) else _text(value)


def _limits(rule: Mapping[str, Json], kind: Kind) -> str:
    low, high = rule.get("minimum"), rule.get("maximum")
    words = [
        f"{low} to {high}" if low is not None and high is not None else f"at least {low}" if low is not None else f"at most {high}"
    ] if low is not None or high is not None else []  # fmt: skip
    words += ["UTC"] if kind == "datetime-local" else ["JSON"] if kind == "json" else []
    words += [f"at most {rule['maxLength']} characters"] if "maxLength" in rule else []
    return ", ".join([*words, *_when_empty(rule, kind)])


def _when_empty(rule: Mapping[str, Json], kind: Kind) -> list[str]:
    """What an emptied field stands for, which its reader would not guess: the default."""
    if "default" not in rule or kind == "checkbox" or rule["default"] in (None, ""):
        return []
    text = _text(rule["default"])
    return [f"{text if len(text) <= MAX_DEFAULT_SHOWN else 'the default'} if left empty"]

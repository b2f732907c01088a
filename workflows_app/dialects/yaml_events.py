"""YAML as data: mappings, lists and plain values of the core schema (YAML 1.2), read event by event.

No recursion, no anchors, aliases, tags or merge keys, so a small text cannot become a large value or a Python object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from workflows_app.graph.problems import DefinitionError, Problem

Json = Any
Position = tuple[int, int]
MAX_DEPTH = 64
MAX_PARTS = 100_000  # some seconds: reading YAML is slow, reading JSON is not

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_BASED = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def load(text: str) -> tuple[Json, Mapping[str, Position]]:
    """The one document of a text, and the position of every path in it. Raises DefinitionError."""
    builder = _Builder()
    try:
        for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
            if count > MAX_PARTS:
                _refuse(f"it has more than {MAX_PARTS:,} parts: write what is that large as JSON", _position(event))
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = (mark.line + 1, mark.column + 1) if mark else None
        _refuse(f"this is not YAML: {error.problem or error.context}", position)
    except YAMLError as error:
        _refuse(f"this is not YAML: {str(error).splitlines()[0]}", None)
    if builder.documents != 1:
        _refuse("the text is empty" if builder.documents == 0 else "the text holds more than one document", None)
    return builder.value, builder.positions


def _refuse(message: str, position: Position | None, path: str = "") -> NoReturn:
    line, column = position or (None, None)
    raise DefinitionError([Problem(message, path=path, line=line, column=column)])


class _Builder:
    """Puts the value together: a stack of the open mappings and lists, and the key each mapping waits to fill."""

    def __init__(self) -> None:
        self.value: Json = None
        self.positions: dict[str, Position] = {}
        self.documents = 0
        self.open: list[tuple[dict[str, Json] | list[Json], str]] = []
        self.keys: list[str | None] = []

    def take(self, event: Any) -> None:
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
        elif isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            _refuse("anchors and aliases (& and *) are not allowed: write the value out", _position(event), self.path())
        elif isinstance(event, ScalarEvent):
            self.scalar(event)
        elif isinstance(event, MappingStartEvent):
            self.start({}, event)
        elif isinstance(event, SequenceStartEvent):
            self.start([], event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self.open.pop()
            self.keys.pop()

    def scalar(self, event: Any) -> None:
        self.check_tag(event)
        if self.open and isinstance(self.open[-1][0], dict) and self.keys[-1] is None:
            self.key(event)
        else:
            self.add(_value(event, self.path()), event)

    def key(self, event: Any) -> None:
        mapping, path = self.open[-1]
        if event.value in mapping:
            _refuse(f"the key '{event.value}' stands here twice", _position(event), path)
        self.keys[-1] = event.value
        self.positions[self.path()] = _position(event)

    def start(self, container: dict[str, Json] | list[Json], event: Any) -> None:
        self.check_tag(event)
        if self.open and isinstance(self.open[-1][0], dict) and self.keys[-1] is None:
            _refuse("a key must be a plain text", _position(event), self.open[-1][1])
        if len(self.open) >= MAX_DEPTH:
            _refuse(f"it nests deeper than {MAX_DEPTH} levels", _position(event), self.path())
        path = self.path()
        self.add(container, event)
        self.open.append((container, path))
        self.keys.append(None)

    def add(self, value: Json, event: Any) -> None:
        self.positions.setdefault(self.path(), _position(event))
        if not self.open:
            self.value = value
            return
        container = self.open[-1][0]
        if isinstance(container, list):
            container.append(value)
        else:
            container[str(self.keys[-1])] = value
            self.keys[-1] = None

    def path(self) -> str:
        """The path of what comes next."""
        if not self.open:
            return ""
        container, path = self.open[-1]
        if isinstance(container, list):
            return f"{path}[{len(container)}]"
        return f"{path}.{self.keys[-1]}" if path else str(self.keys[-1] or "")

    def check_tag(self, event: Any) -> None:
        if event.tag is not None and str(event.tag) != "!":
            _refuse("tags (!) are not allowed: write plain values", _position(event), self.path())


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _value(event: Any, path: str) -> Json:
    text: str = event.value
    if not event.implicit[0]:  # quoted
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return _float(text, event, path)


def _float(text: str, event: Any, path: str) -> Json:
    if not _FLOAT.fullmatch(text) and not _NOT_FINITE.fullmatch(text):
        return text
    number = float(text.replace(".inf", "inf").replace(".nan", "nan")) if _FLOAT.fullmatch(text) else float("inf")
    if number in (float("inf"), float("-inf")):
        _refuse(f"the number {text[:20]} is not finite", _position(event), path)
    return number

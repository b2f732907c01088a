"""The conditions of a node, and of what a map does with each element, with the payload's fields as names at the root."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from workflows_app.dialects.payload_names import rewrite
from workflows_app.dialects.references import OF_ELEMENTS
from workflows_app.graph.definition import Node
from workflows_app.graph.names import STEP_FIELDS
from workflows_app.graph.shapes import ActionShape

Json = Any
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def payload_fields(ids: Collection[str], actions: Mapping[str, ActionShape]) -> Callable[[Node], Node]:
    """Rewrites one node of a graph with these node ids: `<id>.output`, `.status` and `.error` stay, all else is the payload's."""
    known = frozenset(ids)

    def rewritten(node: Node, roots: frozenset[str] = frozenset()) -> Node:
        body = rewritten(node.body, OF_ELEMENTS) if node.body else None
        stays = partial(_stays, known, roots)
        shape = actions.get(node.action)
        found = list(shape.conditions(node.config)) if shape else []
        config = deepcopy(node.config) if found else node.config
        for path, logic in found:
            _put(config, path, rewrite(logic, stays))
        return replace(node, config=config, run_if=rewrite(node.run_if, stays), body=body)

    return rewritten


def _stays(ids: frozenset[str], roots: frozenset[str], name: str) -> bool:
    first, _, rest = name.partition(".")
    return first in roots or (first in ids and rest.partition(".")[0] in STEP_FIELDS)


def _put(config: Json, path: str, value: Json) -> None:
    """Another value at a path such as `cases[0].condition`."""
    *way, last = (int(index) if index else name for name, index in _PART.findall(path))
    for key in way:
        config = config[key]
    config[last] = value

"""The keys of the graph dialect, without what an editor adds for itself (CONTRACT.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from workflows_app.dialects.source import Source
from workflows_app.dialects.template_model import Document, NodeModel, Strict

Json = Any
OF_THE_EDITOR = frozenset({"viewport"})
LOOKS = frozenset({"animated", "className", "hidden", "label", "selected", "style", "zIndex"})
LOOKS_OF_A_NODE = LOOKS | {"dragging", "height", "measured", "position", "positionAbsolute", "sourcePosition", "targetPosition", "width"}
LOOKS_OF_AN_EDGE = LOOKS | {"data", "labelStyle", "markerEnd", "markerStart", "sourceHandle", "targetHandle", "type"}


class GraphNode(NodeModel):
    """One entry of `nodes`."""

    type: str = Field(min_length=1)
    data: dict[str, Any] = {}


class GraphEdge(Strict):
    """One entry of `edges`."""

    id: str = ""
    source: str
    target: str


class GraphModel(Document):
    """The whole document."""

    name: str = Field("Untitled graph", min_length=1, max_length=200)
    trigger: Any = None
    nodes: list[GraphNode]
    edges: list[GraphEdge] = []


def without_looks(source: Source) -> Source:
    """The source as an engine sees it: where a node stands and how it is drawn is left to the editor."""
    if not isinstance(source.value, Mapping):
        return source
    value = _without(source.value, OF_THE_EDITOR)
    for key, looks in (("nodes", LOOKS_OF_A_NODE), ("edges", LOOKS_OF_AN_EDGE)):
        if isinstance(value.get(key), list):
            value[key] = [_without(item, looks) if isinstance(item, Mapping) else item for item in value[key]]
    return replace(source, value=value)


def _without(mapping: Mapping[str, Json], keys: frozenset[str]) -> dict[str, Json]:
    return {key: value for key, value in mapping.items() if key not in keys}

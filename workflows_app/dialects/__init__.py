"""The languages of the front doors: each compiles its text to the one kind of graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from workflows_app.dialects import dag, nodes_edges, tasks, template
from workflows_app.dialects.compiled import Compiled
from workflows_app.graph.shapes import ActionShape


class Compiler(Protocol):
    """Turns a source, text or already parsed, into a definition. Raises DefinitionError."""

    def __call__(self, source: str | Mapping[str, Any], *, actions: Mapping[str, ActionShape]) -> Compiled: ...


DIALECTS: Mapping[str, Compiler] = {
    "template": template.compile,
    "tasks": tasks.compile,
    "graph": nodes_edges.compile,
    "dag": dag.compile,
}

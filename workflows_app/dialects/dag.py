"""The dag dialect: nodes with a handler and the nodes they depend on (CONTRACT.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from workflows_app.dialects.compiled import Compiled
from workflows_app.dialects.compiling import OPEN, define, owner_by_id, parse
from workflows_app.dialects.drafts import Draft
from workflows_app.dialects.source import read
from workflows_app.dialects.template_model import Document, NodeModel, Strict
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.words import Words

WORDS = Words(
    node="node",
    root="dag.nodes",
    kind="handler",
    action="handler",
    config="config",
    needs="dependencies",
    advice="add '{}' to its dependencies",
)


class DagNode(NodeModel):
    """One entry of `dag.nodes`."""

    handler: str = Field(min_length=1)
    dependencies: list[str] = []
    config: dict[str, Any] = {}


class Dag(Strict):
    """`dag:`."""

    nodes: list[DagNode]


class DagModel(Document):
    """The whole document."""

    dag: Dag


def compile(source: str | Mapping[str, Any], *, actions: Mapping[str, ActionShape]) -> Compiled:
    """The definition of `{"name", "dag": {"nodes"}}`. Raises DefinitionError with every problem found, each naming node and field."""
    text = read(source)
    model = parse(DagModel, text, "a DAG is a mapping with 'name' and 'dag'", owner_by_id(WORDS.root))
    drafts = [_draft(index, node) for index, node in enumerate(model.dag.nodes)]
    definition = define(text, drafts, words=WORDS, actions=actions)
    return Compiled(model.name, model.description, tuple(model.tags), OPEN, definition, retention_days=model.retention_days)


def _draft(index: int, node: DagNode) -> Draft:
    return Draft(
        place=f"{WORDS.root}[{index}]",
        id=node.id,
        action=node.handler,
        policies=node,
        name=node.name,
        needs=node.dependencies,
        config=node.config,
        run_if=node.run_if,
    )

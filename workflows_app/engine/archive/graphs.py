"""The graph of an imported workflow: from its definition.json, or without one as far as its steps tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workflows_app import actions
from workflows_app.dialects.compiling import EXCEPT_INPUT
from workflows_app.dialects.template_model import YEAR_SECONDS
from workflows_app.engine.archive.documents import State
from workflows_app.engine.archive.files import DEFINITION, STATE, Unfit
from workflows_app.engine.archive.reading import document
from workflows_app.graph.definition import PRIORITIES, Definition, Node
from workflows_app.graph.readiness import TriggerRule
from workflows_app.graph.statuses import Status
from workflows_app.graph.validation import ancestors, check
from workflows_app.graph.words import Words

Json = Any
STEPS = Words(needs="dependencies")
NODES = Words(node="node", root="nodes", config="config")


class RetryPart(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    retries: int | None = Field(None, ge=0, le=100)
    initial_delay: float | None = Field(None, ge=0, le=86_400)
    max_delay: float | None = Field(None, ge=0, le=YEAR_SECONDS)
    jitter: bool = True
    on: list[str] | None = None


class BodyPart(BaseModel):
    """What a map does with each element."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    action: str = Field(min_length=1, max_length=200)
    name: str = Field("", max_length=200)
    config: dict[str, Json] = {}
    references: list[str] = []
    timeout_seconds: float | None = Field(None, gt=0, le=YEAR_SECONDS)
    retry: RetryPart = RetryPart()
    priority: int = 5
    run_if: Json = None
    on_failure: Literal["fail", "continue"] = "fail"
    concurrency_key: str = Field("", max_length=200)
    concurrency_limit: int = Field(0, ge=0, le=10_000)
    secrets: list[str] = []

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.priority not in PRIORITIES.values():
            raise ValueError(f"priority must be one of {sorted(PRIORITIES.values())}")
        if bool(self.concurrency_key) != bool(self.concurrency_limit):
            raise ValueError("concurrency_key and concurrency_limit go together")
        return self


class NodePart(BodyPart):
    needs: list[str] = []
    trigger_rule: TriggerRule = "all_success"
    body: BodyPart | None = None


class Graph(BaseModel):
    """definition.json."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nodes: list[NodePart]


def rebuilt(state: State) -> Definition:
    """Steps and what they depend on, without what they were told to do. A failure in a completed workflow must have been
    forgiven. Raises Unfit."""
    nodes = tuple(
        Node(
            id=step.id, action=step.action, name=step.name if step.name != step.id else "", needs=tuple(step.dependencies),
            on_failure="continue" if (state.status, step.status) == (Status.COMPLETED, Status.FAILED) else "fail",
        )
        for step in state.steps
    )  # fmt: skip
    for problem in check(nodes, words=STEPS, reserved=frozenset()):
        raise Unfit(STATE, problem.message, field=problem.path)
    return Definition(nodes)


def stored(data: bytes, state: State) -> Definition:
    """What definition.json says, if it is a graph that can run and that of these steps. Raises Unfit."""
    value = document(Graph, data, DEFINITION)[1]
    definition = Definition.from_json(value)
    for problem in check(definition.nodes, words=NODES, reserved=EXCEPT_INPUT):
        raise Unfit(DEFINITION, problem.message, field=problem.path)
    above = ancestors(definition.nodes)
    for index, node in enumerate(definition.nodes):
        if message := _body_problem(node):
            raise Unfit(DEFINITION, message, field=f"nodes[{index}].body")
        if strange := _not_above(node, definition, above[node.id]):
            raise Unfit(DEFINITION, f"'{strange[0]}' is not upstream", field=f"nodes[{index}].references")
    _compare(state, definition)
    return definition


def _body_problem(node: Node) -> str:
    """The engine takes a map's body for granted; configurations and conditions it checks itself, when the step is run. An action
    that is not known here is taken as it is: its step fails with that reason."""
    shape = actions.shapes().get(node.action)
    if bool(shape and shape.body_key) != (node.body is not None):
        return "a map needs the step to do for each element, and nothing else may have one"
    if node.body is not None and (node.body.id != node.id or node.body.action in ("branch", "map")):
        return "it has the id of its map, and is no branch and no map"
    return ""


def _not_above(node: Node, definition: Definition, above: int) -> list[str]:
    """References to steps whose outputs may not be there yet. `above` is the set of steps above the node, as bits by position."""
    named = [*node.references, *(node.body.references if node.body else ())]
    return [id for id in named if id not in definition.by_id or not above >> definition.positions[id] & 1]


def _compare(state: State, definition: Definition) -> None:
    found: Mapping[str, Node] = definition.by_id
    if missing := sorted(found.keys() - {step.id for step in state.steps}):
        raise Unfit(STATE, f"the step '{missing[0]}' of {DEFINITION} is missing", field="steps")
    seen: set[str] = set()
    for index, step in enumerate(state.steps):
        node, field = found.get(step.id), f"steps[{index}]"
        if node is None or step.id in seen:
            raise Unfit(STATE, f"'{step.id}' is in {DEFINITION} not at all, or twice here", field=f"{field}.id")
        seen.add(step.id)
        if step.action != node.action:
            raise Unfit(STATE, f"is '{step.action}', in {DEFINITION} '{node.action}'", field=f"{field}.action")
        if tuple(step.dependencies) != node.needs:
            raise Unfit(STATE, f"are not those of {DEFINITION}: {', '.join(node.needs) or 'none'}", field=f"{field}.dependencies")

"""The way that every dialect takes: a checked document, drafts of its steps, a definition; problems placed in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from workflows_app.dialects.drafts import Builder, Draft
from workflows_app.dialects.misfits import describe
from workflows_app.dialects.references import References
from workflows_app.dialects.source import Source
from workflows_app.dialects.template_model import Policies
from workflows_app.graph import conditions, validation
from workflows_app.graph.conditions import ConditionError
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.names import RESERVED
from workflows_app.graph.problems import DefinitionError, Problem, first
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.words import Words

Json = Any
Model = TypeVar("Model", bound=BaseModel)
OPEN: Mapping[str, Json] = {"type": "object", "properties": {}, "additionalProperties": True}
EXCEPT_INPUT = RESERVED - {"input"}


def parse(model: type[Model], source: Source, what: str, owner: Callable[[Json, str], str] = lambda value, path: "") -> Model:
    """The document as its model. `owner` names the node that a path lies in. Raises DefinitionError."""
    if not isinstance(source.value, Mapping):
        raise DefinitionError([source.placed(Problem(what))])
    try:
        return model.model_validate(source.value)
    except ValidationError as error:
        found = describe(model, error, source.value)
        refuse_if([Problem(misfit.message, path=misfit.path, node=owner(source.value, misfit.path)) for misfit in found], source)
        raise


def owner_by_id(root: str) -> Callable[[Json, str], str]:
    """Names the node by its `id`, for documents whose nodes stand in one list (`dag.nodes`)."""

    def owner(value: Json, path: str) -> str:
        if not path.startswith(f"{root}["):
            return ""
        for key in root.split("."):
            value = value[key]
        node = value[int(path[len(root) + 1 : path.index("]")])]
        return str(node.get("id", "")) if isinstance(node, Mapping) else ""

    return owner


def define(
    source: Source,
    drafts: Sequence[Draft],
    *,
    words: Words,
    actions: Mapping[str, ActionShape],
    schema: Mapping[str, Json] = OPEN,
    defaults: Policies | None = None,
    reserved: frozenset[str] = EXCEPT_INPUT,
    problems: Iterable[Problem] = (),
    adapt: Callable[[Node], Node] = lambda node: node,
) -> Definition:
    """The definition; `problems` are those that the dialect found itself, `adapt` is its last word on each node.
    Raises DefinitionError with everything found, each with path, node and line."""
    builder = Builder(words, actions, defaults or Policies())
    nodes = [adapt(builder.node(draft)) for draft in drafts]
    places = [draft.place for draft in drafts]
    found = [*problems, *validation.check(nodes, words=words, places=places, reserved=reserved), *builder.problems]
    refuse_if(found, source)
    references = References(nodes, places, words=words, actions=actions, params_schema=schema)
    resolved = references.resolve()
    refuse_if(references.problems, source)
    return Definition(nodes=resolved)


def refuse_if(problems: Iterable[Problem], source: Source) -> None:
    """Raise DefinitionError when there are problems."""
    if shown := first(problems):
        raise DefinitionError([source.placed(problem) for problem in shown])


def trigger_problems(trigger: Json) -> Iterator[Problem]:
    """What is wrong with the JSONLogic that an event has to satisfy."""
    try:
        conditions.check(trigger)
    except ConditionError as error:
        yield Problem(str(error), path="trigger")


def trigger_of(written: Json) -> Json:
    """`None` (no event starts it) where nothing is written."""
    return None if written == {} else written

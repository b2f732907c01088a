"""The template dialect: YAML or JSON with named steps, compiled to a definition (CONTRACT.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from workflows_app.dialects import params_schema
from workflows_app.dialects.compiled import Compiled
from workflows_app.dialects.misfits import describe
from workflows_app.dialects.references import References
from workflows_app.dialects.source import Source, read
from workflows_app.dialects.template_model import Policies, StepModel, TemplateModel
from workflows_app.graph import validation
from workflows_app.graph.definition import PRIORITIES, Definition, Node, RetryPolicy
from workflows_app.graph.names import did_you_mean
from workflows_app.graph.problems import DefinitionError, Problem
from workflows_app.graph.shapes import ActionShape


def compile(source: str | Mapping[str, Any], *, actions: Mapping[str, ActionShape]) -> Compiled:
    """The definition that a template describes. Raises DefinitionError with every problem found, each with path, node and line."""
    text = read(source)
    model = _parse(text)
    schema = params_schema.normalise(model.params)
    nodes = [_node(step, model.defaults) for step in model.steps]
    problems = [*_schema_problems(schema), *validation.check(nodes), *_action_problems(nodes, actions)]
    _refuse_if(problems, text)
    references = References(nodes, actions, schema)
    definition = Definition(nodes=references.resolve())
    _refuse_if(references.problems, text)
    return Compiled(model.name, model.description, tuple(model.tags), schema, definition)


def _parse(source: Source) -> TemplateModel:
    if not isinstance(source.value, Mapping):
        raise DefinitionError([source.placed(Problem("a template is a mapping with 'name' and 'steps'"))])
    try:
        return TemplateModel.model_validate(source.value)
    except ValidationError as error:
        misfits = describe(TemplateModel, error, source.value)
        raise DefinitionError([source.placed(Problem(m.message, path=m.path, node=_node_id(source, m.path))) for m in misfits]) from None


def _node_id(source: Source, path: str) -> str:
    """The id of the step that a path of the document lies in."""
    if not path.startswith("steps["):
        return ""
    step = source.value["steps"][int(path[6 : path.index("]")])]
    return str(step.get("id", "")) if isinstance(step, Mapping) else ""


def _refuse_if(problems: Sequence[Problem], source: Source) -> None:
    if problems:
        raise DefinitionError([source.placed(problem) for problem in problems])


def _schema_problems(schema: Mapping[str, Any]) -> Iterator[Problem]:
    for path, message in params_schema.check(schema):
        yield Problem(message, path=f"params.{path}" if path else "params")


def _action_problems(nodes: Sequence[Node], actions: Mapping[str, ActionShape]) -> Iterator[Problem]:
    for index, node in enumerate(nodes):
        shape = actions.get(node.action)
        if shape is None:
            hint = f"{did_you_mean(node.action, actions)}; there are: {', '.join(sorted(actions))}"
            yield Problem(f"there is no action '{node.action}'{hint}", path=f"steps[{index}].action", node=node.id)
            continue
        for path, message in shape.check(node.config):
            yield Problem(message, path=f"steps[{index}].with{_joined(path)}", node=node.id)


def _joined(path: str) -> str:
    return path if not path or path.startswith("[") else f".{path}"


def _node(step: StepModel, defaults: Policies) -> Node:
    """A step with the defaults filled in, key by key."""
    chosen = {key: getattr(step if key in step.model_fields_set else defaults, key) for key in Policies.model_fields}
    concurrency = chosen["concurrency"]
    return Node(
        id=step.id,
        action=step.action,
        name=step.name,
        needs=tuple(step.needs),
        config=step.config,
        timeout_seconds=chosen["timeout"],
        retry=_retry(step, defaults, chosen["retries"]),
        priority=PRIORITIES[chosen["priority"]],
        run_if=step.run_if,
        trigger_rule=chosen["trigger_rule"],
        on_failure=chosen["on_failure"],
        concurrency_key=concurrency.key if concurrency else "",
        concurrency_limit=concurrency.limit if concurrency else 0,
    )


def _retry(step: StepModel, defaults: Policies, retries: int | None) -> RetryPolicy:
    own, given = step.retry, step.retry.model_fields_set
    chosen = {key: getattr(own if key in given else defaults.retry, key) for key in type(own).model_fields}
    kinds = chosen.pop("on")
    return RetryPolicy(retries=retries, on=None if kinds is None else tuple(map(str, kinds)), **chosen)

"""The template dialect: YAML or JSON with named steps, compiled to a definition (CONTRACT.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows_app.dialects import params_schema
from workflows_app.dialects.compiled import Compiled
from workflows_app.dialects.compiling import define, owner_by_id, parse, trigger_of, trigger_problems
from workflows_app.dialects.drafts import Draft
from workflows_app.dialects.source import read
from workflows_app.dialects.template_model import StepModel, TemplateModel
from workflows_app.graph.names import RESERVED
from workflows_app.graph.problems import Problem
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.validation import TEMPLATE


def compile(source: str | Mapping[str, Any], *, actions: Mapping[str, ActionShape]) -> Compiled:
    """The definition that a template describes. Raises DefinitionError with every problem found, each with path, node and line."""
    text = read(source)
    model = parse(TemplateModel, text, "a template is a mapping with 'name' and 'steps'", owner_by_id("steps"))
    schema = params_schema.normalise(model.params)
    definition = define(
        text,
        [_draft(index, step) for index, step in enumerate(model.steps)],
        words=TEMPLATE,
        actions=actions,
        schema=schema,
        defaults=model.defaults,
        reserved=RESERVED,
        problems=[*_schema_problems(schema), *trigger_problems(model.trigger)],
    )
    return Compiled(model.name, model.description, tuple(model.tags), schema, definition, trigger_of(model.trigger), model.retention_days)


def _schema_problems(schema: Mapping[str, Any]) -> Iterator[Problem]:
    for path, message in params_schema.check(schema):
        yield Problem(message, path=f"params.{path}" if path else "params")


def _draft(index: int, step: StepModel) -> Draft:
    return Draft(
        place=f"steps[{index}]",
        id=step.id,
        action=step.action,
        policies=step,
        name=step.name,
        needs=step.needs,
        config=step.config,
        run_if=step.run_if,
    )

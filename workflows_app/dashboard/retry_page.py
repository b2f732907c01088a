"""The page that retries from a chosen step with edited parameters: the form, and what runs again beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows_app.dashboard import params_form, runs_again
from workflows_app.dashboard.looks import Look, look, plural
from workflows_app.dashboard.workflow_page import start_schema
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Step, Workflow

MOST_NAMED = 200
MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Named:
    id: str
    look: Look


@dataclass(frozen=True, slots=True)
class RetryPage:
    """`again` and `stay` are steps in the author's order, the first of each; `refusal` is why the engine would not do it."""

    workflow: Workflow
    uid: str
    step: str
    choices: list[str]
    fields: list[params_form.Field]
    problems: list[str]
    refusal: str
    again: list[Named]
    again_count: str
    stay: list[Named]
    stay_count: str
    is_final: bool


def build(
    workflow: Workflow, step_id: str, *, values: Mapping[str, Any], errors: Mapping[str, str] | None = None, refusal: str = ""
) -> RetryPage:
    fields = params_form.fields(start_schema(workflow), values, errors)
    looks = {id: look(status, is_skipped=skipped) for id, status, skipped in _steps(workflow)}
    again = runs_again.in_order(workflow, step_id)
    stay = [id for id in looks if id not in set(again)]
    return RetryPage(
        workflow=workflow,
        uid=str(workflow.uid),
        step=step_id,
        choices=list(dict.fromkeys([step_id, *looks]))[:MOST_CHOICES],
        fields=fields,
        problems=params_form.problems(fields, errors or {}),
        refusal=refusal,
        again=[Named(id, looks[id]) for id in again[:MOST_NAMED]],
        again_count=plural(len(again), "step"),
        stay=[Named(id, looks[id]) for id in stay[:MOST_NAMED]],
        stay_count=plural(len(stay), "step"),
        is_final=workflow.status in FINAL,
    )


def chosen(workflow: Workflow, step_id: str) -> str:
    """The step that was asked for, if there is one; else the first that failed, else the first of all."""
    steps = Step.objects.top_level().filter(workflow=workflow)
    asked = steps.filter(node_id=step_id.replace("\0", ""))
    failed = steps.filter(status=Status.FAILED).order_by("ended_at", "position")
    found = asked or failed[:1] or steps.order_by("position")[:1]
    return found[0].node_id


def _steps(workflow: Workflow) -> list[tuple[str, str, bool]]:
    found = Step.objects.top_level().filter(workflow=workflow).order_by("position")
    return list(found.values_list("node_id", "status", "is_skipped"))

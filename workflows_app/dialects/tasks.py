"""The tasks dialect: steps one after another, the tasks of each in order or at once (CONTRACT.md section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workflows_app.dialects.compiled import Compiled
from workflows_app.dialects.compiling import EXCEPT_INPUT, OPEN, define, parse
from workflows_app.dialects.drafts import Draft, without_unknown
from workflows_app.dialects.source import Source, read
from workflows_app.dialects.template_model import YEAR_SECONDS, Document, Policies, Strict
from workflows_app.graph.names import MAX_STEP_ID
from workflows_app.graph.shapes import ActionShape
from workflows_app.graph.words import Words

WORDS = Words(node="task", kind="task", id="name", action="name", config="params", needs="", advice="put '{}' into a step before it")
POLICIES = {"timeout": "timeout", "retry_count": "retries", "priority": "priority"}
_PLACE = re.compile(r"steps\[(\d+)\]\.tasks\[(\d+)\]")
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+|^-+")


class TaskParams(BaseModel):
    """`params`: the task's own, and three that are policies of the step as well."""

    model_config = ConfigDict(extra="allow", strict=True)

    timeout: float | None = Field(None, gt=0, le=YEAR_SECONDS, allow_inf_nan=False)
    retry_count: int | None = Field(None, ge=0, le=100)
    priority: Literal["high", "normal", "low"] = "normal"


class TaskModel(Policies):
    """One entry of `tasks`. What the task says beside `params` comes before what it says in them."""

    name: str = Field(min_length=1, max_length=MAX_STEP_ID)
    params: TaskParams = TaskParams()
    run_if: Any = None

    @property
    def policies(self) -> Policies:
        """Its own policies, those of `params` among them."""
        given = {policy: getattr(self.params, key) for key, policy in POLICIES.items() if key in self.params.model_fields_set}
        return self.model_copy(update={key: value for key, value in given.items() if key not in self.model_fields_set})


class TaskStep(Strict):
    """One entry of `steps`."""

    execution_type: Literal["sequential", "parallel"]
    tasks: list[TaskModel] = Field(min_length=1)


class TasksModel(Document):
    """The whole document."""

    steps: list[TaskStep]


def compile(source: str | Mapping[str, Any], *, actions: Mapping[str, ActionShape]) -> Compiled:
    """The definition of `{"name", "steps": [{"execution_type", "tasks": [{"name", "params"}]}]}`. A task's step has the id of its name,
    `task_a_2` when it is the second of that name. Raises DefinitionError with every problem found."""
    text = read(source)
    model = parse(TasksModel, text, "a workflow of tasks is a mapping with 'name' and 'steps'", _owner)
    definition = define(text, list(_drafts(text, model, actions)), words=WORDS, actions=actions)
    return Compiled(model.name, model.description, tuple(model.tags), OPEN, definition, retention_days=model.retention_days)


def _owner(value: Any, path: str) -> str:
    place = _PLACE.match(path)
    if place is None:
        return ""
    task = value["steps"][int(place[1])]["tasks"][int(place[2])]
    return str(task.get("name", "")) if isinstance(task, Mapping) else ""


def _drafts(text: Source, model: TasksModel, actions: Mapping[str, ActionShape]) -> Iterator[Draft]:
    """Each task needs the one before it, or all those that the step before it ended with."""
    ids, before = _Ids(), tuple[str, ...]()
    for number, step in enumerate(model.steps):
        is_sequential = step.execution_type == "sequential"
        own = [ids.take(task.name) for task in step.tasks]
        for place, task in enumerate(step.tasks):
            yield Draft(
                place=f"steps[{number}].tasks[{place}]",
                id=own[place],
                action=task.name,
                policies=task.policies,
                name=task.name,
                needs=own[place - 1 : place] if place and is_sequential else before,
                config=_params(text, number, place, actions.get(task.name)),
                run_if=task.run_if,
            )
        before = tuple(own[-1:] if is_sequential else own)


def _params(text: Source, number: int, place: int, shape: ActionShape | None) -> dict[str, Any]:
    """As written; a policy that the action does not know as its own is left out."""
    return without_unknown(text.value["steps"][number]["tasks"][place].get("params", {}), POLICIES, shape)


class _Ids:
    """Hands out ids made of names, each once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.counts: dict[str, int] = {}

    def take(self, name: str) -> str:
        base = _FOREIGN.sub("_", name)[: MAX_STEP_ID - 10]
        id = base
        while id in self.taken or id.lower() in EXCEPT_INPUT:
            self.counts[base] = self.counts.get(base, 1) + 1
            id = f"{base}_{self.counts[base]}"
        self.taken.add(id)
        return id

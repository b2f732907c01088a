"""Custom tasks: Python functions and coroutines that become actions by a decorator (docs/custom-tasks.md)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, overload

from django.conf import settings
from pydantic import RootModel

from workflows_app.actions.base import Action, Context, Json
from workflows_app.graph.names import STEP_ID

Function = TypeVar("Function", bound=Callable[..., Any])
BUILT_IN = "workflows_app.demo_tasks"
_REGISTRY: dict[str, CustomTask] = {}


class TaskParams(RootModel[dict[str, Any]]):
    """A task takes what its author writes under `with:`; it checks that itself."""


class TaskNameTaken(ValueError):
    """Two functions want to be the same task."""


class CustomTask(Action):
    """A registered function. It gets its parameters and the context and returns JSON or raises."""

    config = TaskParams
    reads_upstream = True
    takes_secrets = True

    def __init__(self, function: Callable[..., Any], *, name: str, timeout: float | None = None) -> None:
        self.function = function
        self.name = name
        self.in_thread = not inspect.iscoroutinefunction(function)
        self.timeout_seconds = timeout
        self.description = inspect.getdoc(function) or ""

    def run(self, config: TaskParams, context: Context) -> Json:
        return self.function(config.root, context)


@overload
def task(function: Function, /) -> Function: ...
@overload
def task(*, name: str | None = None, timeout: float | None = None) -> Callable[[Function], Function]: ...
def task(function: Function | None = None, /, *, name: str | None = None, timeout: float | None = None) -> Any:
    """Register a function or coroutine `(params: dict, context: Context) -> JSON` as an action.

    A plain function runs in a thread, one at a time per worker process; a coroutine runs beside others on the
    event loop and must not block. `timeout` is in seconds. Raises TaskNameTaken.
    """

    def register(function: Function) -> Function:
        _add(CustomTask(function, name=name or function.__name__, timeout=timeout))
        return function

    return register if function is None else register(function)


def _add(task: CustomTask) -> None:
    from workflows_app.actions import ACTIONS  # the registry imports this module

    if not STEP_ID.fullmatch(task.name):
        raise ValueError(f"a task cannot be called '{task.name}': use letters, digits, - and _")
    earlier = _REGISTRY.get(task.name)
    if task.name in ACTIONS or (earlier and _origin(earlier) != _origin(task)):
        raise TaskNameTaken(f"there is already an action '{task.name}'; give this one another: @task(name=...)")
    _REGISTRY[task.name] = task


def _origin(task: CustomTask) -> tuple[str, str]:
    return task.function.__module__, task.function.__qualname__


def registered() -> Mapping[str, CustomTask]:
    """All custom tasks, after importing the modules that TASK_MODULES names."""
    _load()
    return _REGISTRY


@lru_cache(maxsize=1)
def _load() -> None:
    for module in (BUILT_IN, *settings.ENV.task_module_names):
        importlib.import_module(module)

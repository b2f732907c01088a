"""Tests of custom tasks: registering them, running them, loading their modules."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from tests.actions.contexts import a_context
from workflows_app import actions, demo_tasks
from workflows_app.actions import tasks
from workflows_app.actions.tasks import TaskNameTaken, task

HOUSE_TASKS = """
from workflows_app.actions.tasks import task
COUNT = []
COUNT.append(1)
@task
def house_task(params, context):
    return "home"
"""


@pytest.fixture(autouse=True)
def _forget_tasks(monkeypatch):
    monkeypatch.setattr(tasks, "_REGISTRY", dict(tasks.registered()))
    yield
    tasks._load.cache_clear()


def run(name: str, params: dict, **context):
    action = actions.find(name)
    value = action.run(action.config.model_validate(params), a_context(**context))
    return asyncio.run(value) if inspect.isawaitable(value) else value


def test_a_plain_function_becomes_an_action_that_runs_in_a_thread():
    @task
    def double(params, context):
        context.log("doubling")
        return params["n"] * 2

    assert run("double", {"n": 4}) == 8
    assert actions.find("double").in_thread
    assert actions.find("double").reads_upstream
    assert double({"n": 1}, a_context()) == 2


def test_a_coroutine_becomes_an_action_that_runs_on_the_loop():
    @task(name="wait-a-little", timeout=7)
    async def anything(params, context):
        return {"key": context.idempotency_key}

    assert run("wait-a-little", {}) == {"key": "w:s"}
    assert not actions.find("wait-a-little").in_thread
    assert actions.find("wait-a-little").timeout_seconds == 7


def test_two_tasks_cannot_have_one_name():
    @task(name="once")
    def first(params, context): ...

    with pytest.raises(TaskNameTaken, match="already an action 'once'"):

        @task(name="once")
        def second(params, context): ...


def test_a_task_cannot_take_the_name_of_an_action_or_an_odd_one():
    with pytest.raises(TaskNameTaken, match="'delay'"):
        task(name="delay")(lambda params, context: None)
    with pytest.raises(ValueError, match="cannot be called 'a b'"):
        task(name="a b")(lambda params, context: None)


def test_importing_a_module_twice_registers_its_tasks_once():
    task(demo_tasks.task_a)
    assert actions.find("task_a").function is demo_tasks.task_a


def test_the_modules_of_the_settings_are_imported_once_when_first_needed(settings, monkeypatch, tmp_path):
    (tmp_path / "house_tasks.py").write_text(HOUSE_TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    settings.ENV = settings.ENV.model_copy(update={"task_modules": "house_tasks"})
    tasks._load.cache_clear()
    assert run("house_task", {}) == "home"
    assert "house_task" in actions.known()
    import house_tasks

    assert house_tasks.COUNT == [1]


def test_a_task_module_that_is_missing_is_named(settings):
    settings.ENV = settings.ENV.model_copy(update={"task_modules": "no_such_module"})
    tasks._load.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        actions.known()


def test_the_demo_tasks_hand_on_report_and_look_back():
    reported = []
    assert run("task_a", {"x": 1}) == {"task": "task_a", "params": {"x": 1}}
    assert run("task_b", {"seconds": 0.004}, report_progress=reported.append)["seconds"] == 0.004
    assert reported == [0.25, 0.5, 0.75, 1.0]
    assert run("task_c", {}, outputs={"b": 1, "a": 2})["upstream"] == ["a", "b"]

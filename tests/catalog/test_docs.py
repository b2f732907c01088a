"""Tests that the examples in the documentation do what is said beside them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.actions.contexts import a_context
from tests.catalog.walk import Walk
from workflows_app import actions
from workflows_app.actions import tasks
from workflows_app.actions.base import Context
from workflows_app.catalog.validate import validate
from workflows_app.dialects.params import accept
from workflows_app.dialects.template_model import Policies, StepModel
from workflows_app.graph.syntax import FILTERS

DOCS = Path(__file__).parents[2] / "docs"


def block(page: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def walk(source: str, url: str = "http://127.0.0.1:9", **params) -> Walk:
    compiled = validate(source)
    return Walk(compiled.definition, params=accept(compiled.params_schema, params), url=url).run()


def test_the_custom_task_of_the_page_runs_and_is_short(settings, monkeypatch, tmp_path):
    code = block("custom-tasks.md", "python")
    assert len(code.splitlines()) < 15
    (tmp_path / "my_tasks.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tasks, "_REGISTRY", dict(tasks.registered()))
    settings.ENV = settings.ENV.model_copy(update={"task_modules": "my_tasks"})
    tasks._load.cache_clear()
    found, names = walk(block("custom-tasks.md", "yaml")), set(tasks.registered())
    tasks._load.cache_clear()
    assert found.outputs["done"] == "2 rows of city, people"
    assert found.logs["table"] == "2 rows"
    assert {"parse_csv", "task_a", "task_b", "task_c"} <= names
    assert "`done` gives `2 rows of city, people`" in (DOCS / "custom-tasks.md").read_text()


def functions_of_the_page() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", (DOCS / "custom-tasks.md").read_text(), re.DOTALL)[1:]:
        exec(code, found)
    return found


def test_the_function_of_the_page_stops_when_told_and_reports_progress():
    tidy, reported = functions_of_the_page()["tidy"], []
    assert tidy({"paths": ["a", "b"]}, a_context(report_progress=reported.append)) == {"tidied": 2}
    assert reported == [0.5, 1.0]
    stopped = a_context(is_cancelled=lambda: True)
    assert tidy({"paths": ["a", "b"]}, stopped) is None
    assert stopped.sink == [("WARNING", "Stopped before a")]


def test_the_function_of_the_page_pays_once_per_key(tmp_path):
    pay, book = functions_of_the_page()["pay"], str(tmp_path / "book.sqlite3")
    for key in ("w1:pay", "w1:pay", "w2:pay"):
        assert pay({"book": book, "amount": 5}, a_context(idempotency_key=key)) == {"paid": 5}
    with closing(sqlite3.connect(book)) as kept:
        assert kept.execute("SELECT count(*) FROM payments").fetchone() == (2,)


def test_the_page_names_all_that_a_task_gets():
    page = (DOCS / "custom-tasks.md").read_text()
    for name in ("log", "progress", "outputs", "params", "idempotency_key", "attempt", "cancelled"):
        assert f"`context.{name}" in page and hasattr(Context, name), name


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("goal", "answer"), [(0, "Well done: "), (10**9, "Only ")])
def test_the_template_of_the_page_runs(live_server, goal, answer):
    assert walk(block("template-dialect.md", "yaml"), live_server.url, goal=goal).outputs["report"].startswith(answer)


def test_the_page_names_every_key_action_and_filter():
    page = (DOCS / "template-dialect.md").read_text()
    keys = {field.alias or name for model in (StepModel, Policies) for name, field in model.model_fields.items()}
    for word in keys | (FILTERS - {"d"}) | set(actions.ACTIONS) - {"start", "call_external_service"}:
        assert re.search(rf"[`| ]{word}[`|, ]", page), word
    for field, info in actions.ACTIONS["http_call"].config.model_fields.items():
        assert f"`{info.alias or field}`" in page

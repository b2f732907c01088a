"""docs/moving-over.md: what earlier clients send works after their base URL is changed, and every line of the page runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from hybrid_site.env import Env
from tests.api.calls import get
from tests.api.curl import Curl, curls
from tests.engine.conftest import stage as stage
from tests.engine.stage import Stage
from tests.factories import NOW
from workflows_app.api import api, v1
from workflows_app.catalog import bundled
from workflows_app.models import Workflow

PAGE = (Path(django_settings.BASE_DIR) / "docs" / "moving-over.md").read_text()
PARTS = {part.splitlines()[0]: part for part in PAGE.split("\n## ")[1:]}
BASES = {"Workflows in files": "", "Sequential and parallel tasks": "", "Graphs of nodes and edges": "/api/graph", "DAGs": ""}
ROW = re.compile(r"^\| `([A-Z]+) (/\S*)` \| `([A-Z]+) (/\S*)` \|$", re.MULTILINE)
EARLIER_HOST = "http://localhost:8000"
EXAMPLE = re.compile(r"https?://(api\.example\.com|httpbin\.org)/\w+|\{\{ engine\.url \}\}/demo/\w+")


def lines(part: str, *, earlier: bool) -> list[Curl]:
    return [line for line in curls(PARTS[part]) if line.url.startswith(EARLIER_HOST) == earlier]


def moved(line: Curl, part: str) -> Curl:
    """The earlier client's call with another base URL, and nothing else changed."""
    return Curl(line.method, f"$B{BASES[part]}{line.path}", line.body, line.headers, line.kept, line.key)


def play_all(stage: Stage) -> None:
    for workflow in Workflow.objects.active().filter(awaits_trigger=False):
        stage.play(workflow)


@pytest.fixture
def local(settings: Any, live_server: Any) -> None:
    """`engine.url` leads to the server of the test, so that the demo service is there; the bundled templates are loaded."""
    env: Env = settings.ENV
    settings.ENV = env.model_copy(update={"host": "localhost", "port": int(live_server.url.rsplit(":", 1)[1])})
    bundled.load(now=NOW)


def test_there_is_a_part_for_each_kind_of_client() -> None:
    assert list(PARTS) == list(BASES)
    assert all(len(lines(part, earlier=earlier)) >= 3 for part in PARTS for earlier in (True, False))


@pytest.mark.parametrize("part", BASES)
def test_what_an_earlier_client_sends_works_with_another_base_url(stage: Stage, local: None, part: str) -> None:
    variables: dict[str, str] = {}
    for line in lines(part, earlier=True):
        response = moved(line, part).send(variables)
        assert response.status_code in {200, 201}, (line, response.content)


@pytest.mark.parametrize("part", BASES)
def test_every_line_of_the_page_runs_to_a_completed_workflow(stage: Stage, local: None, part: str) -> None:
    variables: dict[str, str] = {}
    for line in lines(part, earlier=False):
        response = line.send(variables)
        assert response.status_code in {200, 201}, (line, response.content)
        play_all(stage)
    shown = get("/api/workflows").json()
    assert shown and {workflow["status"] for workflow in shown} == {"COMPLETED"}


@pytest.mark.parametrize("part", BASES)
def test_before_and_now_differ_in_addresses_only(part: str) -> None:
    now = lines(part, earlier=False)
    for line in lines(part, earlier=True):
        same = next(new for new in now if (new.method, new.url) == (line.method, moved(line, part).url))
        assert _body(same) == _body(line)


def _body(line: Curl) -> Any:
    return json.loads(EXAMPLE.sub("URL", line.body)) if line.body else None


@pytest.mark.parametrize("part", BASES)
def test_the_table_names_the_paths_of_the_lines_and_leads_to_operations_that_are_there(part: str) -> None:
    rows = ROW.findall(PARTS[part])
    known = api.get_openapi_schema()["paths"] | v1.get_openapi_schema()["paths"]
    assert rows and all(method == old and method.lower() in known[path] for old, _, method, path in rows)
    assert all(new == BASES[part] + old for _, old, _, new in rows)
    earlier = {(old, re.sub(r"\{\w+\}", "{}", path)) for old, path, _, _ in rows}
    assert {(line.method, re.sub(r"\$\w+", "{}", line.path.split("?")[0])) for line in lines(part, earlier=True)} <= earlier


def test_every_path_of_the_graph_and_dag_doors_is_in_a_table() -> None:
    named = {path for part in PARTS.values() for _, _, _, path in ROW.findall(part)}
    doors = [path for path in api.get_openapi_schema()["paths"] if path.startswith(("/api/graph", "/api/workflow/"))]
    assert {*doors, *v1.get_openapi_schema()["paths"], "/api/workflow"} <= named


def test_the_settings_that_the_page_leads_to_exist() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", "".join(line.split("|")[2] for line in PAGE.splitlines() if line.count("|") >= 3)))
    statuses = {"WAITING_FOR_DEPENDENCY"}
    assert named - statuses <= {name.upper() for name in Env.model_fields}
    assert {"DATA_DIR", "MAX_PARALLEL_IO", "STEP_TIMEOUT_LLM_SERVICE"} <= named


def test_the_custom_task_of_the_page_runs(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    from tests.engine.stage import node, step
    from workflows_app.actions import tasks

    monkeypatch.setattr(tasks, "_REGISTRY", dict(tasks.registered()))
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    exec(code[1], {"__name__": "a_module_of_mine"})  # the page's own text
    workflow = stage.run(node("mine", "my_custom_task"))
    assert step(workflow, "mine").output == {"done": True}

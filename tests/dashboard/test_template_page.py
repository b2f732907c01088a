"""The page of a template."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL
from tests.factories import NOW, a_definition, a_template, a_user, a_workflow, later
from workflows_app.dashboard import template_grid
from workflows_app.dashboard.template_grid import Grid
from workflows_app.engine.definitions import compiled
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Schedule, Step, Template, TemplateVersion, Workflow

pytestmark = pytest.mark.django_db
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}
FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}


def page(reader: Client, template: Template, query: str = "") -> Any:
    response = reader.get(f"/templates/{template.slug}{query}")
    assert response.status_code == 200
    return response


def grid_of(template: Template) -> Grid:
    assert template.current
    return template_grid.build(template, compiled(template.current.definition_id), now=later(100))


def a_version(template: Template, number: int, *nodes: Node, **changes: Any) -> TemplateVersion:
    values = {"source": f"name: v{number}\n", "definition": a_definition(*nodes), "created_at": NOW, **changes}
    return TemplateVersion.objects.create(template=template, number=number, **values)


def test_it_says_what_the_template_is_and_what_starts_it(reader: Client) -> None:
    template = a_template("nightly", description="Loads the orders", tags=["etl"])
    Schedule.objects.create(template=template, name="Weekdays", cron="0 9 * * 1-5", next_at=later(60), created_at=NOW, updated_at=NOW)
    TemplateVersion.objects.update(trigger={"==": [1, 1]})
    words = text_of(page(reader, template))
    for expected in ("Nightly", "v1 · 2 steps", "Loads the orders", "etl", "Weekdays : At 09:00", "events that fit its trigger"):
        assert expected in words


def test_it_links_what_can_be_done(reader: Client) -> None:
    html = page(reader, a_template("nightly")).content.decode()
    for link in (
        "/templates/nightly/start",
        "/schedules/new?template=nightly",
        "/api/templates/nightly/export",
        "/workflows?template=nightly",
    ):
        assert f'href="{link}"' in html


def test_the_list_of_templates_links_it(reader: Client) -> None:
    a_template("nightly")
    assert 'href="/templates/nightly"' in reader.get("/templates").content.decode()


def test_only_who_may_change_it_is_offered_the_editor(server_mode: None) -> None:
    template = a_template("nightly")
    shown = {}
    for name, is_superuser in (("reader", False), ("editor", True)):
        client = Client(headers={"host": "localhost"})
        client.force_login(a_user(name, is_staff=is_superuser, is_superuser=is_superuser))
        shown[name] = f"workflows_app/template/{template.pk}/change/" in page(client, template).content.decode()
    assert shown == {"reader": False, "editor": True}


@pytest.mark.parametrize("slug", ["unknown", "deleted"])
def test_what_is_not_there_is_not_found(reader: Client, slug: str) -> None:
    a_template("deleted", deleted_at=NOW)
    assert reader.get(f"/templates/{slug}").status_code == 404


def test_its_graph_is_drawn_as_that_of_a_workflow_and_links_its_rows(reader: Client) -> None:
    html = page(reader, a_template()).content.decode()
    assert 'class="node k-step n-none" href="#row-0"' in html
    assert "http_call" in html
    assert "l-n" in html


def test_a_large_template_opens_its_groups_and_turns_by_its_url(reader: Client) -> None:
    wide = a_definition(Node("a", "input"), *[Node(f"n{i}", "transform", needs=("a",)) for i in range(400)])
    template = a_template(definition=wide)
    closed, opened = (page(reader, template, query).content.decode() for query in ("?dir=TB", "?open=1&dir=TB"))
    assert 'href="?dir=TB&amp;open=1"' in closed
    assert opened.count("k-dot") == 400
    assert 'href="#grid"' in opened


def test_parameters_are_told_with_their_limits(reader: Client) -> None:
    schema = {
        "properties": {
            "day": {"type": "string", "title": "Day", "description": "of the orders"},
            "size": {"type": "integer", "minimum": 1, "maximum": 500, "default": 20},
            "region": {"enum": ["EU", "US"]},
        },
        "required": ["day"],
    }
    words = text_of(page(reader, a_template(params_schema=schema)))
    for expected in (
        "day * needed string – Day · of the orders",
        "size integer 20 at least 1 · at most 500",
        'region any – one of ["EU", "US"]',
    ):
        assert expected in words


def test_versions_are_listed_with_who_when_and_why_and_their_text_is_shown_on_demand(reader: Client) -> None:
    template = a_template(version=1, source="name: first\n")
    template.current = a_version(template, 2, note="faster", created_by=a_user("ana"), source="name: <second>\n")
    template.save()
    assert "name: first" not in text_of(page(reader, template))
    words = text_of(page(reader, template, "?version=1"))
    assert "Text of v1 name: first" in words
    for expected in ("v2 , its text current", "ana", "faster"):
        assert expected in words
    assert "&lt;second&gt;" in page(reader, template, "?version=2").content.decode()
    assert "Text of" not in text_of(page(reader, template, "?version=99"))


def test_usual_time_and_success_come_from_its_last_workflows(reader: Client) -> None:
    template = a_template()
    for _ in range(4):
        a_workflow(template=template, statuses=DONE)
    a_workflow(template=template, statuses=FAILED)
    words = text_of(page(reader, template))
    assert "Usually takes 10 s" in words
    assert "Completed 80 % 4 of the last 5 that ended" in words


def test_a_template_that_never_ran_says_so(reader: Client) -> None:
    words = text_of(page(reader, a_template()))
    assert "None has run yet" in words
    assert "known once three completed" in words


def test_the_grid_has_a_column_for_each_of_the_last_workflows_the_newest_on_the_right() -> None:
    template = a_template()
    made = [a_workflow(template=template, statuses=DONE) for _ in range(27)]
    grid = grid_of(template)
    assert [column.url for column in grid.columns] == [f"/workflows/{workflow.uid}" for workflow in made[2:]]
    assert {row.name for row in grid.rows} == {"fetch", "shape"}


def test_a_cell_tells_how_its_step_was_and_opens_it() -> None:
    template = a_template()
    workflow = a_workflow(template=template, statuses=FAILED)
    Step.objects.filter(workflow=workflow, node_id="shape").update(is_skipped=True)
    a_workflow(template=template, statuses={"fetch": Status.RUNNING})
    found = [[cell.look.css if cell.look else "" for cell in row.cells] for row in grid_of(template).rows]
    assert found == [["failed", "running"], ["skipped", "waiting"]]
    assert grid_of(template).rows[0].cells[0].url == f"/workflows/{workflow.uid}?step=fetch"


def test_a_bar_is_as_tall_as_its_workflow_took_long() -> None:
    template = a_template()
    for seconds in (100, 50):
        workflow = a_workflow(template=template, statuses=DONE)
        Workflow.objects.filter(pk=workflow.pk).update(ended_at=NOW + timedelta(seconds=seconds))
    heights = [column.height for column in grid_of(template).columns]
    assert heights[0] == 2 * heights[1] == template_grid.TALLEST


def test_a_workflow_of_an_older_version_has_no_cell_for_a_step_that_came_later() -> None:
    template = a_template()
    a_workflow(template=template, statuses=DONE)
    template.current = a_version(template, 2, Node("fetch", "http_call"), Node("later", "transform"))
    template.save()
    found = {row.name: row.cells[0].look for row in grid_of(template).rows}
    assert found["later"] is None
    assert found["fetch"] is not None


def test_many_steps_are_rows_in_groups_coloured_by_what_tells_most() -> None:
    nodes = [Node("a", "input"), *[Node(f"n{i}", "transform", needs=("a",)) for i in range(100)]]
    template = a_template(definition=a_definition(*nodes))
    a_workflow(template=template, statuses=dict.fromkeys((node.id for node in nodes), Status.COMPLETED) | {"n7": Status.FAILED})
    rows = grid_of(template).rows
    assert [row.name for row in rows] == ["a", "100 × transform"]
    cell = rows[1].cells[0]
    assert (cell.look.css, cell.words) == ("failed", "99 completed, 1 failed") if cell.look else None
    assert cell.url.endswith("?step=n7")


def test_names_and_texts_are_shown_as_text(reader: Client) -> None:
    definition = a_definition(Node(EVIL, "transform", name=EVIL))
    schema = {"properties": {EVIL: {"title": EVIL, "default": EVIL}}}
    template = a_template("evil", definition=definition, name=EVIL, description=EVIL, tags=[EVIL], params_schema=schema, source=EVIL)
    TemplateVersion.objects.update(note=EVIL)
    Schedule.objects.create(template=template, name=EVIL, cron="0 9 * * *", created_at=NOW, updated_at=NOW)
    a_workflow(template=template, statuses={EVIL: Status.COMPLETED}, name=EVIL)
    html = page(reader, template, "?version=1").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert html.count("&lt;script&gt;alert(1)") >= 8


def test_the_page_takes_as_many_queries_for_many_workflows_steps_and_versions_as_for_few(reader: Client) -> None:
    counts = []
    for many in (1, 9):
        template = a_template(definition=a_definition(*[Node(f"n{i}", "transform") for i in range(many)]))
        for number in range(2, many + 1):
            a_version(template, number, created_by=a_user())
        for _ in range(4 * many):
            a_workflow(template=template)
            a_workflow(template=template, statuses={f"n{i}": Status.COMPLETED for i in range(many)})
        page(reader, template)
        with CaptureQueriesContext(connection) as found:
            page(reader, template)
        counts.append(len(found))
    assert counts[0] == counts[1]

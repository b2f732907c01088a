"""The graph on a workflow's page."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX
from tests.dashboard.rows import EVIL, mapping
from tests.factories import NOW, a_step, a_template, a_workflow, later
from workflows_app.dashboard import graph_view, steps_table
from workflows_app.dashboard.graph_view import GraphView
from workflows_app.dashboard.steps_view import View
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

pytestmark = pytest.mark.django_db
BRANCH = {"cases": [{"label": "large", "condition": {"==": [1, 1]}, "next": "b"}, {"else": True, "next": ["c"]}]}
DIAMOND = (
    Node("a", "branch", config=BRANCH),
    Node("b", "transform", needs=("a",)),
    Node("c", "transform", needs=("a",)),
    Node("d", "output", needs=("b", "c")),
)


def graph_of(workflow: Workflow, view: View | None = None, **options: Any) -> GraphView:
    found = view or View()
    return graph_view.build(workflow, steps_table.overview(workflow, found, now=NOW).looks, found, NOW, **options)


def fan(count: int, **changes: Any) -> Workflow:
    nodes = [Node("first", "input"), *(Node(f"n{i}", "transform", needs=("first",)) for i in range(count))]
    return a_workflow(*nodes, Node("last", "output", needs=tuple(node.id for node in nodes[1:])), **changes)


def set_step(workflow: Workflow, id: str, **changes: Any) -> None:
    Step.objects.filter(workflow=workflow, node_id=id).update(**changes)


def lead(graph: GraphView, id: str) -> str:
    (found,) = [node for node in graph.picture.nodes if node.title == id]
    return f"{found.mark.lead}{found.mark.spent}{found.mark.tail}"


def page(reader: Client, workflow: Workflow, query: str = "", **headers: str) -> str:
    response = reader.get(f"/workflows/{workflow.uid}{query}", headers={**headers})
    assert response.status_code == 200
    return str(response.content.decode())


def state_in(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="graph-state" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_every_step_is_a_link_to_itself_with_its_status(reader: Client) -> None:
    statuses = {"a": Status.COMPLETED, "b": Status.RUNNING, "c": Status.STOPPED}
    workflow = a_workflow(*DIAMOND, statuses=statuses)
    graph = graph_of(workflow)
    assert [(node.name, node.url, node.mark.css) for node in graph.picture.nodes] == [
        ("a", "?step=a", "completed"), ("b", "?step=b", "running"), ("c", "?step=c", "stopped"), ("d", "?step=d", "waiting"),
    ]  # fmt: skip
    html = page(reader, workflow)
    assert 'class="node k-step n-running"' in html
    assert 'href="?step=d"' in html


def test_a_running_step_says_how_far_it_is_when_it_tells() -> None:
    workflow = a_workflow(*DIAMOND, statuses=dict.fromkeys("abc", Status.RUNNING))
    set_step(workflow, "b", metadata={"progress": 0.187})
    set_step(workflow, "c", metadata={"progress": "soon"})
    marks = [node.mark for node in graph_of(workflow).picture.nodes]
    assert [mark.tail for mark in marks[:3]] == ["", " · 18 %", ""]
    assert "18 %" in marks[1].words


def test_the_selected_step_is_highlighted_and_an_element_selects_its_map() -> None:
    workflow = mapping([Status.RUNNING])
    assert graph_of(workflow, View(step="fetch[0]")).state["selected"] == 0
    assert [node.is_selected for node in graph_of(workflow, View(step="after")).picture.nodes] == [False, True]
    assert graph_of(workflow, View(step="nowhere")).state["selected"] is None


def test_the_cases_of_a_branch_stand_on_their_lines() -> None:
    assert [line.label for line in graph_of(a_workflow(*DIAMOND)).picture.lines] == ["large", "else", "", ""]


def test_a_branch_that_this_release_cannot_read_has_no_labels() -> None:
    workflow = a_workflow(Node("a", "branch", config={"routes": 7}), Node("b", "transform", needs=("a",)))
    assert [line.label for line in graph_of(workflow).picture.lines] == [""]


def test_the_way_from_what_failed_to_what_did_not_run_is_bold_and_a_skipped_one_dim() -> None:
    statuses = {"a": Status.FAILED, "b": Status.STOPPED, "c": Status.STOPPED, "d": Status.STOPPED}
    workflow = a_workflow(*DIAMOND, statuses=statuses)
    set_step(workflow, "c", is_skipped=True)
    assert graph_of(workflow).state["lines"] == "bsbs"


def test_a_line_is_dashed_until_what_it_comes_from_is_done() -> None:
    assert graph_of(a_workflow(*DIAMOND, statuses={"a": Status.COMPLETED, "b": Status.RUNNING})).state["lines"] == "ddww"


def test_a_failure_that_did_not_stop_anything_blocks_nothing() -> None:
    workflow = a_workflow(Node("a", "transform"), Node("b", "output", needs=("a",)), statuses={"a": Status.FAILED, "b": Status.COMPLETED})
    assert graph_of(workflow).state["lines"] == "d"


def test_a_node_says_how_long_which_attempt_and_what_it_waits_for() -> None:
    statuses = {"a": Status.COMPLETED, "b": Status.RUNNING, "c": Status.FAILED}
    workflow = a_workflow(*DIAMOND, statuses=statuses)
    set_step(workflow, "a", started_at=NOW - timedelta(seconds=72), ended_at=NOW)
    set_step(workflow, "b", claimed_at=NOW - timedelta(seconds=5), attempt=2)
    set_step(workflow, "c", started_at=NOW - timedelta(seconds=2), ended_at=NOW, attempt=3)
    graph = graph_of(workflow, usual={"a": 60.0, "b": 0.2})
    assert lead(graph, "a") == "1m 12s (usual 1m 0s)"
    assert lead(graph, "b") == "2 of 4 · 5 s"
    assert lead(graph, "c") == "3 of 4 · 2 s"
    assert lead(graph, "d") == "waits for b"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"waits_for": Step.APPROVAL}, "waits for a decision"),
        ({"waits_for": Step.EVENT}, "waits for an event"),
        ({"available_at": later(65)}, "until 12:01:05 UTC"),
    ],
)
def test_a_waiting_step_says_for_what(changes: dict[str, Any], words: str) -> None:
    workflow = a_workflow(Node("a", "approval"), statuses={"a": Status.WAITING_FOR_DEPENDENCY})
    set_step(workflow, "a", **changes)
    assert lead(graph_of(workflow), "a") == words


def test_a_step_that_will_be_tried_again_says_when_and_one_that_never_ran_says_so() -> None:
    workflow = a_workflow(Node("a", "transform"), Node("b", "transform"), statuses={"b": Status.STOPPED})
    set_step(workflow, "a", attempt=1, available_at=later(5))
    set_step(workflow, "b", attempt=0, started_at=None)
    assert lead(graph_of(workflow), "a") == "again at 12:00:05 UTC"
    assert lead(graph_of(workflow), "b") == "did not run"


def test_a_map_counts_its_elements_on_its_node() -> None:
    workflow = mapping([Status.COMPLETED] * 3 + [Status.FAILED, Status.RUNNING])
    node = graph_of(workflow).picture.nodes[0]
    assert node.mark.lead == "4 of 5 · ✕ 1"
    assert [band.css for band in node.mark.bands] == ["completed", "failed", "running"]


def test_many_siblings_are_one_group_with_counts_which_opens() -> None:
    workflow = fan(400, statuses={"first": Status.COMPLETED, "n0": Status.FAILED, "n1": Status.COMPLETED})
    graph = graph_of(workflow)
    group = graph.picture.nodes[1]
    assert (group.kind, group.name, group.url) == ("group", "400 × transform", "?open=1")
    assert group.mark.css == "failed"
    assert group.mark.words == "1 completed, 1 failed, 398 waiting"
    assert "400 steps in 1 group" in graph.words
    opened = graph_of(workflow, View.from_query(QueryDict("open=1"))).picture.nodes
    assert [node.kind for node in opened].count("dot") == 400
    assert opened[1].url == "?"
    assert opened[2].url == "?open=1&step=n0"


def test_a_step_that_is_selected_within_a_closed_group_selects_the_group() -> None:
    assert graph_of(fan(400), View(step="n7")).state["selected"] == 1


def test_next_failed_goes_round() -> None:
    workflow = a_workflow(*DIAMOND, statuses=dict.fromkeys("abcd", Status.COMPLETED) | {"b": Status.FAILED, "d": Status.FAILED})
    assert [graph_of(workflow, View(step=step)).next_failed for step in ("", "b", "d")] == ["?step=b", "?step=d", "?step=b"]
    assert graph_of(a_workflow(*DIAMOND)).next_failed == ""


def test_long_names_are_cut_by_their_width_and_told_in_full() -> None:
    long, wide = "load_into_the_warehouse_of_europe", "顧客データを取得する手順その一"
    nodes = graph_of(a_workflow(Node(long, "transform"), Node(wide, "transform", name="Fetch"))).picture.nodes
    assert [node.name for node in nodes] == ["load_into_the_war…", "顧客データを取得…"]
    assert [node.title for node in nodes] == [long, f"{wide} — Fetch"]


@pytest.mark.parametrize("name", [EVIL, "</script><script>alert(1)</script>", "</title></svg><b>", "a\nb\x01c\u202eevil", '"><img src=x>'])
def test_whatever_steps_are_called_is_shown_as_text(reader: Client, name: str) -> None:
    """Straight into the table: no dialect lets such a name in, an import may."""
    label = {"cases": [{"label": EVIL, "condition": {"==": [1, 1]}, "next": "b"}]}
    workflow = a_workflow(Node(name, "branch", config=label, name=EVIL), Node("b", "output", needs=(name,)))
    html = page(reader, workflow)
    for raw in ("<script>alert", "<img src=x", "</svg><b>", "\x01", "\u202e"):
        assert raw not in html.split('id="graph"')[1].split("</figure>")[0]


def test_a_page_that_has_the_drawing_gets_only_its_state(reader: Client) -> None:
    workflow = a_workflow(*DIAMOND, statuses={"a": Status.RUNNING})
    first = page(reader, workflow)
    (key,) = re.findall(r'data-drawing="(\w+)"', first)
    again = page(reader, workflow, **HX, **{"X-Graph-Drawn": key})
    assert '<svg class="graph-svg"' in first
    assert '<svg class="graph-svg"' not in again
    assert f'<div id="graph-{key}" hx-morph-skip></div>' in again
    assert state_in(again) == state_in(first)


def test_another_direction_another_group_or_what_is_hidden_is_another_drawing() -> None:
    workflow = fan(400)
    keys = {graph_of(workflow, View.from_query(QueryDict(text))).key for text in ("", "dir=TB", "open=1", "hide=completed")}
    assert len(keys) == 4
    assert graph_of(workflow, View(step="n1")).key == graph_of(workflow, View(view="graph", start=3)).key


def test_the_state_of_thousands_is_short() -> None:
    state = graph_of(fan(400), View.from_query(QueryDict("open=1"))).state
    assert state["nodes"][2] == "waiting"
    assert len(json.dumps(state)) < 400 * 16


def test_hidden_says_the_url_and_what_would_show_it_again(reader: Client) -> None:
    workflow = a_workflow(*DIAMOND, statuses={"a": Status.COMPLETED})
    html = page(reader, workflow, "?hide=completed&dir=TB")
    assert "hides-completed" in html
    graph = graph_of(workflow, View.from_query(QueryDict("hide=completed&dir=TB")))
    assert (graph.hide_url, graph.turned_url) == ("?dir=TB", "?hide=completed")


def test_the_figure_is_named_and_the_list_that_says_the_same_is_linked(reader: Client) -> None:
    html = page(reader, a_workflow(*DIAMOND))
    assert 'aria-labelledby="graph-label"' in html
    assert "Graph of 4 steps: 1 pending, 3 waiting" in html
    assert 'href="?view=list"' in html


def test_a_large_graph_takes_as_many_queries_as_a_small_one(reader: Client) -> None:
    template = a_template()
    small, large = a_workflow(template=template), fan(250)
    large.template_version = template.current
    large.save(update_fields=["template_version"])
    counts = []
    for workflow in (small, large):
        page(reader, workflow)
        with CaptureQueriesContext(connection) as found:
            page(reader, workflow)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_maps_are_counted_in_one_query_however_many_there_are() -> None:
    counts = []
    for many in (1, 12):
        nodes = [Node(f"m{i}", "map", body=Node(f"m{i}", "transform")) for i in range(many)]
        workflow = a_workflow(*nodes, statuses=dict.fromkeys((node.id for node in nodes), Status.COMPLETED))
        for parent in Step.objects.filter(workflow=workflow):
            a_step(workflow, Node(f"{parent.node_id}[0]", "transform"), status=Status.COMPLETED, parent=parent)
        graph_of(workflow).picture  # noqa: B018 - drawn once, so that its place is kept
        with CaptureQueriesContext(connection) as found:
            assert all(node.mark.lead == "1 of 1" for node in graph_of(workflow).picture.nodes)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_a_chain_is_told_in_pieces_that_open() -> None:
    nodes = [Node(f"n{i}", "transform", needs=(f"n{i - 1}",) if i else ()) for i in range(400)]
    graph = graph_of(a_workflow(*nodes))
    assert [node.name for node in graph.picture.nodes] == ["25 in a row"] * 16
    assert graph.picture.nodes[1].title == "25 in a row: n25 … n49"
    assert graph.picture.nodes[1].url == "?open=25"

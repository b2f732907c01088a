"""Tests of the graph dialect: its example, editors' JSON, names of the payload, and what it refuses where (CONTRACT.md section 5)."""

from __future__ import annotations

import json

import pytest

from tests.dialects.judging import Judge, shape_of
from workflows_app.dialects import DIALECTS, nodes_edges
from workflows_app.graph.conditions import evaluate

judge = Judge("graph")

CASES = [{"label": "CEO", "condition": {"==": [{"var": "lead.title"}, "CEO"]}, "next": "gift"}, {"else": True, "next": "drip"}]


def node(id, type="transform", **data):
    return {"id": id, "type": type, "data": data or ({"value": 1} if type == "transform" else {})}


def edges(*pairs):
    return [{"id": f"e{index}", "source": pair[0], "target": pair[1]} for index, pair in enumerate(pairs)]


def a_graph(*nodes, edges=(), **more):
    return {"name": "A graph", "nodes": list(nodes), "edges": list(edges), **more}


def hot_lead(**more):
    return a_graph(
        node("start", "start"),
        node("notify", "send_notification", toRole="AE", message="New hot lead"),
        node("wait", "delay", ms=1000),
        node("call", "http_call", method="POST", url="https://httpbin.org/post"),
        node("branch", "branch", cases=CASES),
        node("gift"),
        node("drip"),
        edges=edges(("start", "notify"), ("notify", "wait"), ("wait", "call"), ("call", "branch")),
        **more,
    )


def test_nodes_and_edges_compile_to_needs_and_a_case_is_an_edge():
    """CONTRACT.md section 5: a target that only a branch names (no edge) is still part of the graph."""
    nodes = judge.nodes(hot_lead())
    assert shape_of(nodes) == {
        "start": (),
        "notify": ("start",),
        "wait": ("notify",),
        "call": ("wait",),
        "branch": ("call",),
        "gift": ("branch",),
        "drip": ("branch",),
    }
    assert nodes["wait"].config == {"ms": 1000}
    assert nodes["notify"].config == {"toRole": "AE", "message": "New hot lead"}


def test_an_edge_beside_a_case_and_two_equal_edges_count_once():
    source = hot_lead()
    source["edges"] += [{"id": "x", "source": "branch", "target": "gift"}, {"source": "branch", "target": "gift"}]
    assert judge.nodes(source)["gift"].needs == ("branch",)


def test_a_join_after_a_branch_runs():
    """A node's trigger rule is `none_failed` unless it says otherwise."""
    source = a_graph(node("a"), {**node("b"), "trigger_rule": "all_done"})
    assert [found.trigger_rule for found in judge.nodes(source).values()] == ["none_failed", "all_done"]


def test_the_trigger_is_kept_as_it_is_written():
    """CONTRACT.md section 5: the event is the payload; a trigger's names are the payload's fields."""
    trigger = {"and": [{"==": [{"var": "lead.source"}, "LinkedIn"]}, {">=": [{"var": "lead.score"}, 80]}]}
    kept = judge.compiled(hot_lead(trigger=trigger)).trigger
    assert kept == trigger
    assert evaluate(kept, {"lead": {"source": "LinkedIn", "score": 90, "title": "CEO"}}) is True


@pytest.mark.parametrize("more", [{}, {"trigger": None}, {"trigger": {}}])
def test_without_a_trigger_no_event_starts_it(more):
    assert judge.compiled(hot_lead(**more)).trigger is None


def test_the_name_may_be_left_out():
    source = hot_lead(description="Why", tags=["sales"])
    del source["name"]
    result = judge.compiled(source)
    assert (result.name, result.description, result.tags) == ("Untitled graph", "Why", ("sales",))


def test_what_an_editor_adds_for_itself_is_left_to_it():
    """React Flow's JSON is taken as it is, with positions, styles, viewport and the label in the data."""
    looks = {"position": {"x": 1, "y": 2}, "measured": {"width": 3}, "selected": True, "style": {}, "width": 9, "height": 9, "label": "x"}
    drawn = {
        "sourceHandle": None,
        "targetHandle": "a",
        "animated": True,
        "markerEnd": {"type": "arrow"},
        "type": "smoothstep",
        "label": "y",
    }
    source = {
        "nodes": [{**node("a", "start", label="Begin"), **looks}, {**node("b", "delay", ms=1, label="Pause"), **looks, "dragging": False}],
        "edges": [{**edges(("a", "b"))[0], **drawn}],
        "viewport": {"x": 0, "y": 0, "zoom": 1},
    }
    nodes = judge.nodes(source)
    assert [(found.name, dict(found.config), found.needs) for found in nodes.values()] == [("Begin", {}, ()), ("Pause", {"ms": 1}, ("a",))]


def test_a_custom_task_keeps_its_label():
    (found,) = judge.nodes(a_graph(node("a", "task_a", label="mine"))).values()
    assert (found.name, found.config) == ("", {"label": "mine"})


def test_text_and_mapping_compile_to_the_same():
    assert judge.compiled(json.dumps(hot_lead())) == judge.compiled(hot_lead())
    assert DIALECTS["graph"] is nodes_edges.compile
    assert judge.compiled(hot_lead()).params_schema["additionalProperties"] is True


def test_conditions_read_the_payload_at_the_root_and_templates_by_its_name():
    """CONTRACT.md section 5: `{{ payload.field }}` in strings, `{"var": "field"}` in JSONLogic."""
    nodes = judge.nodes(
        a_graph(
            node("a", value="{{ payload.lead.title }}"),
            {**node("b", logic={"var": "lead.title"}), "run_if": {"==": [{"var": "a.output"}, {"var": "a.name"}]}},
            node("c", "branch", cases=CASES),
            node("gift"),
            node("drip"),
            edges=edges(("a", "b"), ("b", "c")),
        )
    )
    assert nodes["a"].config == {"value": "{{ payload.lead.title }}"}
    assert nodes["b"].config == {"logic": {"var": "payload.lead.title"}}
    assert nodes["b"].run_if == {"==": [{"var": "a.output"}, {"var": "payload.a.name"}]}
    assert nodes["b"].references == ("a",)
    assert nodes["c"].config["cases"][0] == {**CASES[0], "condition": {"==": [{"var": "payload.lead.title"}, "CEO"]}}
    assert nodes["c"].config["cases"][1] == CASES[1]


def test_what_a_map_does_reads_its_element_and_the_payload():
    do = {
        "action": "transform",
        "with": {"logic": {"cat": [{"var": "item.x"}, {"var": "index"}, {"var": "lead"}]}},
        "run_if": {"var": "item"},
    }
    body = judge.nodes(a_graph(node("a", "map", items="{{ payload.rows }}", do=do)))["a"].body
    assert body.config["logic"] == {"cat": [{"var": "item.x"}, {"var": "index"}, {"var": "payload.lead"}]}
    assert body.run_if == {"var": "item"}


def test_the_condition_of_a_wait_is_over_the_event_it_waits_for():
    match = {"==": [{"var": "order.id"}, 3]}
    assert judge.nodes(a_graph(node("a", "wait_for_event", match=match)))["a"].config["match"] == match


START, A, B = node("s", "start"), node("a"), node("b")


@pytest.mark.parametrize(
    ("graph", "path", "owner", "message"),
    [
        (a_graph(A, B, edges=edges("ab", "ba")), "nodes[0]", "a", "the nodes wait for each other: a -> b -> a"),
        (a_graph(A, edges=edges("aa")), "nodes[0]", "a", "needs itself: a -> a"),
        (a_graph(A, B, A), "nodes[2].id", "a", "the id 'a' is taken: nodes[0] has it too"),
        (a_graph({"type": "start"}), "nodes[0].id", "", "'id' is missing"),
        (a_graph(node("")), "nodes[0].id", "", "a node needs an id"),
        (a_graph(node("a b")), "nodes[0].id", "a b", "use letters, digits"),
        (a_graph(node("payload")), "nodes[0].id", "payload", "reserved"),
        (a_graph({"id": "a"}), "nodes[0].type", "a", "'type' is missing"),
        (a_graph(node("a", "http")), "nodes[0].type", "a", "there is no node type 'http'"),
        (a_graph(node("a", "dely")), "nodes[0].type", "a", "did you mean 'delay'?"),
        (a_graph(A, edges=edges("az")), "edges[0].target", "z", "edge 'e0' ends at 'z', which does not exist"),
        (a_graph(A, edges=edges("za")), "edges[0].source", "z", "edge 'e0' begins at 'z', which does not exist"),
        (a_graph(A, edges=[{"source": "a", "target": "aa"}]), "edges[0].target", "aa", "the edge from 'a' to 'aa' ends"),
        (a_graph(A, B, edges=[*edges("ab"), *edges("ab")]), "edges[1].id", "", "the id 'e0' is taken: edges[0] has it too"),
        (a_graph(START, node("t", "start"), A), "nodes[1].type", "t", "there are two start nodes, 's' and 't'"),
        (a_graph(START, A, B, edges=edges("sa")), "nodes[2]", "b", "no edge leads to node 'b': draw one, or remove the node"),
        (
            a_graph(node("a", "branch", cases=[{"else": True, "next": "z"}])),
            "nodes[0].data.cases[0].next",
            "a",
            "'z', which does not exist",
        ),
        (a_graph(node("a", "branch", cases=[{"next": "b"}]), B), "nodes[0].data.cases[0]", "a", "either a 'condition' or 'else: true'"),
        (a_graph(), "nodes", "", "there are no nodes: a workflow needs at least one"),
        (a_graph(node("a", "delay", ms=-1)), "nodes[0].data.ms", "a", "greater than or equal to 0"),
        (a_graph(node("a", "delay", ms=366 * 86_400_000 + 1)), "nodes[0].data.ms", "a", "less than or equal to"),
        (a_graph({**A, "data": []}), "nodes[0].data", "a", "must be a valid dictionary"),
        (a_graph({**A, "timeout": "x"}), "nodes[0].timeout", "a", "must be a valid number"),
        (a_graph({**A, "dat": {}}), "nodes[0].dat", "a", "did you mean 'data'?"),
        (a_graph(A, edges=[{"source": "a"}]), "edges[0].target", "", "'target' is missing"),
        (a_graph(A, edges=[{"source": "a", "target": 3}]), "edges[0].target", "", "must be a valid string, not 3"),
        (a_graph(A, edges=[{"sorce": "a", "source": "a", "target": "a"}]), "edges[0].sorce", "", "did you mean 'source'?"),
        (a_graph(A, edges=["a"]), "edges[0]", "", "must be a valid dictionary"),
        (a_graph("a"), "nodes[0]", "", "must be a valid dictionary"),
        (a_graph(A, trigger={"=>": [1, 2]}), "trigger", "", "there is no operation '=>'"),
        (a_graph(A, node("b", value="{{ a.output }}")), "nodes[1].data.value", "b", "not upstream of 'b': draw an edge from 'a'"),
        (a_graph(node("b", logic={"var": "a.output"}), A), "nodes[0].data.logic", "b", "node 'a' is not upstream"),
        (a_graph(node("b", logic={"vr": "a"})), "nodes[0].data.logic", "b", "there is no operation 'vr'"),
        (a_graph({**A, "run_if": {"var": "secrets.T"}}), "nodes[0].run_if", "a", "a condition cannot read secrets"),
        (a_graph({**A, "run_if": {"vr": "a"}}), "nodes[0].run_if", "a", "did you mean 'var'?"),
        (a_graph(A, triger={}), "triger", "", "did you mean 'trigger'?"),
        ({"name": "x"}, "nodes", "", "'nodes' is missing"),
        ({"nodes": {}}, "nodes", "", "must be a valid list"),
        ({"nodes": [A], "edges": {}}, "edges", "", "must be a valid list"),
    ],
)
def test_a_refusal_names_the_node_and_the_field(graph, path, owner, message):
    """CONTRACT.md section 5: what cannot run is refused when it is saved."""
    judge.refuses(graph, path, owner, message)


def test_what_is_no_mapping_is_refused():
    assert "a graph is a mapping with 'nodes' and 'edges'" in judge.only("[]").message


def test_many_dangling_edges_are_answered_soon():
    nodes = [node(f"n{i}") for i in range(2_000)]
    assert len(judge.problems(a_graph(*nodes, edges=edges(*((f"x{i}", f"y{i}") for i in range(5_000)))))) == 100


def test_each_of_many_cases_is_rewritten_and_what_was_sent_stays_as_it_was():
    """Where it stands: a copy of all cases for each of them would take the square of their number."""
    sent = a_graph(
        node("a", "branch", cases=[{"condition": {"==": [{"var": "a"}, index]}, "next": "b"} for index in range(12_000)]), node("b")
    )
    before = json.dumps(sent)
    cases = judge.nodes(sent)["a"].config["cases"]
    assert [case["condition"] for case in cases] == [{"==": [{"var": "payload.a"}, index]} for index in range(12_000)]
    assert json.dumps(sent) == before

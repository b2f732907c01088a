"""How far it is, how long it may still take, whether it is slow."""

import pytest

from tests.factories import NOW, a_definition, a_template, a_workflow, later
from workflows_app.dashboard import progress
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.remaining import longest_path
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow

CHAIN = [
    Node("a", "input"),
    Node("b", "http_call", needs=("a",)),
    Node("side", "input", needs=("a",)),
    Node("c", "output", needs=("b", "side")),
]


def test_the_longest_path_is_the_costliest_not_the_one_with_most_nodes():
    assert longest_path(Definition(tuple(CHAIN)), {"a": 1, "b": 10, "side": 3, "c": 2}) == 13
    assert longest_path(Definition(tuple(CHAIN)), {"side": 3}) == 3
    assert longest_path(Definition(tuple(CHAIN)), {}) == 0


@pytest.fixture
def template(db):
    """Three workflows of it took 600 s: each step 200 s, after one another."""
    made = a_template(definition=a_definition(*CHAIN))
    for _ in range(3):
        done = a_workflow(template=made, statuses={node.id: Status.COMPLETED for node in CHAIN}, ended_at=later(600))
        Step.objects.filter(workflow=done).update(ended_at=later(200))
    return made


def told(workflow: Workflow, *, seconds: float = 0, workers: int = 1) -> progress.Progress:
    statuses = dict(workflow.steps.values_list("node_id", "status"))
    return progress.build(workflow, statuses, progress.known(workflow), workers=workers, now=later(seconds))


def running(template, **changes) -> Workflow:
    return a_workflow(template=template, statuses={"a": Status.COMPLETED, "b": Status.RUNNING, "side": Status.RUNNING}, **changes)


def test_what_is_left_is_told_along_the_longest_path(template):
    workflow = running(template)
    assert told(workflow).eta == "about 7 min left"
    assert told(workflow, seconds=120).eta == "about 5 min left"
    assert told(workflow).usual == "10 min 0 sec"


def test_nothing_is_told_where_nobody_can_know(template):
    workflow = running(template)
    assert told(workflow, workers=0).eta == ""
    assert told(workflow, seconds=300).eta == "", "a step takes longer than usual already"
    assert told(a_workflow()).eta == "", "no template"
    Step.objects.filter(workflow=workflow, node_id="b").update(
        status=Status.WAITING_FOR_DEPENDENCY, waits_for=Step.APPROVAL, worker_id="", lease_expires_at=None
    )
    assert told(workflow).eta == "", "people take as long as they take"


def test_a_step_that_waits_for_a_time_says_itself_how_long(template):
    workflow = running(template)
    Step.objects.filter(workflow=workflow, node_id="b").update(
        status=Status.WAITING_FOR_DEPENDENCY, available_at=later(3_000), worker_id="", lease_expires_at=None
    )
    assert told(workflow).eta == "about 53 min left"


def test_slow_is_half_as_long_again(template):
    workflow = running(template)
    assert not told(workflow, seconds=800).is_slow
    assert told(workflow, seconds=1_000).is_slow
    step = Step.objects.get(workflow=workflow, node_id="b")
    assert progress.is_slow_step(step, 100, now=later(151))
    assert not progress.is_slow_step(step, 100, now=later(149))
    assert not progress.is_slow_step(step, None, now=later(9_999))


def test_a_row_of_the_list_shows_what_is_usual_and_that_it_is_slow(template, reader):
    workflow = running(template, started_at=NOW)
    html = reader.get(f"/workflows/{workflow.uid}?view=list").content.decode()
    assert "(3 min 20 sec)" in html
    assert "slower than usual" in html


@pytest.mark.parametrize(("seconds", "words"), [(0.25, "250 ms"), (5.4, "5 sec"), (130, "2 min 10 sec")])
def test_spans_are_told_in_words(seconds, words):
    assert progress.span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, ""), (0.4, "a few seconds left"), (9.9, "a few seconds left"), (10, "about 10 s left"), (44, "about 40 s left"),
        (89, "about 90 s left"), (90, "about 2 min left"), (5_399, "about 90 min left"), (5_400, "about 2 hr left"),
    ],
)  # fmt: skip
def test_what_is_left_is_rounded_as_people_would(seconds, words):
    assert progress._words(seconds) == words


def test_a_short_step_is_not_slow_for_half_a_second():
    step = Step(status=Status.RUNNING, started_at=NOW)
    assert not progress.is_slow_step(step, 0.2, now=later(1.1))
    assert progress.is_slow_step(step, 0.2, now=later(1.3))


def test_the_tab_says_how_far_it_is_and_then_how_it_ended():
    workflow = Workflow(name="nightly", status=Status.RUNNING, done_steps=3, total_steps=8)
    assert progress.title(workflow) == "3/8 · nightly"
    workflow.status = Status.FAILED
    assert progress.title(workflow) == "✕ nightly"

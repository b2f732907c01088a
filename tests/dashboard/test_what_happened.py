"""The box that says what happened, why, and what can be done."""

import pytest

from tests.dashboard.rows import mapping
from tests.factories import NOW, a_template, a_worker, a_workflow, later
from workflows_app.dashboard import runs_again, steps_table, what_happened
from workflows_app.engine import control, pausing
from workflows_app.graph.definition import Node
from workflows_app.graph.statuses import Status
from workflows_app.models import Step

pytestmark = pytest.mark.django_db


def tell(workflow, *, workers: int = 1) -> what_happened.Story:
    return what_happened.tell(workflow, steps_table.overview(workflow, steps_table.View(), now=NOW), workers=workers, now=NOW)


def verbs(story: what_happened.Story) -> list[str]:
    return [deed.verb for deed in story.deeds]


def test_a_failure_names_the_step_its_reason_what_it_blocked_and_offers_a_retry():
    nodes = [Node("load", "http_call"), Node("report", "output", needs=("load",)), Node("notify", "output", needs=("load",))]
    workflow = a_workflow(*nodes, statuses={"load": Status.FAILED, "report": Status.STOPPED, "notify": Status.STOPPED})
    Step.objects.filter(node_id="load").update(error="HTTP 504", attempt=3)
    story = tell(workflow)
    assert (story.what, story.why) == ("load failed after 3 attempts", "HTTP 504")
    assert story.now_what == "2 steps did not run because of it: report and notify."
    assert [deed.words for deed in story.deeds] == ["Retry load and 2 below", "Edit parameters & retry…", "Run again"]
    assert story.deeds[0].is_first_choice
    assert story.deeds[0].runs == "Runs 3 steps again: load, report and notify."


def test_the_first_of_several_failures_is_told_and_the_others_are_counted():
    workflow = a_workflow(Node("a", "input"), Node("b", "input"), statuses={"a": Status.FAILED, "b": Status.FAILED})
    Step.objects.filter(node_id="b").update(ended_at=later(1), error="first")
    story = tell(workflow)
    assert story.what == "b failed after 1 attempt, and 1 other step too"
    assert [(deed.words, deed.from_step) for deed in story.deeds[:2]] == [("Retry all 2 failed steps", ""), ("Retry b", "b")]
    assert story.deeds[1].runs == "Runs 1 step again: b. 1 step stays as it is."


def test_what_a_retry_says_it_runs_is_what_it_runs():
    nodes = [Node("a", "input"), Node("b", "input"), Node("c", "output", needs=("b",))]
    workflow = a_workflow(*nodes, statuses={"a": Status.COMPLETED, "b": Status.FAILED, "c": Status.STOPPED})
    said = runs_again.in_order(workflow)
    control.retry(uid=workflow.uid, now=NOW)
    assert said == [step.node_id for step in workflow.steps.order_by("position") if step.status != Status.COMPLETED]


def test_success_says_how_long_it_took_and_what_was_forgiven():
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    Step.objects.filter(node_id="fetch").update(status=Status.FAILED)
    story = tell(workflow)
    assert story.what == "Completed in 10 sec"
    assert "fetch failed, which this workflow allows" in story.why
    assert verbs(story) == ["rerun"]


def test_other_parameters_are_asked_for_where_the_template_has_a_form_and_where_a_step_failed():
    template = a_template("nightly")
    done = a_workflow(template=template, statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    failed = a_workflow(template=template, statuses={"fetch": Status.FAILED, "shape": Status.STOPPED})
    assert verbs(tell(done)) == ["start-edited", "rerun"]
    assert tell(done).deeds[0].url == f"/templates/nightly/start?from={done.uid}"
    assert [deed.url for deed in tell(failed).deeds] == [
        "", f"/workflows/{failed.uid}/retry-with?step=fetch", f"/templates/nightly/start?from={failed.uid}", "",
    ]  # fmt: skip


def test_a_failed_one_whose_steps_all_went_well_says_its_own_error():
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED}, status=Status.FAILED, error="no room")
    story = tell(workflow)
    assert (story.what, story.why, verbs(story)) == ("Failed", "no room", ["rerun"])


def test_what_people_are_asked_comes_before_what_else_is_held():
    workflow = a_workflow(Node("pause", "delay"), Node("ask", "approval"))
    Step.objects.update(status=Status.WAITING_FOR_DEPENDENCY, attempt=1, available_at=later(90), metadata={"waitingFor": "a delay"})
    Step.objects.filter(node_id="ask").update(waits_for=Step.APPROVAL, available_at=None)
    story = tell(workflow)
    assert (story.decide, tell(workflow, workers=0).decide) == ("ask", "ask")
    assert story.why.startswith("ask waits for")
    assert tell(a_workflow(statuses={"fetch": Status.RUNNING})).decide == ""


def test_a_stopped_one_can_be_resumed():
    story = tell(a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.STOPPED}))
    assert story.what == "Stopped with 1 of 2 steps done"
    assert verbs(story) == ["resume", "rerun"]


def test_a_running_one_names_what_runs_and_can_be_stopped():
    story = tell(a_workflow(statuses={"fetch": Status.RUNNING}))
    assert (story.what, story.why) == ("Running · 0 of 2 steps done", "Now: fetch.")
    assert verbs(story) == ["stop"]


def test_a_running_one_does_not_hide_what_has_failed_already():
    workflow = a_workflow(Node("a", "input"), Node("b", "input"), statuses={"a": Status.FAILED, "b": Status.RUNNING})
    assert tell(workflow).what == "Running · 0 of 2 steps done, 1 failed"


def test_without_a_worker_it_says_why_nothing_starts():
    assert tell(a_workflow(), workers=0).what.startswith("Nothing can run: no worker is alive")


def test_what_waits_says_for_what():
    workflow = a_workflow(Node("pause", "delay"))
    Step.objects.update(status=Status.WAITING_FOR_DEPENDENCY, attempt=1, available_at=later(90), metadata={"waitingFor": "a delay of 90 s"})
    assert tell(workflow).why == "pause waits for a delay of 90 s, until 12:01:30 UTC."


def test_a_pause_is_told_of_what_waits_and_of_what_still_runs():
    a_worker()
    waiting = a_workflow()
    running = a_workflow(Node("a", "delay"), Node("b", "delay"), statuses={"a": Status.RUNNING})
    pausing.pause(reason="deploying", now=NOW)
    assert tell(waiting).why == "fetch waits for the queue, which is paused since 2026-11-21 12:00:00 UTC (deploying)."
    assert tell(running).why == "Now: a. The queue is paused since 2026-11-21 12:00:00 UTC (deploying): nothing else starts."


def test_a_workflow_without_a_place_says_so_as_a_whole():
    held = a_workflow(Node("a", "input"), statuses={"a": Status.WAITING_FOR_DEPENDENCY}, status=Status.WAITING_FOR_DEPENDENCY)
    assert tell(held).why.startswith("It waits for a place: as many workflows run as MAX_CONCURRENT_WORKFLOWS allows")


def test_a_map_whose_elements_are_held_up_says_by_what():
    a_worker()
    workflow = mapping([Status.COMPLETED, Status.PENDING])
    assert tell(workflow).why.endswith("fetch[1] waits for a free worker, and 1 more step.")
    pausing.pause(now=NOW)
    assert "fetch[1] waits for the queue, which is paused" in tell(workflow).why


def test_one_that_waits_for_another_workflow_leads_to_it():
    parent = a_workflow(Node("refund", "sub_workflow"), statuses={"refund": Status.WAITING_FOR_DEPENDENCY})
    Step.objects.filter(workflow=parent).update(waits_for=Step.WORKFLOW, available_at=later(60))
    step = Step.objects.get(workflow=parent)
    a_workflow(name="earlier try", parent=parent, parent_step=step)
    child = a_workflow(name="Refund", parent=parent, parent_step=step)
    story = tell(parent)
    assert [(deed.words, deed.url) for deed in story.deeds] == [("Open Refund", f"/workflows/{child.uid}"), ("Stop", "")]

"""The workflow as JSON."""

from __future__ import annotations

import pytest

from tests.factories import NOW, a_log_line, a_step, a_template, a_worker, a_workflow, an_attempt, later
from workflows_app.engine import report
from workflows_app.engine.errors import StepNotFound, WorkflowNotFound
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db
FAN = (Node("a", "input"), Node("b", "input"), Node("join", "output", needs=("a", "b"), name="Join them"))


def test_a_new_workflow_has_every_key_of_the_contract_and_no_other() -> None:
    shown = report.workflow(a_workflow().uid, now=NOW)
    assert set(shown) == {
        "id", "name", "status", "steps", "createdAt", "updatedAt", "description", "tags", "progress", "parentId", "branches", "metrics",
        "templateId", "templateVersion", "params", "startTime", "endTime", "duration", "error", "metadata",
    }  # fmt: skip
    assert set(shown["steps"][0]) == {
        "id", "name", "action", "status", "dependencies", "outputs", "error", "startTime", "endTime", "duration", "logs", "metadata",
        "attempts", "maxAttempts", "availableAt", "waitingFor",
    }  # fmt: skip


def test_times_are_iso_8601_in_utc_with_offset_and_durations_are_words() -> None:
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    shown = report.workflow(workflow.uid, now=NOW)
    assert shown["createdAt"] == "2026-11-21T12:00:00+00:00"
    assert (shown["startTime"], shown["endTime"], shown["duration"]) == ("2026-11-21T12:00:00+00:00", "2026-11-21T12:00:10+00:00", "10 sec")
    assert shown["steps"][0]["duration"] == "2 sec"


def test_a_running_workflow_has_lasted_until_now() -> None:
    workflow = a_workflow(statuses={"fetch": Status.RUNNING})
    shown = report.workflow(workflow.uid, now=later(90))
    assert (shown["duration"], shown["endTime"]) == ("1 min 30 sec", None)
    assert shown["steps"][0]["duration"] == "1 min 30 sec"


def test_a_workflow_that_did_not_start_has_no_duration() -> None:
    shown = report.workflow(a_workflow().uid, now=later(90))
    assert (shown["status"], shown["duration"], shown["startTime"]) == ("PENDING", None, None)


def test_progress_is_whole_per_cent_of_done_steps() -> None:
    workflow = a_workflow(*FAN, statuses={"a": Status.COMPLETED, "b": Status.COMPLETED})
    assert report.workflow(workflow.uid, now=NOW)["progress"] == 66


def test_the_public_id_is_the_uid_and_no_row_number_leaves() -> None:
    parent = a_workflow()
    child = a_workflow(parent=parent)
    shown = report.workflow(str(child.uid), now=NOW)
    assert (shown["id"], shown["parentId"]) == (str(child.uid), str(parent.uid))
    assert "pk" not in shown and "seq" not in shown


def test_a_workflow_names_its_template_and_the_version_it_is_pinned_to() -> None:
    shown = report.workflow(a_workflow(template=a_template("etl", version=3)).uid, now=NOW)
    assert (shown["templateId"], shown["templateVersion"]) == ("etl", 3)


def test_an_inline_workflow_names_no_template() -> None:
    shown = report.workflow(a_workflow().uid, now=NOW)
    assert (shown["templateId"], shown["templateVersion"]) == (None, None)


@pytest.mark.parametrize("uid", ["", "1", "nonsense", "\0", "9e107d9d-3720-4b1c-8a2e-000000000000", "../etc", "١" * 32])
def test_an_unknown_or_malformed_id_is_not_found(uid: str) -> None:
    with pytest.raises(WorkflowNotFound, match=r"^Workflow with ID .* not found$"):
        report.workflow(uid)


def test_steps_come_in_the_authors_order_with_names_and_dependencies() -> None:
    steps = report.workflow(a_workflow(*FAN).uid, now=NOW)["steps"]
    assert [(s["id"], s["name"], s["dependencies"]) for s in steps] == [("a", "a", []), ("b", "b", []), ("join", "Join them", ["a", "b"])]


def test_a_waiting_step_names_the_steps_it_waits_for_and_how_they_are() -> None:
    workflow = a_workflow(*FAN, statuses={"a": Status.COMPLETED, "b": Status.RUNNING})
    join = report.workflow(workflow.uid, now=NOW)["steps"][2]
    assert join["waitingFor"] == [{"kind": "step", "id": "b", "at": None, "text": "step b, which is RUNNING"}]


def test_a_due_step_waits_for_a_worker() -> None:
    a_worker()
    assert report.workflow(a_workflow().uid, now=NOW)["steps"][0]["waitingFor"][0]["text"] == "a free worker"


def test_a_step_that_will_be_tried_again_says_when() -> None:
    workflow = a_workflow(Node("a", "http_call", retry=RetryPolicy(retries=4)))
    workflow.steps.update(attempt=1, failures=1, available_at=later(8))
    step = report.workflow(workflow.uid, now=NOW)["steps"][0]
    assert (step["availableAt"], step["attempts"], step["maxAttempts"]) == ("2026-11-21T12:00:08+00:00", 1, 5)
    assert step["waitingFor"] == [
        {"kind": "time", "id": None, "at": "2026-11-21T12:00:08+00:00", "text": "attempt 2 of 5, due at 2026-11-21T12:00:08+00:00"}
    ]


def test_a_step_on_a_timer_says_what_the_action_said() -> None:
    workflow = a_workflow(Node("a", "delay"), statuses={"a": Status.WAITING_FOR_DEPENDENCY})
    workflow.steps.update(available_at=later(60), metadata={"waitingFor": "a delay of 60 s"})
    step = report.workflow(workflow.uid, now=NOW)["steps"][0]
    assert step["waitingFor"] == [{"kind": "time", "id": None, "at": "2026-11-21T12:01:00+00:00", "text": "a delay of 60 s"}]


def test_a_step_without_dependency_or_time_waits_for_an_answer() -> None:
    workflow = a_workflow(Node("a", "delay"), statuses={"a": Status.WAITING_FOR_DEPENDENCY})
    workflow.steps.update(attempt=1)
    assert report.workflow(workflow.uid, now=NOW)["steps"][0]["waitingFor"][0]["kind"] == "answer"


def test_a_running_or_ended_step_waits_for_nothing() -> None:
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.RUNNING})
    assert [step["waitingFor"] for step in report.workflow(workflow.uid, now=NOW)["steps"]] == [[], []]


def test_the_setting_decides_how_often_a_step_without_a_policy_is_tried(settings: object) -> None:
    env = settings.ENV.model_copy(update={"retry_max_retries": 6})  # type: ignore[attr-defined]
    settings.ENV = env  # type: ignore[attr-defined]
    assert report.workflow(a_workflow().uid, now=NOW)["steps"][0]["maxAttempts"] == 7


def test_a_skipped_step_is_stopped_and_says_why() -> None:
    workflow = a_workflow(Node("a", "input"), statuses={"a": Status.STOPPED})
    workflow.steps.update(is_skipped=True, metadata={"reason": "the branch chose b"})
    step = report.workflow(workflow.uid, now=NOW)["steps"][0]
    assert (step["status"], step["metadata"]) == ("STOPPED", {"skipped": True, "reason": "the branch chose b"})


def test_every_decision_of_a_branch_is_listed() -> None:
    workflow = a_workflow(Node("decide", "branch"), Node("other", "branch"), statuses={"decide": Status.COMPLETED})
    workflow.steps.filter(node_id="decide").update(metadata={"case": "many", "next": ["big"]})
    assert report.workflow(workflow.uid, now=NOW)["branches"] == [{"step": "decide", "case": "many", "next": ["big"]}]


def test_logs_are_lines_in_order_across_attempts() -> None:
    workflow = a_workflow(Node("a", "input"))
    step = workflow.steps.get()
    a_log_line(step, "first", at=later(1))
    a_log_line(step, "second", level="ERROR", at=later(2))
    a_log_line(step, "again", attempt=2, at=later(3))
    assert report.workflow(workflow.uid, now=NOW)["steps"][0]["logs"] == [
        "2026-11-21T12:00:01+00:00 INFO first",
        "2026-11-21T12:00:02+00:00 ERROR second",
        "2026-11-21T12:00:03+00:00 INFO again",
    ]


def test_a_talkative_step_shows_its_latest_lines_and_how_many_are_left_out() -> None:
    workflow = a_workflow(Node("a", "input"), Node("b", "input"))
    loud, quiet = workflow.steps.order_by("position")
    for number in range(7):
        a_log_line(loud, f"line {number}")
    a_log_line(quiet, "only one")
    shown = report.workflows(Workflow.objects.all(), now=NOW, lines_per_step=3)[0]["steps"]
    assert shown[0]["logs"][0].startswith("… 4 earlier lines")
    assert [line[-6:] for line in shown[0]["logs"][1:]] == ["line 4", "line 5", "line 6"]
    assert len(shown[1]["logs"]) == 1


def test_metrics_count_statuses_attempts_and_retries() -> None:
    workflow = a_workflow(*FAN, statuses={"a": Status.COMPLETED, "b": Status.FAILED, "join": Status.STOPPED})
    workflow.steps.filter(node_id="b").update(attempt=3)
    metrics = report.workflow(workflow.uid, now=NOW)["metrics"]
    assert metrics["statuses"] == {"PENDING": 0, "RUNNING": 0, "COMPLETED": 1, "FAILED": 1, "WAITING_FOR_DEPENDENCY": 0, "STOPPED": 1}
    assert (metrics["steps"], metrics["attempts"], metrics["retries"], metrics["skipped"]) == (3, 5, 2, 0)


def test_metrics_tell_time_in_the_queue_from_time_at_work() -> None:
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED, "shape": Status.COMPLETED})
    workflow.steps.filter(node_id="fetch").update(started_at=later(1), ended_at=later(4))
    workflow.steps.filter(node_id="shape").update(started_at=later(6), ended_at=later(10))
    metrics = report.workflow(workflow.uid, now=NOW)["metrics"]
    assert (metrics["totalSeconds"], metrics["runSeconds"], metrics["queuedSeconds"]) == (10.0, 7.0, 3.0)


def test_a_page_costs_the_same_number_of_queries_for_one_row_and_for_twenty(django_assert_num_queries: object) -> None:
    for size in range(20):
        workflow = a_workflow(*(Node(f"n{size}-{i}", "input") for i in range(size % 5 + 1)), template=None)
        a_log_line(workflow.steps.first())
    with django_assert_num_queries(8):  # type: ignore[operator]
        assert len(report.workflows(Workflow.objects.newest_first()[:1])) == 1
    with django_assert_num_queries(8):  # type: ignore[operator]
        assert len(report.workflows(Workflow.objects.newest_first())) == 20


def test_a_step_alone_has_its_attempts_in_order() -> None:
    workflow = a_workflow(statuses={"fetch": Status.COMPLETED})
    step = workflow.steps.get(node_id="fetch")
    an_attempt(step, number=1, outcome="retried", error="HTTP 503", ended_at=later(1))
    an_attempt(step, number=2)
    shown = report.step(workflow.uid, "fetch", now=NOW)
    assert [(a["number"], a["outcome"], a["error"], a["duration"]) for a in shown["attemptHistory"]] == [
        (1, "retried", "HTTP 503", "1 sec"),
        (2, "completed", None, "2 sec"),
    ]


def test_a_step_alone_still_knows_what_it_waits_for() -> None:
    workflow = a_workflow()
    assert report.step(workflow.uid, "shape", now=NOW)["waitingFor"][0]["id"] == "fetch"


@pytest.mark.parametrize("step_id", ["", "missing", "fe\0tch", "\ud800"])
def test_an_unknown_step_is_not_found(step_id: str) -> None:
    workflow = a_workflow()
    with pytest.raises(StepNotFound):
        report.step(workflow.uid, step_id)
    with pytest.raises(StepNotFound):
        report.log_lines(workflow.uid, step_id)


def test_log_lines_come_by_cursor_and_number_from_one() -> None:
    workflow = a_workflow(Node("a", "input"), Node("b", "input"))
    for step in workflow.steps.all():
        for number in range(1, 6):
            a_log_line(step, f"{step.node_id}{number}")
    first = report.log_lines(workflow.uid, "b", limit=2)
    assert [(line["number"], line["message"]) for line in first["lines"]] == [(1, "b1"), (2, "b2")]
    rest = report.log_lines(workflow.uid, "b", after=first["next"])
    assert [line["message"] for line in rest["lines"]] == ["b3", "b4", "b5"]
    assert report.log_lines(workflow.uid, "b", after=rest["next"]) == {"lines": [], "next": 5}


def test_a_level_hides_lines_below_it_and_keeps_their_numbers() -> None:
    workflow = a_workflow(Node("a", "input"))
    for level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        a_log_line(workflow.steps.get(), level, level=level)
    lines = report.log_lines(workflow.uid, "a", level="WARNING")["lines"]
    assert [(line["number"], line["level"]) for line in lines] == [(3, "WARNING"), (4, "ERROR")]


def test_steps_of_other_workflows_do_not_show() -> None:
    workflow = a_workflow(Node("a", "input"))
    a_step(a_workflow(Node("x", "input")), Node("y", "input"), position=1)
    assert [step["id"] for step in report.workflow(workflow.uid, now=NOW)["steps"]] == ["a"]

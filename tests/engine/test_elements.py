"""Elements of a map: one step each, results in order, so many at once, failures by policy (CONTRACT.md section 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.oracle import judge
from tests.engine.rival import claim_as, registered
from tests.engine.stage import NEVER, Stage, log_of, node, outcomes, statuses, step
from workflows_app.engine import control, elements
from workflows_app.engine.recovery import take_back
from workflows_app.graph.definition import Node, RetryPolicy
from workflows_app.graph.statuses import ACTIVE, Status
from workflows_app.models import Attempt, Step, Workflow

OTHER = "d" * 32
TWICE = RetryPolicy(retries=1)


def body(action: str = "echo", **changes: Any) -> Node:
    return Node("each", action, **{"retry": NEVER, "config": {"value": "{{ item }}"}, **changes})


def mapped(items: Any, do: Node | None = None, **config: Any) -> Node:
    own = {key: config.pop(key) for key in list(config) if key in {"needs", "timeout_seconds", "references", "on_failure"}}
    return Node("each", "map", config={"items": items, **config}, body=do or body(), retry=NEVER, **own)


def elements_of(workflow: Workflow) -> list[Step]:
    return list(Step.objects.filter(workflow=workflow, parent__isnull=False).order_by("position"))


def output(workflow: Workflow, id: str = "each") -> Any:
    return step(workflow, id).output


def test_results_come_back_in_the_order_of_the_list(stage: Stage) -> None:
    workflow = stage.run(mapped([3, 1, 2]))
    assert workflow.status == Status.COMPLETED
    assert output(workflow)["results"] == [3, 1, 2]
    assert [row.node_id for row in elements_of(workflow)] == ["each[0]", "each[1]", "each[2]"]
    judge(workflow)


def test_each_element_is_a_step_with_attempts_and_a_log_of_its_own(stage: Stage) -> None:
    flaky = body("flaky", config={"times": 1}, retry=RetryPolicy(retries=2, initial_delay=1))
    workflow = stage.run(mapped(["a"], flaky))
    assert outcomes(workflow, "each[0]") == ["retried", "completed"]
    assert "Next try" in log_of(workflow, "each[0]")
    assert outcomes(workflow, "each") == ["completed"], "the map itself is one attempt, however long it waits"


def test_an_element_sees_itself_its_place_and_what_its_body_reads(stage: Stage) -> None:
    do = body(config={"value": "{{ index }}: {{ item.name }} of {{ shop.output }} for {{ params.who }}"}, references=("shop",))
    shop = node("shop", config={"value": "Aster"})
    workflow = stage.run(shop, mapped([{"name": "pen"}, {"name": "ink"}], do, needs=("shop",)), params={"who": "Ada"})
    assert output(workflow)["results"] == ["0: pen of Aster for Ada", "1: ink of Aster for Ada"]


def test_elements_are_in_no_counter_of_the_workflow(stage: Stage) -> None:
    workflow = stage.run(mapped(list(range(5))), node("after", "echo", "each"))
    assert (workflow.total_steps, workflow.done_steps, workflow.failed_steps, workflow.active_steps) == (2, 2, 0, 0)


def test_an_empty_list_is_done_at_once(stage: Stage) -> None:
    workflow = stage.run(mapped([]))
    assert output(workflow) == {"results": [], "count": 0, "succeeded": 0, "failed": 0, "skipped": 0, "errors": []}
    assert elements_of(workflow) == []


@pytest.mark.parametrize(("items", "said"), [("{{ params.x }}", "it is a text"), ({"a": 1}, "it is an object"), (None, "it is null")])
def test_what_is_no_list_fails_the_step_and_says_what_it_is(stage: Stage, items: Any, said: str) -> None:
    workflow = stage.run(mapped(items), params={"x": "text"})
    assert workflow.status == Status.FAILED and said in step(workflow, "each").error


@pytest.mark.parametrize("limit", [1, 3])
def test_at_most_so_many_elements_are_begun_at_once(stage: Stage, limit: int) -> None:
    workflow = stage.start(mapped(list(range(10)), body("delay", config={"seconds": 10}), limit=limit))
    seen = []
    for _ in range(40):
        stage.drain()
        begun = [row for row in elements_of(workflow) if row.status in ACTIVE and row.waits_for != Step.TURN]
        seen.append(len(begun))
        if not stage.to_next_timer():
            break
    workflow.refresh_from_db()
    assert workflow.status == Status.COMPLETED
    assert max(seen) == limit
    assert output(workflow)["succeeded"] == 10


def fails_on() -> Node:
    """An element fails for good as often as it says."""
    return Node("each", "flaky", config={"times": "{{ item }}", "how": "fail"}, retry=NEVER)


def test_fail_fast_starts_no_further_element_and_names_the_failure(stage: Stage) -> None:
    workflow = stage.run(mapped([0, 1, 0, 0, 0, 0], fails_on(), limit=1))
    assert workflow.status == Status.FAILED
    assert "[1] for good" in step(workflow, "each").error
    found = [row.status for row in elements_of(workflow)]
    assert found[:2] == [Status.COMPLETED, Status.FAILED] and set(found[2:]) == {Status.STOPPED}
    assert [row.claimed_at for row in elements_of(workflow)[2:]] == [None] * 4, "another was begun after the failure"
    judge(workflow)


def test_a_failure_also_ends_elements_that_wait_for_their_next_try(stage: Stage) -> None:
    again = RetryPolicy(retries=3, initial_delay=60, jitter=False)
    do = Node("each", "flaky", config={"times": 1, "how": "{{ item }}"}, retry=again)
    workflow = stage.run(mapped(["retry", "fail"], do))
    assert workflow.status == Status.FAILED
    assert outcomes(workflow, "each[0]") == ["retried"] and outcomes(workflow, "each[1]") == ["failed"]
    judge(workflow)


def test_fail_at_end_runs_all_and_then_fails(stage: Stage) -> None:
    workflow = stage.run(mapped([0, 1, 0, 1], fails_on(), failures="fail_at_end"))
    assert workflow.status == Status.FAILED and "2 of 4 elements failed" in step(workflow, "each").error
    assert [row.status for row in elements_of(workflow)] == ["COMPLETED", "FAILED", "COMPLETED", "FAILED"]


def test_tolerate_gives_null_for_what_failed_and_lists_the_errors(stage: Stage) -> None:
    workflow = stage.run(mapped([0, 1, 0], fails_on(), failures="tolerate"))
    assert workflow.status == Status.COMPLETED
    found = output(workflow)
    assert found["results"] == [1, None, 1] and found["errors"] == [{"index": 1, "error": "for good"}]


def test_an_element_that_a_condition_rules_out_gives_null(stage: Stage) -> None:
    workflow = stage.run(mapped([1, 2, 3], body(run_if={">": [{"var": "item"}, 1]})))
    assert output(workflow)["results"] == [None, 2, 3] and output(workflow)["skipped"] == 1


def test_what_needs_a_map_reads_its_results(stage: Stage) -> None:
    after = node("after", "echo", "each", config={"value": "{{ each.output.results[-1] }}"}, references=("each",))
    assert output(stage.run(mapped(["a", "b"]), after), "after") == "b"


def test_a_stop_stops_the_elements_too(stage: Stage) -> None:
    workflow = stage.start(mapped([1, 2, 3], body("delay", config={"seconds": 60}), limit=2))
    stage.drain()
    workflow = stage.stop(workflow)
    assert {row.status for row in elements_of(workflow)} == {Status.STOPPED}
    assert not Step.objects.filter(waits_for__isnull=False).exists()
    judge(workflow)


def test_a_retry_runs_only_the_elements_that_failed(stage: Stage) -> None:
    workflow = stage.run(mapped([0, 1, 0], fails_on(), failures="fail_at_end"))
    assert workflow.status == Status.FAILED
    control.retry(uid=workflow.uid, now=stage.now)
    workflow = stage.play(workflow)
    assert workflow.status == Status.COMPLETED and output(workflow)["succeeded"] == 3
    assert [len(outcomes(workflow, f"each[{index}]")) for index in range(3)] == [1, 2, 1]
    judge(workflow)


def test_a_retry_from_the_map_runs_all_its_elements_again(stage: Stage) -> None:
    workflow = stage.run(mapped([7, 8]))
    control.retry(uid=workflow.uid, now=stage.now, from_step="each")
    workflow = stage.play(workflow)
    assert output(workflow)["results"] == [7, 8]
    assert [len(outcomes(workflow, f"each[{index}]")) for index in range(2)] == [2, 2]


def test_a_retry_with_a_shorter_list_leaves_the_others_out(stage: Stage) -> None:
    workflow = stage.run(mapped("{{ params.list }}"), params={"list": [1, 2, 3]})
    control.retry(uid=workflow.uid, now=stage.now, from_step="each", params={"list": [9]})
    assert output(stage.play(workflow))["results"] == [9]
    assert [row.node_id for row in elements_of(workflow)] == ["each[0]"]


def test_a_resumed_workflow_goes_on_with_the_elements_that_were_left(stage: Stage) -> None:
    workflow = stage.start(mapped([0, 60], Node("each", "delay", config={"seconds": "{{ item }}"}, retry=NEVER)))
    stage.drain()
    stage.stop(workflow)
    control.resume(uid=workflow.uid, now=stage.now)
    workflow = stage.play(workflow)
    assert workflow.status == Status.COMPLETED
    assert outcomes(workflow, "each[0]") == ["completed"] and outcomes(workflow, "each[1]") == ["stopped", "completed"]


def test_the_failure_of_a_map_is_for_good(stage: Stage) -> None:
    """Trying again is for the policy of its elements."""
    assert outcomes(stage.run(replace(mapped([1], fails_on()), retry=TWICE)), "each") == ["failed"]


def test_a_map_that_outlasts_its_own_timeout_fails_and_stops_its_elements(stage: Stage) -> None:
    workflow = stage.run(mapped([1, 2], body("delay", config={"seconds": 600}), failures="tolerate", timeout_seconds=30))
    assert workflow.status == Status.FAILED and "2 of 2 elements had not ended within 30 s" in step(workflow, "each").error
    assert {row.status for row in elements_of(workflow)} == {Status.STOPPED}
    judge(workflow)


def test_an_element_whose_worker_died_runs_again_and_keeps_what_it_waited_for(stage: Stage) -> None:
    workflow = stage.start(mapped([5, 5], body("delay", config={"seconds": "{{ item }}"}, retry=TWICE)))
    stage.drain()
    stage.to_next_timer()
    registered(OTHER, now=stage.now)
    assert {claimed.node_id for claimed in claim_as(OTHER, now=stage.now, slots=1)} <= {"each[0]", "each[1]"}
    assert take_back(now=stage.now) == 1
    workflow = stage.play(workflow)
    assert output(workflow)["results"] == [{"waited_seconds": 5}] * 2
    judge(workflow)


def test_a_map_whose_worker_died_while_it_gathered_gathers_again(stage: Stage) -> None:
    map_node = replace(mapped([5], body("delay", config={"seconds": "{{ item }}"})), retry=TWICE)
    workflow = stage.start(map_node)
    stage.drain()
    Step.objects.filter(workflow=workflow, parent__isnull=False).update(status="COMPLETED", ended_at=stage.now, available_at=None, output=1)
    Step.objects.filter(workflow=workflow, parent__isnull=True).update(open_elements=0, available_at=stage.now)
    registered(OTHER, now=stage.now)
    assert [claimed.elements[0].output for claimed in claim_as(OTHER, now=stage.now)] == [1]
    assert take_back(now=stage.now) == 1
    assert output(stage.play(workflow))["results"] == [1]


def test_ten_thousand_elements(stage: Stage) -> None:
    do = body("transform", config={"value": "{{ item + 1 }}"})
    workflow = stage.run(mapped(list(range(10_000)), do, limit=500))
    assert output(workflow)["results"] == list(range(1, 10_001))
    assert Attempt.objects.filter(step__workflow=workflow).count() == 10_001


def test_one_more_than_ten_thousand_is_refused(stage: Stage) -> None:
    workflow = stage.run(mapped("{{ params.list }}"), params={"list": [0] * 10_001})
    assert "10,001 elements; a map takes 10,000 at most" in step(workflow, "each").error
    assert statuses(workflow) == {"each": "FAILED"}


def test_a_map_gathers_more_than_one_step_may_return(stage: Stage, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_output_bytes": 1_000})
    workflow = stage.run(mapped(["x" * 600] * 8))
    assert workflow.status == Status.COMPLETED and len(output(workflow)["results"]) == 8
    assert stage.run(mapped(["x" * 600] * 20)).status == Status.FAILED


def test_elements_of_two_maps_do_not_mix(stage: Stage) -> None:
    do = Node("other", "echo", config={"value": "{{ item }}"})
    other = Node("other", "map", config={"items": [10, 20, 30], "limit": 1}, body=do, retry=NEVER)
    workflow = stage.run(mapped([1, 2], limit=1), other)
    assert output(workflow)["results"] == [1, 2] and output(workflow, "other")["results"] == [10, 20, 30]


def test_a_map_without_a_body_says_so(stage: Stage) -> None:
    with pytest.raises(ValueError, match="has no body"):
        list(elements._rows(_outcome_without_body(), None))


def _outcome_without_body() -> Any:
    class Bare:
        claim = type("C", (), {"node": node("each", "map"), "node_id": "each"})
        spread = None

    return Bare

"""From start to end in one process: chains, fan-in, results, priorities, many steps."""

from __future__ import annotations

import json

import pytest

from tests.engine import oracle, tasks
from tests.engine.stage import Stage, node, outcomes, statuses, step
from workflows_app.graph.definition import PRIORITIES


def test_a_chain_runs_in_order_and_completes(stage: Stage) -> None:
    workflow = stage.run(node("a"), node("b", "echo_thread", "a"), node("c", "echo", "b"))
    assert (workflow.status, workflow.done_steps, workflow.active_steps, workflow.error) == ("COMPLETED", 3, 0, "")
    assert tasks.calls == ["a", "b", "c"]
    assert outcomes(workflow, "b") == ["completed"]
    assert workflow.started_at <= workflow.ended_at
    oracle.judge(workflow)


def test_a_step_with_several_needs_starts_once_after_all_of_them(stage: Stage) -> None:
    parents = [node(f"p{number}", "echo" if number % 2 else "echo_thread") for number in range(9)]
    workflow = stage.run(*parents, node("join", "echo", *(parent.id for parent in parents)))
    assert tasks.calls.count("join") == 1 and tasks.calls[-1] == "join"
    oracle.judge(workflow)


def test_a_step_sees_what_its_needs_returned(stage: Stage) -> None:
    first = node("first", config={"value": {"rows": [1, 2.5, None, "ä"]}})
    second = node("second", "echo", "first", config={"value": "{{ first.output.rows }}"}, references=("first",))
    workflow = stage.run(first, second)
    assert step(workflow, "second").output == [1, 2.5, None, "ä"]


def test_templates_see_parameters_statuses_and_the_workflow(stage: Stage) -> None:
    value = {"day": "{{ params.day }}", "again": "{{ input.day }}", "status": "{{ steps.a-b.status }}", "name": "{{ workflow.name }}"}
    reader = node("reader", "echo", "a-b", config={"value": value}, references=("a-b",))
    workflow = stage.run(node("a-b"), reader, params={"day": "2026-11-21"}, name="Daily")
    assert step(workflow, "reader").output == {"day": "2026-11-21", "again": "2026-11-21", "status": "COMPLETED", "name": "Daily"}


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, "x", {"a": [{"b": 1}]}, 10**30, 1e-9])
def test_any_json_is_an_output_and_comes_back_as_it_was(stage: Stage, value: object) -> None:
    tasks.behaviours["give"] = lambda params, context: value
    workflow = stage.run(node("a", "behave", config={"as": "give"}))
    assert step(workflow, "a").output == value and workflow.status == "COMPLETED"


def test_the_more_urgent_runs_first(stage: Stage) -> None:
    order = ["low", "normal", "high"]
    stage.run(*(node(name, "echo_thread", priority=PRIORITIES[name]) for name in order))
    assert tasks.calls == ["high", "normal", "low"]


def test_what_was_due_first_runs_first(stage: Stage) -> None:
    workflows = [stage.start(node(f"w{number}", "echo_thread")) for number in range(5)]
    stage.play(workflows[-1])
    assert tasks.calls == ["w0", "w1", "w2", "w3", "w4"]


def test_a_step_keeps_its_log_with_its_attempt(stage: Stage) -> None:
    tasks.behaviours["talk"] = lambda params, context: [context.log("one"), context.log("two", level="WARNING")]
    workflow = stage.run(node("a", "behave", config={"as": "talk"}))
    lines = list(step(workflow, "a").log_lines.values_list("message", "level", "attempt"))
    assert lines == [("one", "INFO", 1), ("two", "WARNING", 1)]


def test_progress_and_seq_only_rise_and_counters_match_the_rows_after_every_commit(stage: Stage) -> None:
    shape = [node("a"), *(node(f"b{n}", "echo", "a") for n in range(4)), node("bad", "flaky", "a"), node("z", "echo", "b0", "b1", "bad")]
    workflow, other = stage.start(*shape), stage.start(*[node("x"), *(node(f"y{n}", "echo_thread", "x") for n in range(4))])
    drain = oracle.JudgedDrain(stage.worker)
    drain.run()
    assert drain.commits >= 4
    for each in (workflow, other):
        oracle.judge(each)
    assert (workflow.status, other.status) == ("FAILED", "COMPLETED")


def test_a_fan_of_two_thousand_steps_completes_and_starts_its_join_once(stage: Stage) -> None:
    middle = [node(f"m{number}", "output", "first", config={"value": number}) for number in range(1998)]
    workflow = stage.run(node("first"), *middle, node("last", "echo", *(each.id for each in middle)))
    assert (workflow.status, workflow.done_steps, tasks.calls) == ("COMPLETED", 2000, ["first", "last"])
    oracle.judge(workflow)


def test_as_many_async_steps_as_there_are_slots_run_side_by_side(stage: Stage) -> None:
    """Each opens only when all have begun: one after another they would wait for ever."""
    slots = stage.worker.io_slots
    steps = [node(f"s{number}", "together", config={"of": slots}, timeout_seconds=20) for number in range(slots)]
    assert stage.run(*steps).status == "COMPLETED"


def test_the_definition_of_a_step_is_found_among_many_workflows(stage: Stage) -> None:
    """More workflows than a worker keeps facts of."""
    stage.worker.inputs._keep = 3
    workflows = [stage.start(node("a"), node("b", "echo", "a", config={"value": number})) for number in range(12)]
    stage.play(workflows[-1])
    assert [step(workflow, "b").output for workflow in workflows] == list(range(12))


def test_definitions_are_stored_once_per_content(stage: Stage) -> None:
    first, second = stage.start(node("a")), stage.start(node("a"))
    assert first.definition_id == second.definition_id
    assert json.loads(first.definition.compiled().text)["nodes"][0]["id"] == "a"


def test_a_step_that_a_condition_rules_out_is_skipped_with_what_needs_it(stage: Stage) -> None:
    workflow = stage.run(node("a", run_if={"==": [{"var": "params.region"}, "EU"]}), node("b", "echo", "a"), params={"region": "US"})
    assert statuses(workflow) == {"a": "SKIPPED", "b": "SKIPPED"}
    assert (workflow.status, tasks.calls) == ("COMPLETED", [])
    assert step(workflow, "a").metadata == {"skipped": True, "reason": "run_if is not true"}
    oracle.judge(workflow)


def test_run_if_follows_the_truth_of_jsonlogic(stage: Stage) -> None:
    """An empty list is false there, the text "0" is true."""
    workflow = stage.run(node("none", run_if={"filter": [[1], False]}), node("zero", run_if={"cat": ["0"]}))
    assert statuses(workflow) == {"none": "SKIPPED", "zero": "COMPLETED"}


def test_two_thousand_workflows_start_in_one_call(stage: Stage) -> None:
    from workflows_app.engine import definitions, start
    from workflows_app.graph.definition import Definition

    row = definitions.store(definition=Definition((node("a"),)), now=stage.now)
    found = start.start_many(orders=[start.Order(definition=row, name=str(number)) for number in range(2000)], now=stage.now)
    assert len({workflow.pk for workflow in found}) == 2000
    assert sum(workflow.steps.count() for workflow in found[::500]) == 4

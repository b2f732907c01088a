"""Every rule of CONTRACT.md sections 4 to 7, and the tests that hold it. A test that is renamed or removed is missed here."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
RULES: dict[str, list[str]] = {
    "section 4: a step's tasks run in order or at once, and the next step starts when all of them are done": [
        "tests/api/test_tasks.py::test_steps_run_one_after_another_and_the_next_waits_for_all_tasks",
        "tests/dialects/test_tasks.py::test_steps_run_one_after_another_and_their_tasks_in_order_or_at_once",
        "tests/engine/test_same_graph.py::test_steps_of_tasks_are_the_graph_that_they_stand_for",
    ],
    "section 4: `task_a`, `task_b` and `task_c` exist": [
        "tests/api/test_tasks.py::test_the_sample_runs_to_its_end",
    ],
    "section 4: `timeout`, `retry_count` and `priority` in params are policies too": [
        "tests/api/test_tasks.py::test_timeout_retry_count_and_priority_are_policies_too",
        "tests/dialects/test_tasks.py::test_the_sample_compiles_to_a_chain_with_policies",
    ],
    "section 4: an unknown task name is 422 and lists the known ones": [
        "tests/api/test_tasks.py::test_an_unknown_task_is_refused_and_the_known_ones_are_listed",
    ],
    "section 4: `GET /api/workflow/{id}` shows a workflow of any door": [
        "tests/api/test_tasks.py::test_a_workflow_of_any_door_can_be_looked_at_and_an_unknown_one_is_not_found",
    ],
    "section 4: a custom task is a function or coroutine, registered by a decorator in a module that the settings name": [
        "tests/actions/test_tasks.py",
        "tests/examples/test_shop.py",
    ],
    "section 4: a custom task gets its params and a context and returns JSON or raises": [
        "tests/actions/test_base.py",
        "tests/engine/test_retries.py::test_whatever_a_task_raises_is_its_steps_failure_and_the_worker_goes_on",
    ],
    "section 5: graphs are created, listed, read, replaced and deleted": [
        "tests/api/test_graph.py::test_a_graph_is_kept_and_answered_exactly_as_it_was_sent",
        "tests/api/test_graph.py::test_putting_makes_a_new_version_and_what_was_answered_may_be_sent_back",
        "tests/api/test_graph.py::test_a_deleted_graph_is_gone_and_no_event_starts_it",
    ],
    "section 5: an event starts the graph whose trigger it satisfies": [
        "tests/api/test_graph.py::test_an_event_that_matches_starts_the_graph_and_the_branch_takes_its_case",
    ],
    "section 5: an event that matches no trigger starts nothing and says so": [
        "tests/api/test_graph.py::test_an_event_that_matches_no_trigger_starts_nothing_and_says_so",
    ],
    "section 5: executions are listed by workflow, and shown with their steps": [
        "tests/api/test_graph_executions.py::test_executions_are_listed_by_workflow_and_status_in_pages",
        "tests/api/test_graph_executions.py::test_an_execution_shows_its_payload_and_its_steps",
    ],
    "section 5: the first case that holds is taken, `else` last": [
        "tests/actions/test_computing.py::test_the_first_case_that_holds_is_taken",
        "tests/actions/test_computing.py::test_broken_cases_are_refused",
    ],
    'section 5: the event is the payload: `{{ payload.field }}` in strings, `{"var": "field"}` in JSONLogic': [
        "tests/dialects/test_nodes_edges.py::test_conditions_read_the_payload_at_the_root_and_templates_by_its_name",
        "tests/dialects/test_payload_names.py",
    ],
    "section 5: a target that only a branch names is part of the graph": [
        "tests/dialects/test_nodes_edges.py::test_nodes_and_edges_compile_to_needs_and_a_case_is_an_edge",
    ],
    "section 5: `delay` takes `ms`, from 0 to a year": [
        "tests/actions/test_computing.py::test_a_delay_below_0_above_a_year_or_unclear_is_refused",
        "tests/api/test_refusals.py::test_every_door_refuses",
    ],
    "section 6: submitting validates and stores, and starts nothing": [
        "tests/api/test_dags.py::test_submitting_checks_and_keeps_and_does_not_start",
        "tests/engine/test_trigger.py::test_a_submitted_workflow_is_pending_and_nothing_of_it_runs",
    ],
    "section 6: a trigger starts it with its parameters": [
        "tests/engine/test_trigger.py::test_a_trigger_starts_it_with_its_parameters",
    ],
    "section 6: once it is final, a trigger makes a new execution of the same definition": [
        "tests/api/test_dags.py::test_a_final_one_starts_again_as_a_new_execution_of_the_same_definition",
        "tests/engine/test_trigger.py::test_one_that_has_ended_starts_a_new_one_of_the_same_definition",
    ],
    "section 6: status, node states, results and health": [
        "tests/api/test_dags.py::test_submit_trigger_status_and_results_as_an_earlier_client_asks_for_them",
        "tests/api/test_dags.py::test_results_are_there_as_far_as_it_came",
        "tests/api/test_dags.py::test_health_is_open_and_tells_strangers_words_only",
    ],
    "section 6: `{{ node_id.output.a.b }}` and `{{ input.name }}`; one expression alone keeps its type": [
        "tests/api/test_dags.py::test_an_expression_alone_keeps_the_type_of_its_value",
        "tests/dialects/test_dag.py::test_templates_read_outputs_upstream_and_parameters",
        "tests/engine/test_outputs.py::test_input_is_the_parameters_and_the_output_of_a_step_of_that_name",
    ],
    "section 6: refused at submission with 422 that names the node": [
        "tests/api/test_dag_refusals.py",
        "tests/api/test_refusals.py::test_every_door_refuses",
    ],
    "section 6: a cycle is shown as a path": [
        "tests/dialects/test_dag.py::test_a_cycle_is_shown_as_a_path",
    ],
    "section 6: a node with several dependencies starts exactly once": [
        "tests/api/test_dags.py::test_fan_in_starts_exactly_once",
        "tests/engine/test_races.py",
    ],
    "section 7: every action is usable from every dialect": [
        "tests/dialects/test_same_in_every_dialect.py",
        "tests/engine/test_same_graph.py::test_three_dialects_give_the_same_constraints_and_the_same_results",
    ],
    "section 7: every step takes the policies, in every dialect": [
        "tests/dialects/test_dag.py::test_every_node_takes_the_policies_of_a_step",
    ],
    "section 7: `timeout`, per step and per action": [
        "tests/engine/test_retries.py::test_a_coroutine_is_cancelled_at_its_timeout",
        "tests/engine/test_retries.py::test_a_timeout_of_the_actions_own_is_its_own",
        "tests/dialects/test_waiting_steps.py::test_it_takes_its_own_timeout_only",
    ],
    "section 7: retries with exponential back-off and jitter, by default 3 tries, 1 s first, 60 s at most": [
        "tests/engine/test_retry_policy.py::test_back_off_doubles_up_to_its_ceiling",
        "tests/engine/test_retry_policy.py::test_jitter_keeps_between_half_the_delay_and_the_whole",
        "tests/engine/test_retry_policy.py::test_the_settings_fill_what_the_step_leaves_open",
        "tests/site/test_env.py",
    ],
    "section 7: `retry_on`: only the named kinds of failure": [
        "tests/engine/test_retries.py::test_only_the_named_kinds_of_failure_are_tried_again",
    ],
    "section 7: `priority`": [
        "tests/engine/test_concurrency_keys.py::test_the_urgent_comes_first",
    ],
    "section 7: `run_if`": [
        "tests/engine/test_trigger_rules.py::test_every_combination_of_up_to_four_needs_ends_as_the_rule_says",
        "tests/engine/test_elements.py::test_an_element_that_a_condition_rules_out_gives_null",
    ],
    "section 7: `trigger_rule` and `on_failure`": [
        "tests/engine/test_trigger_rules.py::test_every_combination_of_up_to_four_needs_ends_as_the_rule_says",
        "tests/engine/test_random_graphs.py::test_a_random_graph_ends_as_the_reference_says",
    ],
    "section 7: concurrency keys with limits": [
        "tests/engine/test_concurrency_keys.py",
        "tests/processes/test_limits.py::test_a_concurrency_key_is_kept_over_processes_workflows_and_kinds_of_step",
    ],
    "section 7: `http_call`: any method, JSON, form or text; status, headers and parsed body": [
        "tests/actions/test_http_call.py::test_any_method_can_be_used",
        "tests/actions/test_http_call.py::test_the_body_goes_out_as_json_form_or_text",
        "tests/actions/test_http_call.py::test_the_output_is_status_headers_and_parsed_body",
    ],
    "section 7: `http_call`: a size limit": [
        "tests/actions/test_http_call.py::test_a_body_over_the_limit_is_refused",
    ],
    "section 7: `http_call`: tried again on connection errors, 429 with `Retry-After` and 5xx": [
        "tests/actions/test_http_call.py::test_server_errors_and_429_are_worth_another_try",
        "tests/actions/test_http_call.py::test_retry_after_in_seconds_is_honoured",
        "tests/actions/test_http_call.py::test_a_refused_connection_is_worth_another_try",
    ],
    "section 7: `http_call`: one `Idempotency-Key` for all attempts": [
        "tests/actions/test_http_call.py::test_the_idempotency_key_is_the_steps_and_the_same_for_every_attempt",
    ],
    "section 7: `llm_service`: any OpenAI-compatible endpoint, from settings or a stored secret": [
        "tests/actions/test_llm_service.py",
    ],
    "section 7: `llm_service`: the demo provider answers deterministically and says so": [
        "tests/actions/test_llm_service.py::test_without_an_endpoint_the_demo_provider_answers_and_says_so",
    ],
    "section 7: `send_notification`: to a role, user or channel; in-app, e-mail, webhook, Slack": [
        "tests/actions/test_send_notification.py",
        "tests/actions/test_mail.py",
        "tests/engine/test_notices.py",
        "tests/dashboard/test_notifications.py",
    ],
    "section 7: `delay` and every timer hold no worker and survive a restart": [
        "tests/engine/test_retries.py::test_a_delay_holds_no_slot_and_is_one_attempt",
        "tests/processes/test_waits.py",
    ],
    "section 7: `transform`: JSONLogic or template to new data": [
        "tests/actions/test_computing.py::test_transform_by_value_gives_the_rendered_value",
        "tests/actions/test_computing.py::test_transform_by_logic_computes_over_the_names",
    ],
    "section 7: `map`: one child step per element, with a concurrency limit": [
        "tests/engine/test_elements.py",
        "tests/processes/test_limits.py::test_a_map_keeps_to_its_limit_over_processes",
    ],
    "section 7: `sub_workflow` waits for a template's run; `parentId` is set": [
        "tests/engine/test_sub_workflows.py",
    ],
    "section 7: `approval`": [
        "tests/engine/test_answers.py",
        "tests/api/test_approvals.py",
        "tests/dashboard/test_approvals.py",
    ],
    "section 7: `wait_for_event`": [
        "tests/engine/test_subscriptions.py",
        "tests/actions/test_wait_for_event.py",
    ],
}


@lru_cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize("rule", RULES)
def test_the_tests_that_hold_a_rule_are_there(rule: str) -> None:
    for name in RULES[rule]:
        path, _, test = name.partition("::")
        found = names_in(path)
        assert test in found if test else found, f"{name} is gone: which test holds “{rule}” now?"


def test_each_of_the_four_sections_has_its_rules() -> None:
    assert {rule.partition(":")[0] for rule in RULES} == {f"section {number}" for number in (4, 5, 6, 7)}

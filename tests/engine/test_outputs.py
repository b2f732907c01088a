"""What a step returns or says, however odd, is kept as JSON and text that every database takes."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Callable

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.engine import oracle, tasks
from tests.engine.stage import Stage, log_of, node, outcomes, step
from workflows_app.actions.base import Chosen, Fail, Launch, Noted, Wait
from workflows_app.engine import sizes
from workflows_app.engine.outcomes import clip, encode
from workflows_app.graph.definition import RetryPolicy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def circle() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"bytes", math.nan, [math.inf], {"a": {"b": -math.inf}}, circle(), 1j, {("a", "b"): 1}],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_json_fails_the_step_for_good(stage: Stage, value: object) -> None:
    tasks.behaviours["give"] = lambda params, context: value
    workflow = stage.run(node("a", "behave", config={"as": "give"}, retry=RetryPolicy(retries=3)), node("neighbour"))
    assert outcomes(workflow, "a") == ["failed"] and "not JSON" in step(workflow, "a").error
    assert step(workflow, "neighbour").status == "COMPLETED"
    oracle.judge(workflow)


def test_an_output_over_the_limit_fails_the_step_and_names_the_setting(stage: Stage) -> None:
    tasks.behaviours["much"] = lambda params, context: "x" * settings.ENV.max_output_bytes
    workflow = stage.run(node("a", "behave", config={"as": "much"}))
    assert (workflow.status, step(workflow, "a").output) == ("FAILED", None)
    assert "MAX_OUTPUT_BYTES" in step(workflow, "a").error and f"{settings.ENV.max_output_bytes:,}" in step(workflow, "a").error


HUGE: dict[str, Callable[[], object]] = {
    "one text": lambda: "x" * 200_000_000,
    "many small numbers": lambda: [1] * 20_000_000,
    "one part many times": lambda: [["x" * 100_000] * 1000] * 1000,
    "a number of a million digits": lambda: 1 << 4_000_000,
    "long keys": lambda: {f"{n}{'k' * 100_000}": None for n in range(50)},
}


@pytest.mark.parametrize("make", HUGE.values(), ids=HUGE)
def test_what_is_far_too_large_is_refused_without_being_written_out(stage: Stage, make: Callable[[], object]) -> None:
    """The text of it, and a copy without secrets, would each take as much memory again."""
    value = make()
    tasks.behaviours["huge"] = lambda params, context: value
    tracemalloc.start()
    workflow = stage.run(node("a", "behave", config={"as": "huge"}), node("neighbour"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcomes(workflow, "a") == ["failed"] and "MAX_OUTPUT_BYTES" in step(workflow, "a").error
    assert step(workflow, "neighbour").status == "COMPLETED" and most < 30_000_000
    oracle.judge(workflow)


@pytest.mark.parametrize(
    "value",
    [Wait(1, "x" * 9_000_000, "no reason"), Wait(1, None, "", shown={"a": "x" * 9_000_000}), Noted("x" * 9_000_000, ()),
     Chosen("x" * 9_000_000, "", (), ()), Launch("child", {"a": "x" * 9_000_000})],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_returned_instead_of_output_is_bounded_too(stage: Stage, value: object) -> None:
    tasks.behaviours["huge"] = lambda params, context: value
    workflow = stage.run(node("a", "behave", config={"as": "huge"}))
    assert outcomes(workflow, "a") == ["failed"] and "MAX_OUTPUT_BYTES" in step(workflow, "a").error


def test_an_output_that_nests_without_end_is_no_json(stage: Stage) -> None:
    value: object = 1
    for _ in range(sizes.MAX_DEPTH + 1):
        value = [value]
    tasks.behaviours["deep"] = lambda params, context: value
    workflow = stage.run(node("a", "behave", config={"as": "deep"}))
    assert "not JSON: it nests more than 200 deep" in step(workflow, "a").error


@given(JSON)
def test_nothing_that_fits_is_called_too_large(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert not sizes.is_over(value, len(text.encode("utf-8", "replace")))


def test_an_output_just_at_the_limit_is_kept(stage: Stage) -> None:
    tasks.behaviours["fits"] = lambda params, context: "x" * (settings.ENV.max_output_bytes - 2)
    assert stage.run(node("a", "behave", config={"as": "fits"})).status == "COMPLETED"


def test_the_limit_counts_bytes(stage: Stage) -> None:
    with pytest.raises(Fail, match="bytes of output"):
        encode("ä" * (settings.ENV.max_output_bytes // 2))


@pytest.mark.parametrize(
    ("value", "kept"),
    [("a\0b", "a\ufffdb"), ({"k\0": "\0\0"}, {"k\ufffd": "\ufffd\ufffd"}), ("\\u0000", "\\u0000"), ("\\\0", "\\\ufffd"),
     ("\ud800", "?"), ("😀 \udc00", "😀 ?"), ({"\ud800": 1}, {"?": 1})],
)  # fmt: skip
def test_what_no_database_takes_is_replaced(stage: Stage, value: object, kept: object) -> None:
    tasks.behaviours["odd"] = lambda params, context: value
    workflow = stage.run(node("a", "behave", config={"as": "odd"}), node("b", config={"value": "{{ a.output }}"}, references=("a",)))
    assert step(workflow, "a").output == kept


@hypothesis_settings(max_examples=200, deadline=None)
@given(JSON)
def test_ordinary_json_comes_back_as_it_was(value: object) -> None:
    assert json.loads(encode(value)) == json.loads(json.dumps(value).replace("\\u0000", "\\ufffd")) or "\\\\u0000" in json.dumps(value)


@given(st.text(st.characters()))
def test_clipped_text_holds_nothing_a_column_refuses(text: str) -> None:
    assert "\0" not in clip(text).encode().decode()


def test_a_log_line_is_bounded_and_its_level_known(stage: Stage) -> None:
    def talk(params: object, context: object) -> None:
        context.log("x" * 1_000_000)  # type: ignore[attr-defined]
        context.log("odd \0 \ud800", level="CATASTROPHE")  # type: ignore[attr-defined]
        context.log({"not": "text"})  # type: ignore[attr-defined]

    tasks.behaviours["talk"] = talk
    workflow = stage.run(node("a", "behave", config={"as": "talk"}))
    lines = list(step(workflow, "a").log_lines.order_by("id").values_list("message", "level"))
    assert len(lines[0][0]) < 11_000 and lines[1:] == [("odd \ufffd ?", "INFO"), ("{'not': 'text'}", "INFO")]


def test_a_decision_with_an_odd_label_does_not_freeze_the_worker(stage: Stage) -> None:
    """PostgreSQL takes no NUL in JSON: the label is refused there, and the step fails alone."""
    tasks.behaviours["choose"] = lambda params, context: Chosen(output=None, case="\0", next=(), targets=())
    workflow = stage.run(node("a", "behave", config={"as": "choose"}), node("neighbour"))
    assert step(workflow, "a").status in ("COMPLETED", "FAILED") and step(workflow, "neighbour").status == "COMPLETED"
    oracle.judge(workflow)


def test_progress_is_kept_while_a_step_runs(stage: Stage) -> None:
    seen: list[object] = []

    def advance(params: object, context: object) -> None:
        context.progress(7)  # type: ignore[attr-defined]
        context.progress(0.25)  # type: ignore[attr-defined]
        context.log("a quarter")  # type: ignore[attr-defined]
        while not (log_of(workflow, "a") and step(workflow, "a").metadata):
            pass
        seen.extend([step(workflow, "a").metadata, log_of(workflow, "a")])

    tasks.behaviours["advance"] = advance
    workflow = stage.start(node("a", "behave", config={"as": "advance"}))
    stage.drain()
    assert seen == [{"progress": 0.25}, "a quarter"]
    assert log_of(workflow, "a") == "a quarter"


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters()), max_size=20))
def test_any_text_is_a_log_line(stage: Stage, texts: list[str]) -> None:
    tasks.forget()
    tasks.behaviours["say"] = lambda params, context: [context.log(text) for text in texts] and None
    workflow = stage.run(node("a", "behave", config={"as": "say"}))
    assert list(step(workflow, "a").log_lines.values_list("message", flat=True)) == [clip(text) for text in texts]


def test_a_configuration_that_does_not_fit_once_it_is_rendered_fails_in_the_words_of_the_check(stage: Stage) -> None:
    workflow = stage.run(node("a", "delay", config={"seconds": "{{ params.s }}"}), params={"s": "soon"})
    assert step(workflow, "a").error == "with.seconds: must be a valid number, unable to parse string as a number, not 'soon'"
    both = stage.run(node("a", "delay", config={"seconds": 1, "ms": 2}))
    assert step(both, "a").error == "with: give exactly one of 'seconds', 'ms' and 'until'"
    assert outcomes(workflow, "a") == outcomes(both, "a") == ["failed"], "another try gives the same"


def test_a_model_that_a_task_fails_to_make_is_a_failure_like_any_other(stage: Stage) -> None:
    class Order(BaseModel):
        number: int

    tasks.behaviours["parse"] = lambda params, context: Order.model_validate({"number": "seven"})
    again = RetryPolicy(retries=1, initial_delay=1)
    workflow = stage.run(node("a", "behave", config={"as": "parse"}, retry=again))
    assert outcomes(workflow, "a") == ["retried", "failed"]
    assert "Traceback" in log_of(workflow, "a") and step(workflow, "a").error.startswith("ValidationError: 1 validation error for Order")


def test_input_is_the_parameters_and_the_output_of_a_step_of_that_name(stage: Stage) -> None:
    """CONTRACT.md section 6: `{{ node_id.output }}` and `{{ input.name }}`, also for a node called input."""
    say = node("say", "echo", "input", config={"value": ["{{ input.output.a }}", "{{ input.a }}"]}, references=("input",))
    workflow = stage.run(
        node("input", config={"value": {"a": "the node"}}), say, params={"a": "the parameter", "output": "a parameter, too"}
    )
    assert step(workflow, "say").output == ["the node", "the parameter"]

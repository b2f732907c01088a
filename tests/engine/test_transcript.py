"""What one attempt says: all of it below the limit, the beginning and the end above, in order and under any threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from tests.engine import oracle, tasks
from tests.engine.stage import Stage, log_of, node, outcomes, step
from tests.factories import NOW, a_workflow
from workflows_app.actions.base import Retry
from workflows_app.engine import live_lines
from workflows_app.engine.commit import add_log_lines as add
from workflows_app.engine.report import logs
from workflows_app.engine.sql.transaction import write
from workflows_app.engine.transcript import Line, Room, Transcript
from workflows_app.graph.definition import RetryPolicy
from workflows_app.models import LogLine

MARK = "are left out here: of one attempt at most"


@pytest.fixture(autouse=True)
def _narrow(settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_log_lines": 1_000, "max_log_bytes": 100_000})


def line(text: object) -> Line:
    return {"step_id": 1, "attempt": 1, "at": None, "level": "INFO", "message": str(text)}


def texts(lines: list[Line]) -> list[str]:
    return [line["message"] for line in lines]


def said(count: int) -> Transcript:
    found = Transcript()
    found.extend(line(number) for number in range(count))
    return found


def test_below_the_limit_everything_is_kept_in_order_however_it_is_taken() -> None:
    transcript = said(1_000)
    assert texts([*transcript.take(Room(lines=7)), *transcript.take(Room()), *transcript.end()]) == [str(n) for n in range(1_000)]


def test_above_it_the_beginning_and_the_end_are_and_between_them_what_is_missing() -> None:
    transcript = said(5_000)
    lines = [*transcript.take(Room()), *transcript.end()]
    assert texts(lines[:900]) == [str(n) for n in range(900)]
    assert texts(lines[901:]) == [str(n) for n in range(4_900, 5_000)]
    assert (lines[900]["level"], len(lines)) == ("WARNING", 1_001)
    assert lines[900]["message"].startswith(
        f"… 4,000 lines (15,900 bytes) {MARK} 1,000 lines (MAX_LOG_LINES) and 100,000 bytes (MAX_LOG_BYTES)"
    )


def test_bytes_count_too_and_the_last_line_is_always_kept() -> None:
    transcript = Transcript()
    transcript.extend(line("ä" * 20_000) for _ in range(5))
    transcript.add(line("The verdict" + "x" * 30_000))
    lines = [*transcript.take(Room()), *transcript.end()]
    assert len(lines) == 4 and "3 lines (120,000 bytes)" in lines[2]["message"] and lines[3]["message"].startswith("The verdict")


def test_memory_is_bounded_while_nobody_takes() -> None:
    transcript = said(100_000)
    assert len(transcript) == 900 and len(transcript.end()) == 1_001


def test_what_is_said_after_the_end_is_too_late() -> None:
    transcript = said(3)
    transcript.end()
    transcript.add(line("late"))
    assert transcript.end() == [] and transcript.take(Room()) == []


def test_threads_that_speak_while_one_takes_lose_nothing_and_say_nothing_twice(settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_log_lines": 100_000, "max_log_bytes": 10_000_000})
    transcript, taken = Transcript(), list[Line]()
    speakers = [threading.Thread(target=lambda name=name: transcript.extend(line(f"{name} {n}") for n in range(20_000))) for name in "abc"]
    for speaker in speakers:
        speaker.start()
    while any(speaker.is_alive() for speaker in speakers):
        taken += transcript.take(Room(lines=50))
    taken += transcript.end()
    for name in "abc":
        assert [text for text in texts(taken) if text[0] == name] == [f"{name} {n}" for n in range(20_000)]


def talk(count: int) -> str:
    def speak(params: object, context: Any) -> int:
        for number in range(count):
            context.log(f"{context.attempt}: {number}")
        if context.attempt == 1 and count > 2:
            raise Retry("once more")
        return count

    tasks.behaviours[f"talk {count}"] = speak
    return f"talk {count}"


def test_a_long_log_is_written_in_parts_before_its_outcome_and_in_order_across_attempts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_log_lines": 10_000, "max_log_bytes": 1_000_000})
    written: list[int] = []
    monkeypatch.setattr("workflows_app.engine.loop.add_log_lines", lambda session, lines: [written.append(len(lines)), add(session, lines)])
    workflow = stage.run(
        node("a", "behave", config={"as": talk(5_000)}, retry=RetryPolicy(retries=1)), node("b", "behave", config={"as": talk(2)})
    )
    assert outcomes(workflow, "a") == ["retried", "completed"] and max(written) == Room().lines
    said = log_of(workflow, "a").splitlines()
    assert [text for text in said if text[1] == ":"] == [f"{attempt}: {number}" for attempt in (1, 2) for number in range(5_000)]
    assert said[5_000].startswith("Attempt 1 failed: once more")
    oracle.judge(workflow)


@pytest.mark.parametrize("joins", [("hashjoin", "nestloop"), ("mergejoin", "nestloop"), ("mergejoin", "hashjoin")])
def test_lines_are_kept_in_their_order_whatever_way_the_database_finds_their_steps(transactional_db: None, joins: tuple[str, str]) -> None:
    ids = [step.pk for step in a_workflow(node("b"), node("a")).steps.order_by("-pk")]
    lines = [{**line(number), "at": NOW, "step_id": ids[number % 2]} for number in range(500)]
    with write() as session:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("; ".join(f"SET LOCAL enable_{join} = off" for join in joins))
        add(session, lines)
    assert list(LogLine.objects.order_by("pk").values_list("message", flat=True)) == [str(number) for number in range(500)]


def test_of_a_storm_the_step_keeps_what_the_settings_say_and_its_verdict(stage: Stage) -> None:
    def storm(params: object, context: Any) -> None:
        for number in range(20_000):
            context.log(str(number))
        raise ValueError("enough")

    tasks.behaviours["storm"] = storm
    workflow = stage.run(node("a", "behave", config={"as": "storm"}), node("b", "echo"))
    said = log_of(workflow, "a").splitlines()
    assert step(workflow, "a").log_lines.count() == 1_001 and "Failed: ValueError: enough" in said[-1]
    assert step(workflow, "a").log_lines.get(level="WARNING").message.startswith("… 19,002 lines")
    assert step(workflow, "b").status == "COMPLETED"


def test_those_who_say_little_are_heard_before_one_who_says_much() -> None:
    class Speaker:
        def __init__(self, count: int) -> None:
            self.lines = said(count)
            self.take_lines = self.lines.take

    live = live_lines.LiveLines()
    live.is_behind = True
    taken = live.take([Speaker(900), Speaker(900), Speaker(900), Speaker(3)])  # type: ignore[list-item]
    assert texts(taken)[:3] == ["0", "1", "2"] and len(taken) == Room().lines and live.is_behind


@pytest.mark.parametrize("most_talkative", [0, 50])
def test_the_last_lines_are_shown_the_same_whether_few_or_many_steps_say_much(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, most_talkative: int
) -> None:
    monkeypatch.setattr(logs, "MOST_TALKATIVE", most_talkative)
    workflow = stage.run(
        node("a", "behave", config={"as": talk(2)}), node("b", "behave", config={"as": talk(7)}, retry=RetryPolicy(retries=1))
    )
    shown = logs.latest_lines([workflow.pk], per_step=3)
    quiet, loud = (shown[step(workflow, id).pk] for id in "ab")
    assert [line.rpartition(" ")[2] for line in quiet] == ["0", "1"]
    assert loud[0] == "… 12 earlier lines: GET the step's logs" and [line.rpartition(" ")[2] for line in loud[1:]] == ["4", "5", "6"]

"""The log of the selected step: what of it is shown, and the ways through the rest."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import HX, text_of
from tests.dashboard.rows import EVIL
from tests.factories import a_log_line, a_workflow
from workflows_app.engine.report import log_window
from workflows_app.graph.statuses import Status
from workflows_app.models import Step, Workflow


@pytest.fixture(autouse=True)
def _few_lines(monkeypatch):
    """A page of four lines instead of two thousand."""
    monkeypatch.setattr(log_window, "MOST_LINES", 4)


def talking(count: int, *, status: Status = Status.RUNNING, **changes) -> tuple[Workflow, Step]:
    workflow = a_workflow(statuses={"fetch": status})
    Step.objects.filter(workflow=workflow, node_id="fetch").update(**changes)
    step = Step.objects.get(workflow=workflow, node_id="fetch")
    for n in range(1, count + 1):
        a_log_line(step, f"line {n}")
    return workflow, step


def page(reader, workflow: Workflow, query: str = "", **headers: str):
    return reader.get(f"/workflows/{workflow.uid}?step=fetch{query}", headers=headers)


def numbers(response) -> list[int]:
    return [int(n) for n in re.findall(r'<p id="L(\d+)"', response.content.decode())]


def held(response) -> str:
    """What a browser with this page says that it has of the log."""
    found = re.search(r'data-log="([^"]+)" data-after="(\d+)"', response.content.decode())
    return f"{found[1]}:{found[2]}"


def poll(reader, workflow: Workflow, has: str, query: str = ""):
    return page(reader, workflow, query, **HX, **{"HX-Log": has})


def test_a_long_log_opens_at_its_end_and_says_how_long_it_is(reader):
    workflow, _ = talking(10)
    response = page(reader, workflow)
    assert numbers(response) == [7, 8, 9, 10]
    assert "10 lines" in text_of(response)


def test_the_lines_before_are_loaded_by_a_link_that_works_without_scripts_too(reader):
    workflow, _ = talking(10)
    html = page(reader, workflow).content.decode()
    plain, rows = re.search(r'<a class="link" href="(\?[^"]+)" hx-get="([^"]+)" hx-target="#log-above"', html).groups()
    fragment = reader.get(rows.replace("&amp;", "&"))
    assert numbers(fragment) == [3, 4, 5, 6]
    assert b"log-above" in fragment.content
    assert 6 in numbers(reader.get(f"/workflows/{workflow.uid}{plain.replace('&amp;', '&')}"))


def test_the_first_lines_have_none_before_them(reader):
    workflow, _ = talking(10)
    fragment = reader.get(f"/workflows/{workflow.uid}/log-rows?step=fetch&line=4")
    assert numbers(fragment) == [1, 2, 3]
    assert b"log-above" not in fragment.content


def test_a_line_far_from_the_end_can_be_opened_by_its_number(reader):
    workflow, _ = talking(10)
    response = page(reader, workflow, "&line=3")
    assert numbers(response) == [1, 2, 3, 4]
    assert "6 later lines" in text_of(response)
    again = poll(reader, workflow, held(response), "&line=3")
    assert numbers(again) == [], "the browser has them"
    assert "6 later lines" in text_of(again)
    assert "10 lines" in text_of(again)
    assert numbers(page(reader, workflow, "&line=9")) == [7, 8, 9, 10]


def test_a_browser_that_has_the_lines_gets_only_those_that_came_since(reader):
    workflow, step = talking(3)
    has = held(page(reader, workflow))
    assert numbers(poll(reader, workflow, has)) == []
    a_log_line(step, "line 4")
    assert numbers(poll(reader, workflow, has)) == [4]
    assert "<template" in poll(reader, workflow, has).content.decode()


def test_a_browser_that_has_something_else_gets_all_lines(reader):
    workflow, step = talking(3)
    has = held(page(reader, workflow))
    assert numbers(poll(reader, workflow, has, "&level=INFO")) == [1, 2, 3]
    for text in ("", "nonsense", has.split(":")[0] + ":x", "1-all-all:99999999999999999999"):
        assert numbers(poll(reader, workflow, text)) == [1, 2, 3], text
    for n in range(4, 12):
        a_log_line(step, f"line {n}")
    fresh = poll(reader, workflow, has)
    assert numbers(fresh) == [8, 9, 10, 11], "more came than a page holds"
    assert held(fresh).split(":")[0] != has.split(":")[0], "what the browser has must not be taken for it"
    assert numbers(poll(reader, workflow, held(fresh))) == []


def test_the_lines_of_one_attempt_keep_their_numbers(reader):
    workflow, step = talking(2, attempt=2)
    a_log_line(step, "second try", attempt=2)
    assert "attempt 2" in text_of(page(reader, workflow))
    assert numbers(page(reader, workflow, "&attempt=2")) == [3]
    assert numbers(page(reader, workflow, "&attempt=1")) == [1, 2]


def test_a_level_shows_that_and_above(reader):
    workflow, step = talking(1)
    a_log_line(step, "slow", level="WARNING")
    a_log_line(step, "broken", level="ERROR")
    assert numbers(page(reader, workflow, "&level=WARNING")) == [2, 3]
    assert numbers(page(reader, workflow, "&level=ERROR")) == [3]


def test_a_search_looks_at_all_lines_and_goes_from_match_to_match(reader):
    workflow, _ = talking(30)
    response = page(reader, workflow, "&find=LINE+1")
    html = response.content.decode()
    assert "match 1 of 11" in text_of(response)
    assert "<mark>line 1</mark>" in html
    assert 1 in numbers(response)
    assert 'href="?step=fetch&amp;find=LINE+1&amp;match=2#match"' in html
    assert 10 in numbers(page(reader, workflow, "&find=line+1&match=2"))
    assert "match 11 of 11" in text_of(page(reader, workflow, "&find=line+1&match=99"))


def test_what_is_in_no_line_is_said_so(reader):
    workflow, _ = talking(3)
    assert "“nowhere” is in no line" in text_of(page(reader, workflow, "&find=nowhere"))


@pytest.mark.parametrize("words", ["%", "_", "\\", ".*", "(", "'", "<script>"])
def test_whatever_is_looked_for_is_taken_as_it_is(reader, words):
    workflow, step = talking(2)
    a_log_line(step, f"here it is: {words}")
    response = reader.get(f"/workflows/{workflow.uid}", {"step": "fetch", "find": words})
    assert "match 1 of 1" in text_of(response)
    assert b"<script>alert" not in response.content


def test_the_line_that_explains_the_failure_is_marked(reader):
    workflow, step = talking(1, status=Status.FAILED, error="HTTP 504")
    a_log_line(step, "Failed: HTTP 504", level="ERROR")
    a_log_line(step, "closing", level="INFO")
    html = page(reader, workflow).content.decode()
    assert re.search(r'<p id="L2" class="l-error is-error"><a id="error"', html)
    assert html.count('id="error"') == 1


def test_a_failure_without_a_line_is_explained_by_its_error(reader):
    workflow, _ = talking(0, status=Status.FAILED, error="HTTP 504")
    html = page(reader, workflow).content.decode()
    assert re.search(r'id="error"><h3>Error</h3>', html)
    assert "It has said nothing so far." in html


def test_a_step_that_fails_while_it_is_watched_sends_its_log_once_more_with_the_line_marked(reader):
    workflow, step = talking(3)
    has = held(page(reader, workflow))
    Step.objects.filter(pk=step.pk).update(
        status=Status.FAILED, worker_id="", lease_expires_at=None, ended_at=step.started_at, error="line 3"
    )
    html = poll(reader, workflow, has).content.decode()
    assert "is-error" in html


def test_the_form_keeps_the_rest_of_the_address(reader):
    workflow, _ = talking(1)
    html = page(reader, workflow, "&view=list&wrap=off&attempt=1").content.decode()
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', html)
    assert {("view", "list"), ("step", "fetch"), ("wrap", "off")} <= set(hidden)
    assert "is-wide" in html


def test_a_very_long_line_is_cut_on_the_page_and_whole_in_the_raw_log(reader):
    workflow, step = talking(0)
    a_log_line(step, "x" * 50_000 + "end")
    response = page(reader, workflow)
    assert "46,003 more characters: the raw log has them" in text_of(response)
    assert len(response.content) < 40_000
    raw = reader.get(f"/workflows/{workflow.uid}/log.txt?step=fetch")
    assert b"".join(raw.streaming_content).endswith(b"end\n")


def test_the_raw_log_is_plain_text_of_any_length(reader):
    workflow, _ = talking(11)
    response = reader.get(f"/workflows/{workflow.uid}/log.txt?step=fetch")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("inline")
    text = b"".join(response.streaming_content).decode()
    assert [line.rsplit(" ", 2)[-2:] for line in text.splitlines()] == [["line", str(n)] for n in range(1, 12)]
    download = reader.get(f"/workflows/{workflow.uid}/log.txt?step=fetch&download")
    assert download.headers["Content-Disposition"].startswith("attachment")


def test_the_number_of_queries_does_not_grow_with_the_lines(reader):
    def queries(count: int) -> int:
        workflow, _ = talking(count)
        page(reader, workflow)
        with CaptureQueriesContext(connection) as captured:
            page(reader, workflow)
        return len(captured)

    assert queries(40) == queries(5)


def test_hostile_lines_are_shown_as_text_everywhere(reader):
    workflow, step = talking(0)
    for _ in range(9):
        a_log_line(step, EVIL)
    for response in (
        page(reader, workflow),
        page(reader, workflow, "&find=alert"),
        reader.get(f"/workflows/{workflow.uid}/log-rows?step=fetch&line=6"),
    ):
        html = response.content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;" in html

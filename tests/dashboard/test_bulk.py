"""One action on many workflows of the list."""

import re

import pytest

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL
from tests.factories import a_workflow, later
from workflows_app.dashboard import snapshot
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow

FAILED = {"fetch": Status.FAILED, "shape": Status.STOPPED}
DONE = {"fetch": Status.COMPLETED, "shape": Status.COMPLETED}


def shown(page) -> str:
    found = re.search(r'name="shown" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def asked(page) -> str:
    found = re.search(r'name="asked" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def act(reader, verb: str, *workflows: Workflow, **data):
    return reader.post("/workflows/bulk", {"verb": verb, "workflow": [str(w.uid) for w in workflows], **data}, follow=True)


def all_that_match(reader, verb: str, query: str, seen: str):
    return reader.post("/workflows/bulk", {"verb": verb, "all": "1", "shown": seen, "query": f"?{query}"})


def statuses(*workflows: Workflow) -> list[str]:
    return [Workflow.objects.get(pk=workflow.pk).status for workflow in workflows]


def test_a_few_ticked_ones_are_stopped_at_once_and_it_is_told_what_was_refused_and_why(reader):
    one, two, done, bystander = a_workflow(), a_workflow(), a_workflow(name="Ready", statuses=DONE), a_workflow()
    response = act(reader, "stop", one, two, done, query="?q=A")
    assert statuses(one, two, done, bystander) == ["STOPPED", "STOPPED", "COMPLETED", "PENDING"]
    text = text_of(response)
    assert "Stopped: 2 workflows." in text
    assert f"1 refused (Ready {str(done.uid)[:8]}): The workflow is COMPLETED already: there is nothing to stop." in text
    assert response.redirect_chain == [("/workflows?q=A", 302)]


@pytest.mark.parametrize(("verb", "given", "then"), [("retry", FAILED, "RUNNING"), ("resume", None, "PENDING")])
def test_ticked_ones_are_tried_again_or_resumed(reader, verb, given, then):
    workflow = a_workflow(statuses=given)
    if verb == "resume":
        act(reader, "stop", workflow)
    act(reader, verb, workflow)
    assert statuses(workflow) == [then]


def test_nothing_ticked_does_nothing_and_says_so(reader):
    workflow = a_workflow()
    assert "Nothing was ticked" in text_of(act(reader, "stop"))
    assert statuses(workflow) == ["PENDING"]


def test_deleting_is_always_asked_about(reader):
    workflow = a_workflow(statuses=DONE)
    page = act(reader, "delete", workflow)
    assert "Delete 1 workflow?" in text_of(page)
    assert "cannot be undone" in text_of(page)
    assert 'name="typed"' not in page.content.decode()
    assert "Deleted: 1 workflow." in text_of(reader.post("/workflows/bulk/confirmed", {"asked": asked(page)}, follow=True))
    assert not Workflow.objects.exists()


def test_all_that_match_are_listed_and_touched_after_the_question(reader):
    failed = [a_workflow(name=f"night {n}", statuses=FAILED) for n in range(3)]
    other = a_workflow(name="day", statuses=FAILED)
    page = all_that_match(reader, "retry", "q=night", shown(reader.get("/workflows?q=night")))
    assert "Retry 3 workflows?" in text_of(page)
    assert all(f"night {n}" in text_of(page) for n in range(3))
    assert statuses(*failed) == ["FAILED"] * 3
    reader.post("/workflows/bulk/confirmed", {"asked": asked(page), "query": "/workflows?q=night"})
    assert statuses(*failed, other) == ["RUNNING"] * 3 + ["FAILED"]


def test_one_more_than_was_shown_is_refused_and_nothing_is_touched(reader):
    failed = [a_workflow(statuses=FAILED) for _ in range(2)]
    seen = shown(reader.get("/workflows?status=failed"))
    late = a_workflow(statuses=FAILED, updated_at=later(60))
    response = all_that_match(reader, "delete", "status=failed", seen)
    assert response.status_code == 409
    assert "You saw 2 that matched; now 3 do. So that nothing is touched that you did not see" in text_of(response)
    assert statuses(*failed, late) == ["FAILED"] * 3


def test_another_one_in_place_of_one_that_was_shown_is_refused_too(reader):
    failed = [a_workflow(statuses=FAILED) for _ in range(2)]
    seen = shown(reader.get("/workflows?status=failed"))
    act(reader, "retry", failed[0])
    a_workflow(statuses=FAILED, updated_at=later(60))
    response = all_that_match(reader, "delete", "status=failed", seen)
    assert response.status_code == 409
    assert "since then another one joined them" in text_of(response)


def test_fewer_than_were_shown_are_asked_about_as_they_are(reader):
    failed = [a_workflow(statuses=FAILED) for _ in range(3)]
    seen = shown(reader.get("/workflows?status=failed"))
    act(reader, "retry", failed[0])
    assert "Delete 2 workflows?" in text_of(all_that_match(reader, "delete", "status=failed", seen))


def test_when_an_active_one_ended_meanwhile_the_others_are_asked_about(reader):
    active, failed = a_workflow(statuses={"fetch": Status.RUNNING}), a_workflow(statuses=FAILED)
    seen = shown(reader.get("/workflows?status=running,failed"))
    Workflow.objects.filter(pk=active.pk).update(status=Status.COMPLETED, ended_at=later(9), done_steps=2, active_steps=0)
    page = all_that_match(reader, "delete", "status=running,failed", seen)
    assert "Delete 1 workflow?" in text_of(page)
    assert str(failed.uid) in page.content.decode()


def test_what_joins_after_the_question_is_not_touched(reader):
    first = a_workflow(statuses=FAILED)
    page = all_that_match(reader, "delete", "status=failed", shown(reader.get("/workflows?status=failed")))
    late = a_workflow(statuses=FAILED)
    reader.post("/workflows/bulk/confirmed", {"asked": asked(page)})
    assert list(Workflow.objects.values_list("pk", flat=True)) == [late.pk]
    assert first.pk != late.pk


def test_more_than_ten_need_their_number_typed(reader):
    workflows = [a_workflow() for _ in range(11)]
    page = act(reader, "stop", *workflows)
    assert "Type 11 to confirm" in text_of(page)
    for typed in ("", "10", "eleven"):
        again = reader.post("/workflows/bulk/confirmed", {"asked": asked(page), "typed": typed})
        assert (again.status_code, "Nothing was done yet" in text_of(again)) == (422, True)
    assert set(statuses(*workflows)) == {"PENDING"}
    assert "Stopped: 11 workflows." in text_of(
        reader.post("/workflows/bulk/confirmed", {"asked": asked(again), "typed": " 11 "}, follow=True)
    )
    assert set(statuses(*workflows)) == {"STOPPED"}


def test_only_those_that_the_deed_is_for_are_asked_about(reader):
    failed, done = a_workflow(statuses=FAILED), a_workflow(statuses=DONE)
    page = all_that_match(reader, "retry", "", shown(reader.get("/workflows")))
    assert "Retry 1 workflow?" in text_of(page)
    assert "1 other of the selected is completed and not touched." in text_of(page)
    none = act(reader, "stop", failed, done, all="1", shown=shown(reader.get("/workflows")))
    assert "Nothing to stop." in text_of(none)


def test_too_many_are_not_offered_to_be_taken_at_once(reader, monkeypatch):
    monkeypatch.setattr(snapshot, "MOST", 26)
    for _ in range(27):
        a_workflow()
    page = reader.get("/workflows")
    assert shown(page) == ""
    assert "More than 26 match: narrow the filter" in text_of(page)


@pytest.mark.parametrize("forged", ["", "WyIiLDEsIiJd:abc:def", "x" * 5_000])
def test_what_this_site_did_not_sign_is_refused(reader, forged):
    workflow = a_workflow()
    assert all_that_match(reader, "stop", "", forged).status_code == 409
    assert reader.post("/workflows/bulk/confirmed", {"asked": forged}).status_code == 409
    assert reader.post("/workflows/bulk/confirmed", {"asked": shown(reader.get("/workflows"))}).status_code == 409
    assert statuses(workflow) == ["PENDING"]


def test_the_same_calls_by_curl_are_listed_by_what_they_do(reader):
    failed, active = a_workflow(statuses=FAILED), a_workflow()
    text = text_of(act(reader, "curl", failed, active))
    assert f"curl -X POST http://localhost/api/workflows/{failed.uid}/retry" in text
    assert f"curl -X POST http://localhost/api/workflows/{active.uid}/stop" in text
    assert f"curl -X DELETE http://localhost/api/workflows/{failed.uid}" in text
    assert f"{active.uid}/retry" not in text


@pytest.mark.parametrize("data", [{"verb": "explode"}, {}])
def test_there_are_no_other_verbs(reader, data):
    assert reader.post("/workflows/bulk", data).status_code == 404


def test_ids_that_are_none_are_ignored_and_nobody_is_led_elsewhere(reader):
    workflow = a_workflow()
    data = {"verb": "stop", "workflow": ["nonsense", EVIL, str(workflow.uid)], "query": "https://evil.example/?q=x"}
    assert reader.post("/workflows/bulk", data).headers["Location"] == "/workflows?q=x"
    assert statuses(workflow) == ["STOPPED"]


def test_hostile_names_are_shown_as_text(reader):
    workflows = [a_workflow(name=EVIL, statuses=DONE) for _ in range(2)]
    for page in (act(reader, "delete", *workflows), act(reader, "stop", *workflows)):
        assert b"<script>alert" not in page.content
        assert EVIL in text_of(page)


def test_nobody_acts_by_a_link(reader):
    assert reader.get("/workflows/bulk").status_code == reader.get("/workflows/bulk/confirmed").status_code == 405


def test_nobody_acts_without_a_login(db, server_mode, client):
    assert client.post("/workflows/bulk", {"verb": "stop"}, headers={"host": "localhost"}).status_code == 302

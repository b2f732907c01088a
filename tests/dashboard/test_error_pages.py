"""Pages for what went wrong: what happened, why, what next; never a trace of the code."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from tests.dashboard.conftest import text_of
from tests.dashboard.rows import EVIL
from tests.factories import a_user, a_workflow
from workflows_app.dashboard import errors


def a_request(path: str = "/workflows/x"):
    request = RequestFactory().get(path, headers={"host": "localhost"})
    request.user = a_user()
    return request


def test_an_address_that_leads_nowhere_is_shown_as_text(reader):
    response = reader.get(f"/nowhere/{EVIL}")
    assert response.status_code == 404
    assert "leads to nothing" in text_of(response)
    assert b"<script>alert" not in response.content


def test_what_was_deleted_says_so_and_leads_back_to_the_lists(reader):
    response = reader.get("/workflows/00000000-0000-4000-8000-000000000000")
    assert response.status_code == 404
    assert "deleted" in text_of(response)
    assert 'href="/workflows"' in response.content.decode()
    assert 'href="/templates"' in response.content.decode()


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_address_of_a_button_says_that_it_is_no_page_and_which_methods_it_takes(reader, method):
    response = getattr(reader, method)(f"/workflows/{a_workflow().uid}/stop")
    assert response.status_code == 405
    assert "not a page" in text_of(response)
    assert response.headers["Allow"] == "POST"


def test_a_refusal_that_has_words_of_its_own_keeps_them(reader):
    response = errors.InPlainWords(lambda request: HttpResponse("said already", status=405))(a_request())
    assert response.content == b"said already"


def test_programs_are_answered_in_json_as_before(reader):
    response = reader.delete("/api/workflows")
    assert response.status_code == 405
    assert response.headers["Content-Type"].startswith("application/json")


def test_a_forged_form_is_told_as_one_that_is_out_of_date(db):
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    response = client.post("/theme", {"theme": "dark"})
    assert response.status_code == 403
    assert "out of date" in text_of(response)
    assert "Nothing was changed" in text_of(response)


def test_what_is_forbidden_says_why_and_what_to_do(db):
    said = text_of(errors.forbidden(a_request(), PermissionDenied(f"Only owners may; {EVIL}")))
    assert "You may not do this" in said
    assert "Only owners may" in said
    assert "<script>" not in errors.forbidden(a_request(), PermissionDenied(EVIL)).content.decode().split("</head>")[1].split("<footer")[0]
    assert "lacks the permission" in text_of(errors.forbidden(a_request(), PermissionDenied()))


@pytest.mark.parametrize(
    ("error", "status"), [(RequestDataTooBig(), 413), (TooManyFieldsSent(), 413), (ValueError("odd"), 400), (None, 400)]
)
def test_a_request_that_cannot_be_read_says_whether_it_is_too_large(db, error, status):
    response = errors.bad_request(a_request(), error)
    assert response.status_code == status
    assert ("too large" in text_of(response)) is (status == 413)
    assert "odd" not in text_of(response)


def test_a_form_that_is_too_large_is_told_by_the_page_itself(reader, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = reader.post("/theme", {"theme": "x" * 200})
    assert response.status_code == 413
    assert "too large" in text_of(response)


def test_a_conflict_tells_what_why_and_what_next(db):
    error = errors.conflict("12 were shown, 15 match now.", why="Three failed meanwhile.", next="Look again.", choices=(("Look", "/x"),))
    response = errors.page(a_request(), error)
    assert response.status_code == 409
    for words in ("Something changed meanwhile", "12 were shown", "Three failed", "Look again."):
        assert words in text_of(response)
    assert 'href="/x"' in response.content.decode()


@pytest.mark.parametrize("address", ["/nowhere", "/workflows/00000000-0000-4000-8000-000000000000"])
def test_an_error_page_shows_nothing_of_the_code(reader, address):
    text = text_of(reader.get(address))
    for trace in ("Traceback", ".py", "DoesNotExist", "Resolver404", "Exception"):
        assert trace not in text


def test_strangers_get_the_page_without_the_places_they_cannot_go_to(server_mode, db):
    response = Client(headers={"host": "localhost"}).get("/nowhere")
    assert response.status_code == 404
    assert b"data-go" not in response.content


def test_the_page_for_our_own_failures_needs_nothing_that_may_have_failed():
    html = render_to_string("500.html")
    assert "Something broke on our side" in html
    assert "/api/health" in html


@pytest.mark.parametrize(("seconds", "words"), [(2, "tries again by itself every 2 seconds"), (None, "send it again if it was not")])
def test_the_page_for_a_database_that_is_away_needs_no_database(seconds, words):
    html = render_to_string("503.html", {"seconds": seconds})
    assert words in html
    assert ('http-equiv="refresh"' in html) is (seconds is not None)


def test_the_login_page_asks_for_name_and_password_and_says_when_they_do_not_match(reader):
    a_user("ana")
    assert "Log in" in text_of(reader.get("/login"))
    refused = reader.post("/login", {"username": "ana", "password": "wrong"})
    assert "do not match an account" in text_of(refused)
    assert b'value="ana"' in refused.content

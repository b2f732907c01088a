"""Pages for what went wrong, in plain words."""

from django.template.loader import render_to_string
from django.test import RequestFactory

from tests.dashboard.conftest import text_of
from tests.factories import a_user


def test_an_address_that_leads_nowhere_is_shown_as_text(reader):
    response = reader.get("/nowhere/<script>alert(1)</script>")
    assert response.status_code == 404
    assert "leads to nothing" in text_of(response)
    assert b"<script>alert" not in response.content


def test_the_page_for_our_own_failures_needs_nothing_that_may_have_failed():
    html = render_to_string("500.html")
    assert "Something broke on our side" in html
    assert "/api/health" in html


def test_what_is_forbidden_says_what_to_do(reader):
    html = render_to_string("403.html", request=RequestFactory().get("/"))
    assert "You may not do this" in html


def test_the_login_page_asks_for_name_and_password_and_says_when_they_do_not_match(reader):
    a_user("ana")
    assert "Log in" in text_of(reader.get("/login"))
    refused = reader.post("/login", {"username": "ana", "password": "wrong"})
    assert "do not match an account" in text_of(refused)
    assert b'value="ana"' in refused.content

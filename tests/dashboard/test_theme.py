"""The theme switch works without a script."""

import pytest


def test_the_choice_is_kept_in_a_cookie_and_the_page_obeys_it(reader):
    response = reader.post("/theme", {"theme": "dark", "next": "/workers"})
    assert (response.status_code, response.headers["Location"]) == (302, "/workers")
    html = reader.get("/workflows").content.decode()
    assert '<html lang="en" class="theme-dark dark">' in html
    assert 'value="dark" title="Theme: dark" aria-pressed="true"' in html


def test_an_unknown_theme_is_not_kept(reader):
    assert "theme" not in reader.post("/theme", {"theme": "neon"}).cookies


def test_a_forged_cookie_does_not_reach_the_page(reader):
    reader.cookies["theme"] = '"><script>'
    assert "<script>&" not in reader.get("/workflows").content.decode()
    assert 'class="theme-auto' in reader.get("/workflows").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_switch_leads_to_no_other_site(reader, target):
    assert reader.post("/theme", {"theme": "dark", "next": target}).headers["Location"] == "/"

"""What of the steps is shown, as the URL has it."""

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.dashboard.steps_view import View

FULL = "?step=fetch%5B3%5D&show=failed&from=200&elements=running&element_from=50&sort=failed"


def view(query: str) -> View:
    return View.from_query(QueryDict(query.removeprefix("?")))


def test_a_url_is_read_and_written_alike():
    assert view(FULL) == View("fetch[3]", "failed", 200, "running", 50, failed_first=True)
    assert view(FULL).url() == FULL


@given(st.text(max_size=20), st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_whatever_the_url_holds_is_read_and_stays_what_it_is(step, word, number, sort):
    query = QueryDict(mutable=True)
    query.update({"step": step, "show": word, "from": number, "elements": word, "element_from": number, "sort": sort})
    found = View.from_query(query)
    assert view(found.url()) == found


@pytest.mark.parametrize(
    ("step", "top"),
    [("fetch", "fetch"), ("fetch[3]", "fetch"), ("", ""), ("fetch[", "fetch["), ("[3]", ""), ("]", "]"), ("a[1][2]", "a[1]")],
)
def test_an_element_belongs_to_its_map(step, top):
    assert View(step).top == top


def test_another_element_keeps_what_is_shown_of_the_elements_and_another_step_drops_it():
    now = view("?step=fetch[3]&show=failed&elements=running&sort=failed")
    assert now.url(step="fetch[4]") == "?step=fetch%5B4%5D&show=failed&elements=running&sort=failed"
    assert now.url(step="fetch") == "?step=fetch&show=failed&elements=running&sort=failed"
    assert now.url(step="load") == "?step=load&show=failed"
    assert now.url(step="") == "?show=failed"

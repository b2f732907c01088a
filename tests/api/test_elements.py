"""The elements of a map over the API."""

from __future__ import annotations

import re

import pytest

from tests.api.calls import fields, get
from tests.engine.report.test_elements import DONE, RUNNING, a_map

pytestmark = pytest.mark.django_db


def test_elements_are_steps_in_pages_that_the_link_leads_through() -> None:
    path, seen = f"/api/workflows/{a_map([DONE] * 5).uid}/steps/fetch/elements?limit=2", []
    while path:
        response = get(path)
        seen += [step["id"] for step in response.json()]
        link = re.match(r"<http://testserver(.*)>; rel=\"next\"", response.get("Link", ""))
        path = link[1] if link else ""
    assert seen == [f"fetch[{index}]" for index in range(5)]


def test_elements_in_one_status() -> None:
    path = f"/api/workflows/{a_map([DONE, RUNNING]).uid}/steps/fetch/elements"
    assert [step["id"] for step in get(f"{path}?status=RUNNING").json()] == ["fetch[1]"]


@pytest.mark.parametrize("step_id", ["fetch[1]", "fetch%5B1%5D"])
def test_one_element_and_its_log_have_addresses_of_their_own(step_id: str) -> None:
    path = f"/api/workflows/{a_map().uid}/steps/{step_id}"
    assert get(path).json()["id"] == "fetch[1]"
    assert get(f"{path}/logs").json() == {"lines": [], "next": 0}


@pytest.mark.parametrize("path", ["fetsch/elements", "fetch[9]", "fetch[9]/logs", "fetch[9]/elements"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert get(f"/api/workflows/{a_map().uid}/steps/{path}").status_code == 404


@pytest.mark.parametrize(("query", "named"), [("cursor=x", "query.cursor"), ("limit=0", "query.limit"), ("status=x", "query.status.0")])
def test_a_wrong_query_names_its_field(query: str, named: str) -> None:
    assert fields(get(f"/api/workflows/{a_map().uid}/steps/fetch/elements?{query}")) == {named}

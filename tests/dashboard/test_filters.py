"""The list's filters in the URL."""

import uuid

from django.http import QueryDict

from tests.factories import a_template, a_workflow
from workflows_app.dashboard.filters import Filters
from workflows_app.graph.statuses import Status
from workflows_app.models import Workflow


def filters(query: str) -> Filters:
    return Filters.from_query(QueryDict(query))


def names(query: str) -> set[str]:
    return set(filters(query).select(Workflow.objects.all()).values_list("name", flat=True))


def test_unknown_statuses_and_empty_filters_filter_nothing(db):
    a_workflow(name="one")
    assert names("status=sleeping&template=&q=%20") == {"one"}


def test_status_template_and_name_are_combined(db):
    nightly = a_template("nightly")
    a_workflow(name="A load", template=nightly, statuses={"fetch": Status.FAILED, "shape": Status.STOPPED})
    a_workflow(name="B load", statuses={"fetch": Status.FAILED, "shape": Status.STOPPED})
    a_workflow(name="C load", template=nightly)
    assert names("status=failed") == {"A load", "B load"}
    assert names("status=failed&template=nightly") == {"A load"}
    assert names("q=b%20LO") == {"B load"}


def test_the_beginning_of_an_id_finds_its_workflow(db):
    uid = uuid.UUID("0fc5a4b1-1111-4222-8333-444455556666")
    a_workflow(name="wanted", uid=uid)
    a_workflow(name="other", uid=uuid.UUID("1fc5a4b1-1111-4222-8333-444455556666"))
    for typed in ("0fc5a4b1", "0fc5a4b1-11", str(uid), str(uid).upper()):
        assert names(f"q={typed}") == {"wanted"}


def test_a_url_keeps_the_other_filters_and_starts_again_at_the_newest():
    url = filters("status=FAILED&q=a%26b&after=x").url(template="nightly")
    assert url == "?status=failed&template=nightly&q=a%26b"
    assert filters("").url() == "?"


def test_each_set_filter_can_be_dropped_by_itself():
    assert filters("status=failed&q=x").without() == [("status “failed”", "?q=x"), ("q “x”", "?status=failed")]
    assert not filters("after=x").are_set

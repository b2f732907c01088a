"""Tests of running a workflow again with other parameters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.catalog.sources import HELLO, PLAIN
from tests.factories import a_user, a_workflow
from workflows_app.catalog import again
from workflows_app.catalog.publish import publish
from workflows_app.catalog.start import start_inline, start_template
from workflows_app.dialects.params import InvalidParams
from workflows_app.engine import control, report
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True)
WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"nmae": "Ann"}, {"nmae", "name"}),
    ({"name": "Ann", "times": "often"}, {"times"}),
    ({}, {"name"}),
]


@pytest.fixture(params=["inline", "template"])
def old(request, now):
    """A workflow that has ended, of each kind."""
    if request.param == "inline":
        workflow = start_inline(name="", definition=HELLO, params={"name": "Ann"}, now=now)
    else:
        publish(slug="hello", source=HELLO, now=now)
        workflow = start_template(slug="hello", params={"name": "Ann"}, now=now)
    return control.stop(uid=workflow.uid, now=now)


@pytest.mark.parametrize(("params", "named"), WRONG)
def test_a_rerun_with_parameters_that_do_not_fit_starts_nothing(old, now, params, named):
    with pytest.raises(InvalidParams) as caught:
        again.rerun(uid=old.uid, now=now, params=params)
    assert set(caught.value.errors) == named
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize(("params", "named"), WRONG)
def test_a_retry_with_parameters_that_do_not_fit_changes_nothing(old, now, params, named):
    with pytest.raises(InvalidParams) as caught:
        again.retry(uid=old.uid, now=now, from_step="greet", params=params)
    assert set(caught.value.errors) == named
    assert list(Workflow.objects.values()) == list(Workflow.objects.filter(seq=old.seq, status=old.status, params=old.params).values())


def test_defaults_are_filled_in_also_the_second_and_third_time(old, now):
    second = again.rerun(uid=old.uid, now=now, params={"name": "Bob"})
    third = again.rerun(uid=second.uid, now=now, params={"name": "Cid"})
    assert [second.params, third.params] == [{"name": "Bob", "times": 1}, {"name": "Cid", "times": 1}]
    with pytest.raises(InvalidParams):
        again.rerun(uid=third.uid, now=now, params={})
    again.retry(uid=old.uid, now=now, from_step="greet", params={"name": "Dan"})
    old.refresh_from_db()
    assert old.params == {"name": "Dan", "times": 1}
    again.retry(uid=control.stop(uid=old.uid, now=now).uid, now=now, from_step="greet", params={"name": "Eve", "times": 2})
    with pytest.raises(InvalidParams):
        again.retry(uid=control.stop(uid=old.uid, now=now).uid, now=now, from_step="greet", params={"other": 1})


def test_without_parameters_those_of_before_are_kept(old, now):
    assert again.rerun(uid=old.uid, now=now).params == {"name": "Ann", "times": 1}


def test_an_inline_definition_without_parameters_takes_none(now):
    workflow = start_inline(name="", definition=PLAIN, params={}, now=now)
    with pytest.raises(InvalidParams, match="no parameters"):
        again.rerun(uid=workflow.uid, now=now, params={"x": 1})


def test_the_kept_schema_is_nobodys_metadata(old):
    assert report.workflow(old.uid)["metadata"] == {}


def test_who_runs_it_again_or_triggers_it_is_kept(old, now):
    ann = a_user("ann")
    assert again.rerun(uid=old.uid, now=now, by=ann).started_by == ann
    assert again.trigger(uid=old.uid, now=now, by=ann).started_by == ann


def test_who_triggers_what_was_submitted_started_it(now):
    ann, bob = a_user("ann"), a_user("bob")
    waiting = a_workflow(awaits_trigger=True, started_by=ann)
    assert again.trigger(uid=waiting.uid, now=now).started_by == ann
    other = a_workflow(awaits_trigger=True, started_by=ann)
    assert again.trigger(uid=other.uid, now=now, by=bob).started_by == bob
